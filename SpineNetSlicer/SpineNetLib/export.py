"""The grades as they stand, as a table file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetLib.analysis import Analysis
from SpineNetLib.readings import DiscReading, GradeReading
from SpineNetLib.tables import current_readings


def export_scores(analysis: Analysis, path: Path) -> None:
    """Write the columns of the command line's `scores.csv` with the readers' grades, and what they changed at the end.

    Probabilities stay the network's. Numbers have a decimal point whatever the country. Raises InputError where the
    file cannot be written; an earlier one is then left as it was.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(_header())
    table.writerows(_row(reading) for reading in current_readings(analysis))
    write_whole(path, text.getvalue())


def write_whole(path: Path, text: str) -> None:
    """Write a text file, or leave an earlier one as it was and raise InputError."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InputError(
            f"'{path}' cannot be written ({error.strerror or error}): close it elsewhere or choose another place."
        ) from error


def _header() -> list[str]:
    scores = [name for task in Task for name in (task.value, *(f"{task.value}_p{grade}" for grade in task.grades))]
    added = [f"{task.value}_{what}" for task in Task for what in ("uncertainty", "automatic", "corrected")]
    return ["level", "status", *scores, *added, "analysed_as", "reason"]


def _row(reading: DiscReading) -> list[str]:
    cells = [reading.level, reading.status]
    for task in Task:
        cells += _score_cells(task, reading.grades.get(task))
    for task in Task:
        cells += _origin_cells(reading.grades.get(task))
    return [*cells, "" if reading.finding is None else reading.finding.level, reading.reason or ""]


def _score_cells(task: Task, grade: GradeReading | None) -> list[str]:
    grade_cell = "" if grade is None else str(grade.grade)
    if grade is None or grade.automatic is None:
        return [grade_cell, *[""] * len(task.grades)]
    return [grade_cell, *(f"{probability:.6f}" for probability in grade.automatic.probabilities)]


def _origin_cells(grade: GradeReading | None) -> list[str]:
    """Uncertainty, the network's grade, and when and by whom it was corrected."""
    if grade is None:
        return ["", "", ""]
    automatic, correction = grade.automatic, grade.correction
    uncertainty = "" if automatic is None or automatic.uncertainty is None else f"{automatic.uncertainty:.6f}"
    signed = "" if correction is None else f"{correction.signature.time_text} {correction.signature.initials}".strip()
    return [uncertainty, "" if automatic is None else str(automatic.grade), signed]
