"""The result folder: every file of the command line's contract, whole or absent."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from SpineNetCore.report_json import json_text
from SpineNetCore.report_page import page_html
from SpineNetCore.report_table import write_scores
from SpineNetCore.report_types import SpineReport
from SpineNetCore.scan_files import write_volume
from SpineNetCore.whole_results import ResultKind

REPORT_FILE = "report.json"
REPORT = ResultKind((REPORT_FILE, "scores.csv", "hotspots", "discs.nii.gz", "report.html"))


def write_report(report: SpineReport, folder: Path) -> None:
    """Write the result folder, replacing an earlier result only once the new one is complete.

    Other files beside an earlier result stay. Raises InputError where the folder cannot be written or is not ours.
    """
    REPORT.write(folder, partial(_write_files, report))


def _write_files(report: SpineReport, folder: Path) -> None:
    (folder / REPORT_FILE).write_text(json_text(report), encoding="utf-8")
    write_scores(report, folder / "scores.csv")
    write_volume(report.disc_labels, report.scan, folder / "discs.nii.gz")
    if report.hotspots is not None:
        (folder / "hotspots").mkdir()
        for task, heat in report.hotspots.items():
            write_volume(heat, report.scan, folder / "hotspots" / f"{task.value}.nii.gz")
    (folder / "report.html").write_text(page_html(report), encoding="utf-8")
