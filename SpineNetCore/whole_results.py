"""Folders of results that are whole or absent: written beside, then moved in place."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.errors import InputError
from SpineNetCore.file_names import check_file_name

STAGING_PREFIX = ".spinenet-"

_LONGEST_MOVE_S = 5.0
"""ours: moving a result takes milliseconds."""

_OF_THE_DESKTOP = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What a file manager leaves in a folder that is merely looked at."""


@dataclass(frozen=True)
class ResultKind:
    """What a result folder may hold.

    The first of its entries is a text with the research-use notice. It is moved in last, and an earlier one taken away
    first: a folder that holds it is ours, and whole.
    """

    entries: tuple[str, ...]

    def write(self, folder: Path, write_files: Callable[[Path], None]) -> None:
        """Have the files written, replacing an earlier result only once the new one is complete.

        Other files beside an earlier result stay. Raises InputError where the folder cannot be written or is not ours.
        """
        self.check(folder)
        folder = folder.resolve()
        try:
            with _staging_folder(folder) as staging:
                write_files(staging)
                self._put_in_place(staging, folder)
        except OSError as error:
            raise InputError(
                f"The result cannot be written to '{folder}' ({error.strerror or error}): free or close what stands in "
                "the way, or choose another folder."
            ) from error

    def check(self, folder: Path) -> None:
        """Raise InputError unless a result can be written to `folder`; cheap, for asking before any long work."""
        try:
            folder = folder.resolve()
            check_file_name(folder)
            if folder.exists() and not folder.is_dir():
                raise InputError(f"The output '{folder}' is a file: give the name of a folder.")
            with _staging_folder(folder):
                entries, is_ours = self._looked_into(folder) if folder.exists() else ([], True)
        except OSError as error:
            raise InputError(
                f"Nothing can be written to '{folder}' ({error.strerror or error}): choose a folder you may write to."
            ) from error
        except RuntimeError as error:  # what `resolve` raises on a loop of links
            raise InputError(f"The output '{folder}' is a link that leads back to itself: choose a folder.") from error
        if entries and not is_ours:
            raise InputError(
                f"The output folder '{folder}' holds other files, such as '{entries[0]}': choose an empty or a new "
                "folder."
            )

    def _looked_into(self, folder: Path) -> tuple[list[str], bool]:
        """What a folder holds, and whether it is a result of this kind."""
        with _alone_in(folder):
            entries = _entries(folder)
            return entries, self.entries[0] in entries and _has_notice(folder / self.entries[0])

    def _put_in_place(self, staging: Path, folder: Path) -> None:
        """Move the finished files to their names; where a move fails, put the earlier result back."""
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            staging.rename(folder)
            return
        earlier = staging / "earlier"
        earlier.mkdir()
        moves = [(folder / name, earlier / name) for name in self.entries]
        moves += [(staging / name, folder / name) for name in reversed(self.entries)]
        with _alone_in(folder), ExitStack() as undo:
            for source, target in moves:
                if source.exists():
                    source.rename(target)
                    undo.callback(target.rename, source)
            undo.pop_all()


def _has_notice(path: Path) -> bool:
    return RESEARCH_USE_NOTICE in path.read_text(encoding="utf-8", errors="replace")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait while another run moves its files into the folder; one that takes so long was killed meanwhile."""
    lock, end_s = folder / f"{STAGING_PREFIX}lock", time.monotonic() + _LONGEST_MOVE_S
    while not _made(lock):
        if time.monotonic() > end_s:
            _remove(lock)
        time.sleep(0.02)
    try:
        yield
    finally:
        _remove(lock)


def _made(lock: Path) -> bool:
    try:
        lock.mkdir()
    except FileExistsError:
        return False
    return True


def _remove(lock: Path) -> None:
    with suppress(FileNotFoundError):
        lock.rmdir()


def _entries(folder: Path) -> list[str]:
    names = {entry.name for entry in folder.iterdir()} - _OF_THE_DESKTOP
    return sorted(name for name in names if not name.startswith(STAGING_PREFIX))


@contextmanager
def _staging_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder, on the same file system, that is gone afterwards unless it was moved.

    Inside `folder` where that exists, which may be a mount point; else beside it or the first of its missing parents.
    """
    place = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    staging = place / f"{STAGING_PREFIX}{uuid4().hex}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
