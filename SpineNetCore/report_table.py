"""`scores.csv`: a row per disc."""

from __future__ import annotations

import csv
from pathlib import Path

from SpineNetCore.anatomy import Task
from SpineNetCore.report_types import DiscResult, SpineReport


def write_scores(report: SpineReport, path: Path) -> None:
    """Write level and status, then each task's grade and probabilities; uncertainties and the reason follow at the end.

    Cells of a disc that was not scored are empty; numbers have a decimal point whatever the country.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(_header())
        table.writerows(_row(disc) for disc in report.discs)


def _header() -> list[str]:
    scores = [name for task in Task for name in (task.value, *(f"{task.value}_p{grade}" for grade in task.grades))]
    return ["level", "status", *scores, *(f"{task.value}_uncertainty" for task in Task), "reason"]


def _row(disc: DiscResult) -> list[str]:
    cells = [disc.level, disc.status]
    for task in Task:
        score = disc.score(task)
        cells += [""] * (1 + len(task.grades)) if score is None else [str(score.grade), *_numbers(*score.probabilities)]
    for task in Task:
        score = disc.score(task)
        cells += [""] if score is None or score.uncertainty is None else _numbers(score.uncertainty)
    return [*cells, disc.reason or ""]


def _numbers(*values: float) -> list[str]:
    return [f"{value:.6f}" for value in values]
