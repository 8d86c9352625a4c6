"""A scorecard as files: the page, and the table it rests on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from SpineNetCore.learning.hotspot_scorecard.page import Evaluation, scorecard_page
from SpineNetCore.learning.hotspot_scorecard.table import readings_csv
from SpineNetCore.whole_results import ResultKind

RESULT = ResultKind(("hotspots.html", "hotspots.csv"))


def write_scorecard(evaluation: Evaluation, folder: Path) -> None:
    """Write the page and a row per map; raises InputError where the folder cannot be written or is not ours."""
    RESULT.write(folder, partial(_write_files, evaluation))


def _write_files(evaluation: Evaluation, folder: Path) -> None:
    rows = readings_csv(evaluation.card.readings, knows_lesions=evaluation.summary.knows_lesions)
    (folder / "hotspots.csv").write_text(rows, encoding="utf-8")
    (folder / "hotspots.html").write_text(scorecard_page(evaluation), encoding="utf-8")
