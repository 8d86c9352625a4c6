"""What is asked of a disc: the six tasks, and two coarser questions that partial labels answer as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.datasets.graded_scans import DiscLabel

Chances = Mapping[Task, tuple[float, ...]]
"""Per task a probability for each of its grades."""

_NO_YES = (0, 1)
_MARROW = (Task.UPPER_MARROW, Task.LOWER_MARROW)
_NORMAL, _CHANGED = frozenset({0}), frozenset({1})


@dataclass(frozen=True)
class Measure:
    """One question.

    name: in files; title: for people. grades: the possible answers, in rising order. truth: index of the answer that a
    label gives, None where it leaves it open. answer: index of the one that the grades of a score table give. chances:
    a probability per answer, from those of the tasks.
    """

    name: str
    title: str
    grades: tuple[int, ...]
    truth: Callable[[DiscLabel], int | None]
    answer: Callable[[Chances], int]
    chances: Callable[[Chances], tuple[float, ...]]

    @property
    def is_binary(self) -> bool:
        """Whether there are but two answers."""
        return len(self.grades) == 2


def _of_task(task: Task) -> Measure:
    def truth(label: DiscLabel) -> int | None:
        admitted = label.grades.get(task, frozenset())
        return task.grades.index(next(iter(admitted))) if len(admitted) == 1 else None

    return Measure(task.value, task.title, task.grades, truth, partial(_graded, task), lambda chances: chances[task])


def _graded(task: Task, chances: Chances) -> int:
    return int(np.argmax(chances[task]))


def _narrowed(label: DiscLabel) -> int | None:
    admitted = label.grades.get(Task.NARROWING, frozenset())
    is_told = admitted == {1} or (admitted and 1 not in admitted)
    return int(1 not in admitted) if is_told else None


def _graded_narrowed(chances: Chances) -> int:
    return int(_graded(Task.NARROWING, chances) > 0)


def _narrowed_chances(chances: Chances) -> tuple[float, ...]:
    none, *some = chances[Task.NARROWING]
    return none, sum(some)


def _marrow_changed(label: DiscLabel) -> int | None:
    sides = [label.grades.get(task) for task in _MARROW]
    if label.marrow_changed or _CHANGED in sides:
        return 1
    return 0 if sides == [_NORMAL, _NORMAL] else None


def _graded_changed(chances: Chances) -> int:
    return max(_graded(task, chances) for task in _MARROW)


def _marrow_chances(chances: Chances) -> tuple[float, ...]:
    """ours: those of the likelier side, for the two go together."""
    return min((chances[task] for task in _MARROW), key=lambda side: side[0])


MEASURES = (
    *(_of_task(task) for task in Task),
    Measure("narrowed", "Narrowing, none or some", _NO_YES, _narrowed, _graded_narrowed, _narrowed_chances),
    Measure("any_marrow", "Marrow, either side", _NO_YES, _marrow_changed, _graded_changed, _marrow_chances),
)
