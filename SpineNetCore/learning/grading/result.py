"""An evaluation as files: the page, and the tables it rests on."""

from __future__ import annotations

from pathlib import Path

from SpineNetCore.learning.figure_files import write_texts
from SpineNetCore.learning.grading.page import Evaluation, evaluation_page
from SpineNetCore.learning.grading.running import GradedDisc
from SpineNetCore.learning.grading.table import discs_csv, figures_csv
from SpineNetCore.whole_results import ResultKind

GRADING = ResultKind(("grading.html", "grading.csv", "discs.csv"))
AGREEMENT = ResultKind(("agreement.html", "agreement.csv"))
REPEATABILITY = ResultKind(("repeatability.html", "repeatability.csv"))
BRANCH_POINTS = ResultKind(("branch_points.html", "branch_points.csv"))


def write_grading(evaluation: Evaluation, discs: list[GradedDisc], folder: Path) -> None:
    """Write the page, a row per figure, and a row per disc.

    Raises InputError where the folder cannot be written or is not ours.
    """
    texts = {
        "discs.csv": discs_csv(discs),
        "grading.csv": figures_csv(evaluation.lines),
        "grading.html": evaluation_page(evaluation),
    }
    write_texts(GRADING, texts, folder)


def write_agreement(evaluation: Evaluation, folder: Path) -> None:
    """Write the page and a row per figure; raises InputError as `write_grading`."""
    texts = {"agreement.csv": figures_csv(evaluation.lines), "agreement.html": evaluation_page(evaluation)}
    write_texts(AGREEMENT, texts, folder)
