"""An evaluation as files: the page, and the tables it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from SpineNetCore.learning.figure_files import write_texts
from SpineNetCore.learning.figure_text import csv_text
from SpineNetCore.learning.localisation.lowest_discs import PictureOutcome
from SpineNetCore.learning.localisation.page import Evaluation, evaluation_page
from SpineNetCore.learning.localisation.table import outcomes_csv
from SpineNetCore.whole_results import ResultKind

RESULT = ResultKind(("localisation.html", "localisation.csv", "pictures.csv"))


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write the page, a row per scan and condition, and a row per picture without masks where any were looked at.

    Raises InputError where the folder cannot be written or is not ours.
    """
    texts = {
        "localisation.csv": outcomes_csv([measurement.outcome for measurement in evaluation.measurements]),
        "localisation.html": evaluation_page(evaluation),
    }
    pictures = {"pictures.csv": _pictures_csv(evaluation.pictures)} if evaluation.pictures else {}
    write_texts(RESULT, texts | pictures, folder)


def _pictures_csv(outcomes: Sequence[PictureOutcome]) -> str:
    """away_mm is empty where the picture was refused, and `inf` where it shows no L5-S1 by what was read."""
    away = ("" if one.away_mm is None else f"{one.away_mm:.1f}" for one in outcomes)
    rows = ((one.patient, mm, int(one.is_right), int(one.is_warned)) for one, mm in zip(outcomes, away, strict=True))
    return csv_text(("patient", "away_mm", "right", "warned"), rows)
