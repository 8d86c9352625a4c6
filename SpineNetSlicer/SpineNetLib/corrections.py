"""What readers changed about an analysis: a log that only ever grows, kept as a table in the scene."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetLib.placements import Placement, placement_of

COLUMNS = ("time", "reader", "disc", "task", "original", "new")
"""`disc` is the level that the analysis gave it, whatever it is called since; "all" where the levels were moved.
`task` is also "levels" or "place", with what was moved as original and new."""

_ALL_DISCS = "all"
_LEVELS = "levels"
_PLACE = "place"
_GRADED_AT = " graded at "
_INITIALS = re.compile(r"[\w.-]{0,12}")


@dataclass(frozen=True)
class Signature:
    """Who changed something, and when. initials: up to 12 letters, or none."""

    time: datetime
    initials: str = ""

    def __post_init__(self) -> None:
        if not _INITIALS.fullmatch(self.initials):
            raise InputError(f"'{self.initials}' cannot be a reader's initials: give up to 12 letters or none.")

    @property
    def time_text(self) -> str:
        return self.time.isoformat(timespec="seconds")


@dataclass(frozen=True)
class GradeCorrection:
    """A grade that a reader gave. original: what was shown before. new: None takes all corrections of it back."""

    signature: Signature
    disc: str
    task: Task
    original: int | None
    new: int | None


@dataclass(frozen=True)
class LevelsMoved:
    """All levels moved. original, new: levels towards the feet, counted from those of the analysis."""

    signature: Signature
    original: int
    new: int


@dataclass(frozen=True)
class DiscMoved:
    """A disc put elsewhere and graded again. original_grades, new_grades: the network's, in the order of the tasks."""

    signature: Signature
    disc: str
    original: Placement
    new: Placement
    original_grades: tuple[int, ...]
    new_grades: tuple[int, ...]


Correction = GradeCorrection | LevelsMoved | DiscMoved


def last_corrections(log: Sequence[Correction]) -> dict[tuple[str, Task], GradeCorrection]:
    """The corrections that hold, by the disc's analysed level and task."""
    last = {(entry.disc, entry.task): entry for entry in log if isinstance(entry, GradeCorrection)}
    return {place: entry for place, entry in last.items() if entry.new is not None}


def levels_moved(log: Sequence[Correction]) -> int:
    """How many levels towards the feet the names now lie from those of the analysis."""
    moves = [entry.new for entry in log if isinstance(entry, LevelsMoved)]
    return moves[-1] if moves else 0


def row_of(entry: Correction) -> list[str]:
    """The cells of `COLUMNS`; read back by `correction_of`."""
    signature = [entry.signature.time_text, entry.signature.initials]
    if isinstance(entry, LevelsMoved):
        return [*signature, _ALL_DISCS, _LEVELS, str(entry.original), str(entry.new)]
    if isinstance(entry, DiscMoved):
        places = [_graded_place(entry.original, entry.original_grades), _graded_place(entry.new, entry.new_grades)]
        return [*signature, entry.disc, _PLACE, *places]
    return [*signature, entry.disc, entry.task.value, _number(entry.original), _number(entry.new)]


def correction_of(row: Sequence[str]) -> Correction:
    """Read the cells of `COLUMNS`; raises InputError where somebody else changed them."""
    try:
        time, initials, disc, task, original, new = row
        signature = Signature(datetime.fromisoformat(time), initials)
        if task == _LEVELS:
            return LevelsMoved(signature, int(original), int(new))
        if task == _PLACE:
            (grades, place), (new_grades, new_place) = _place_and_grades(original), _place_and_grades(new)
            return DiscMoved(signature, disc, place, new_place, grades, new_grades)
        return GradeCorrection(signature, disc, Task(task), _grade(original), _grade(new))
    except ValueError as error:
        raise InputError(f"The table of corrections cannot be read at '{', '.join(row)}': remove that row.") from error


def _graded_place(place: Placement, grades: Sequence[int]) -> str:
    return " ".join(str(grade) for grade in grades) + _GRADED_AT + place.text


def _place_and_grades(cell: str) -> tuple[tuple[int, ...], Placement]:
    grades, _, place = cell.partition(_GRADED_AT)
    return tuple(int(grade) for grade in grades.split()), placement_of(place)


def _number(grade: int | None) -> str:
    return "" if grade is None else str(grade)


def _grade(cell: str) -> int | None:
    return int(cell) if cell else None
