"""Discs with labels and with probabilities as told, for the tests of how grading is measured."""

from __future__ import annotations

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.datasets.graded_scans import DiscLabel, Split
from SpineNetCore.learning.grading.measures import MEASURES, Measure
from SpineNetCore.learning.grading.running import GradedDisc


def a_label(grades: dict[Task, set[int]], marrow_changed: bool = False) -> DiscLabel:
    return DiscLabel({task: frozenset(admitted) for task, admitted in grades.items()}, marrow_changed)


def a_measure(name: str) -> Measure:
    return next(measure for measure in MEASURES if measure.name == name)


def sure_of(grades: dict[Task, int], chance: float = 0.9) -> dict[Task, tuple[float, ...]]:
    """Probabilities that give each task's grade `chance` and share the rest; the lowest grade where none is told."""
    return {
        task: tuple(
            chance if grade == grades.get(task, task.grades[0]) else (1 - chance) / (len(task.grades) - 1)
            for grade in task.grades
        )
        for task in Task
    }


def a_graded_disc(
    truth: DiscLabel,
    given: dict[Task, int],
    patient: str = "1",
    split: Split = Split.TEST,
    *,
    group: str = "Drawn",
    chance: float = 0.9,
) -> GradedDisc:
    return GradedDisc(group, split, patient, f"{patient}.nii", "L4-L5", truth, sure_of(given, chance))
