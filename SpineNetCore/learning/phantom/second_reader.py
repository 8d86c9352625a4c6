"""A simulated second reader, who disagrees with the truth as often as the paper's radiologist did with himself."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.phantom.grades import Grades
from SpineNetCore.learning.phantom.settings import PAPER_PREVALENCE

INTRA_RATER_AGREEMENT = {
    Task.PFIRRMANN: 0.704,
    Task.NARROWING: 0.720,
    Task.UPPER_ENDPLATE: 0.807,
    Task.LOWER_ENDPLATE: 0.833,
    Task.UPPER_MARROW: 0.925,
    Task.LOWER_MARROW: 0.914,
}
"""Mean per-class agreement of two readings by one radiologist (the paper's Table 2)."""


def read_again(rng: np.random.Generator, grades: Grades) -> Grades:
    """What the second reader says of one disc, each task apart and by chance."""
    return {task: _read(rng, task, grade) for task, grade in grades.items()}


@cache
def confusion(task: Task) -> NDArray[np.float64]:
    """(C, C) probability of each second grade (column) given the first (row).

    ours: only neighbouring grades are confused, and as often one way as the other at the paper's frequencies, so that
    both readings keep its Table 1; the paper tells their agreement alone. With that symmetry a share of every pair of
    neighbours is exchanged, and `C (1 - agreement) / (C - 1)` is the share that gives the agreement asked for.
    """
    frequency = np.asarray(PAPER_PREVALENCE.of(task))
    count = len(frequency)
    share = count * (1 - INTRA_RATER_AGREEMENT[task]) / (count - 1)
    exchanged = share * frequency[:-1] * frequency[1:] / (frequency[:-1] + frequency[1:])
    joint = np.diag(exchanged, 1) + np.diag(exchanged, -1)
    joint += np.diag(frequency - joint.sum(axis=1))
    return np.asarray(joint / frequency[:, None])


def _read(rng: np.random.Generator, task: Task, grade: int) -> int:
    return int(rng.choice(task.grades, p=confusion(task)[task.grades.index(grade)]))
