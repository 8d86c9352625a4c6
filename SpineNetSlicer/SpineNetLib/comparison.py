"""A reader's own grades beside those in the scene: how well they agree."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SpineNetCore.agreement import accuracy, confusion, quadratic_kappa, within_one
from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.errors import InputError
from SpineNetCore.level_names import disc_named
from SpineNetLib.readings import DiscReading

Place = tuple[str, Task]
Grades = Mapping[Place, int]
"""Grades by level and task."""


@dataclass(frozen=True)
class Agreement:
    """Of one task, over the discs that both graded.

    exact, within_one: shares in [0, 1]. kappa: Cohen's with quadratic weights; None where all grades are the same.
    """

    task: Task
    discs: int
    exact: float
    within_one: float
    kappa: float | None


def compare(shown: Sequence[DiscReading], reference: Grades) -> tuple[Agreement, ...]:
    """Agreement of the grades as they stand with a reference, per task that both graded."""
    pairs = [
        (task, (grade.grade, reference[reading.level, task]))
        for reading in shown
        for task, grade in reading.grades.items()
        if (reading.level, task) in reference
    ]
    by_task = {task: [pair for of, pair in pairs if of is task] for task in Task}
    return tuple(_agreement(task, of_task) for task, of_task in by_task.items() if of_task)


def read_reference(path: Path) -> dict[Place, int]:
    """Read a table with a column `level` and columns named as in `scores.csv`; commas, semicolons or tabs between.

    Empty cells are unknown, other columns are not looked at. Raises InputError where the table cannot be understood.
    """
    header, body = _cells(path)
    return grades_of(header, body, str(path))


def grades_of(header: Sequence[str], body: Sequence[tuple[int, Sequence[str]]], source: str) -> dict[Place, int]:
    """Grades out of a table's cells; body: every row with its number, as messages about `source` tell it."""
    names = [name.strip().lower().replace(" ", "_") for name in header]
    tasks = {place: Task(name) for place, name in enumerate(names) if name in {task.value for task in Task}}
    if "level" not in names or not tasks:
        raise InputError(
            f"'{source}' has the columns {', '.join(header) or 'none'}: give it a column level and one such as "
            "pfirrmann."
        )
    grades: dict[Place, int] = {}
    for number, row in body:
        level = _level(row[names.index("level")], source, number)
        for place, task in tasks.items():
            if row[place].strip():
                if (level, task) in grades:
                    raise InputError(f"'{source}' grades {level} again in line {number}: keep one line per level.")
                grades[level, task] = _grade(row[place], task, source, number)
    return grades


def _agreement(task: Task, pairs: Sequence[tuple[int, int]]) -> Agreement:
    shown, reference = (np.array([task.grades.index(grade) for grade in side]) for side in zip(*pairs, strict=True))
    counts = confusion(reference, shown, len(task.grades))
    kappa = quadratic_kappa(counts)
    return Agreement(
        task=task,
        discs=len(pairs),
        exact=accuracy(counts),
        within_one=within_one(counts),
        kappa=None if np.isnan(kappa) else kappa,
    )


def _cells(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and every further line that is not blank with its number, filled up to the header's length."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' cannot be read ({error}): save it as CSV in UTF-8.") from error
    first = lines[0] if lines else ""
    rows = list(csv.reader(lines, delimiter=max(",;\t", key=first.count)))
    header = rows[0] if rows else []
    body = [(number, row + [""] * len(header)) for number, row in enumerate(rows[1:], start=2) if any(row)]
    return header, body


def _level(cell: str, source: str, number: int) -> str:
    level = disc_named(cell)
    if level is None or level not in DISC_LEVELS:
        raise InputError(f"'{source}' has the level '{cell}' in line {number}: give one of {', '.join(DISC_LEVELS)}.")
    return level


def _grade(cell: str, task: Task, source: str, number: int) -> int:
    for grade in task.grades:
        if cell.strip() in {str(grade), f"{grade}.0", f"{grade},0"}:
            return grade
    known = ", ".join(str(grade) for grade in task.grades)
    raise InputError(f"'{source}' has {task.value} '{cell}' in line {number}: give one of {known} or leave it empty.")
