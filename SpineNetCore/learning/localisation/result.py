"""An evaluation as files: the page, and the tables it rests on."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

from SpineNetCore.learning.localisation.page import Evaluation, evaluation_page
from SpineNetCore.learning.localisation.table import outcomes_csv
from SpineNetCore.whole_results import ResultKind

RESULT = ResultKind(("localisation.html", "localisation.csv", "pictures.csv"))


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write the page, a row per scan and condition, and a row per picture without masks where any were looked at.

    Raises InputError where the folder cannot be written or is not ours.
    """
    RESULT.write(folder, partial(_write_files, evaluation))


def _write_files(evaluation: Evaluation, folder: Path) -> None:
    outcomes = [measurement.outcome for measurement in evaluation.measurements]
    (folder / "localisation.csv").write_text(outcomes_csv(outcomes), encoding="utf-8")
    (folder / "localisation.html").write_text(evaluation_page(evaluation), encoding="utf-8")
    if evaluation.pictures:
        with (folder / "pictures.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["patient", "away_mm", "right", "warned"])
            for p in evaluation.pictures:
                away = "" if p.away_mm is None else f"{p.away_mm:.1f}"
                table.writerow([p.patient, away, int(p.is_right), int(p.is_warned)])
