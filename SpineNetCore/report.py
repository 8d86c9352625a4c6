"""The result folder: every file of the command line's contract, whole or absent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from SpineNetCore.errors import InputError
from SpineNetCore.report_json import json_text
from SpineNetCore.report_page import page_html
from SpineNetCore.report_table import write_scores
from SpineNetCore.report_types import DiscResult, ModelUse, Settings, SpineReport
from SpineNetCore.scan_files import write_volume

__all__ = ["DiscResult", "ModelUse", "Settings", "SpineReport", "check_output", "write_report"]

REPORT_FILE = "report.json"
RESULT_ENTRIES = (REPORT_FILE, "scores.csv", "hotspots", "discs.nii.gz", "report.html")
"""What a result folder holds; `report.json` says that it is whole, so it goes first and comes last."""
STAGING_PREFIX = ".spinenet-"


def write_report(report: SpineReport, folder: Path) -> None:
    """Write the result folder, replacing an earlier result only once the new one is complete.

    Other files beside an earlier result stay. Raises InputError where the folder cannot be written or is not ours.
    """
    check_output(folder)
    folder = folder.resolve()
    try:
        with _staging_folder(folder) as staging:
            _write_files(report, staging)
            _put_in_place(staging, folder)
    except OSError as error:
        raise InputError(
            f"The result cannot be written to '{folder}' ({error.strerror or error}): free or close what stands in the "
            "way, or choose another folder."
        ) from error


def check_output(folder: Path) -> None:
    """Raise InputError unless a result can be written to `folder`; cheap, for asking before any long work."""
    try:
        folder = folder.resolve()
        if folder.exists() and not folder.is_dir():
            raise InputError(f"The output '{folder}' is a file: give the name of a folder.")
        with _staging_folder(folder):
            entries = _entries(folder) if folder.exists() else []
    except OSError as error:
        raise InputError(
            f"Nothing can be written to '{folder}' ({error.strerror or error}): choose a folder you may write to."
        ) from error
    except RuntimeError as error:  # what `resolve` raises on a loop of links
        raise InputError(f"The output '{folder}' is a link that leads back to itself: choose a folder.") from error
    if entries and REPORT_FILE not in entries:
        raise InputError(
            f"The output folder '{folder}' holds other files, such as '{entries[0]}': choose an empty or a new folder."
        )


def _entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith(STAGING_PREFIX))


@contextmanager
def _staging_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder, on the same file system, that is gone afterwards unless it was moved.

    Inside `folder` where that exists, which may be a mount point; else beside it or the first of its missing parents.
    """
    place = folder
    while not place.exists():
        place = place.parent
    staging = place / f"{STAGING_PREFIX}{uuid4().hex}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_files(report: SpineReport, folder: Path) -> None:
    (folder / REPORT_FILE).write_text(json_text(report), encoding="utf-8")
    write_scores(report, folder / "scores.csv")
    write_volume(report.disc_labels, report.scan, folder / "discs.nii.gz")
    if report.hotspots is not None:
        (folder / "hotspots").mkdir()
        for task, heat in report.hotspots.items():
            write_volume(heat, report.scan, folder / "hotspots" / f"{task.value}.nii.gz")
    (folder / "report.html").write_text(page_html(report), encoding="utf-8")


def _put_in_place(staging: Path, folder: Path) -> None:
    """Move the finished files to their names; where a move fails, put the earlier result back."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(folder)
        return
    earlier = staging / "earlier"
    earlier.mkdir()
    moves = [(folder / name, earlier / name) for name in RESULT_ENTRIES]
    moves += [(staging / name, folder / name) for name in reversed(RESULT_ENTRIES)]
    with ExitStack() as undo:
        for source, target in moves:
            if source.exists():
                source.rename(target)
                undo.callback(target.rename, source)
        undo.pop_all()
