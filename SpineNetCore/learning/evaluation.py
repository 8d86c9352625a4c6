"""How well discs are graded, on patients and phantoms that no training has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.phantom import Phantom, simulate
from SpineNetCore.network import GradingNetwork
from SpineNetCore.scores import score_discs

_TASKS = tuple(Task)
_UNSEEN_SEED = 900_000


@dataclass(frozen=True)
class TaskAccuracy:
    """balanced: mean recall over the classes that occur (section 5). within_one: share at most one grade off."""

    measure: str
    discs: int
    balanced: float
    within_one: float

    def __str__(self) -> str:
        return f"{self.measure:<22}{self.discs:>6}{self.balanced:>10.3f}{self.within_one:>12.3f}"


def unseen_phantom(number: int) -> Phantom:
    """One of the phantoms kept for evaluation, numbered from 0; training draws its seeds from 0 upwards."""
    return simulate(np.random.default_rng(_UNSEEN_SEED + number))


def grading_accuracy(examples: Sequence[DiscExample], grader: GradingNetwork, views: int = 54) -> list[TaskAccuracy]:
    """Grade every disc and compare, per task, where its label is known.

    A label that only tells narrowed from not narrowed, or changed marrow without its side, is compared as such; a task
    of which only one grade occurs is left out.
    """
    contexts = (example.context() for example in examples)
    scores = [score_discs(grader, context[None], views)[0] for context in contexts]
    chances = {task: np.array([s[row].probabilities for s in scores]) for row, task in enumerate(Task)}
    admissible = np.stack([example.admissible for example in examples])
    results = []
    for row, task in enumerate(Task):
        is_single = admissible[:, row].sum(axis=1) == 1
        truth = admissible[is_single, row].argmax(axis=1)
        if len(np.unique(truth)) > 1:
            results.append(_accuracy(task.value, truth, chances[task][is_single].argmax(axis=1)))
    narrowed = ~admissible[:, _TASKS.index(Task.NARROWING), 0]
    is_known = admissible[:, _TASKS.index(Task.NARROWING)].any(axis=1)
    says_narrowed = chances[Task.NARROWING][:, 0] < 0.5
    results.append(_accuracy("narrowing (binary)", narrowed[is_known], says_narrowed[is_known]))
    return [*results, _any_marrow(examples, chances, admissible)]


def _any_marrow(
    examples: Sequence[DiscExample], chances: dict[Task, NDArray[np.float64]], admissible: NDArray[np.bool_]
) -> TaskAccuracy:
    sides = [_TASKS.index(Task.UPPER_MARROW), _TASKS.index(Task.LOWER_MARROW)]
    truth = np.array([example.marrow_changed for example in examples]) | admissible[:, sides, 1].any(axis=1)
    is_known = truth | admissible[:, sides, 0].all(axis=1)
    normal = chances[Task.UPPER_MARROW][:, 0] * chances[Task.LOWER_MARROW][:, 0]
    return _accuracy("marrow, either side", truth[is_known], normal[is_known] < 0.5)


def _accuracy(measure: str, truth: NDArray[np.generic], predicted: NDArray[np.generic]) -> TaskAccuracy:
    recalls = [float((predicted[truth == value] == value).mean()) for value in np.unique(truth)]
    off = np.abs(truth.astype(int) - predicted.astype(int))
    return TaskAccuracy(measure, len(truth), float(np.mean(recalls)), float((off <= 1).mean()))
