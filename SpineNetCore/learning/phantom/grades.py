"""The six grades of every disc of one patient, drawn as degeneration goes: patient by patient, level by level."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS, Task, disc_level
from SpineNetCore.learning.phantom.settings import PhantomSettings

ALL_DISC_LEVELS = tuple(disc_level(upper, lower) for upper, lower in pairwise(VERTEBRA_LEVELS))
"""Every disc a phantom names, from the head downwards: the graded six and those above."""

Grades = Mapping[Task, int]
Vector = NDArray[np.float64]

_LEVEL_SEVERITY = {"L5-S1": 0.55, "L4-L5": 0.6, "L3-L4": 0.1, "L2-L3": -0.2, "L1-L2": -0.4, "T12-L1": -0.55}
_UPPER_SEVERITY = -0.7
_PATIENT, _NEIGHBOUR = 0.45, 0.3
_TASK_CORRELATION = 0.5


def draw_grades(rng: np.random.Generator, settings: PhantomSettings) -> dict[str, Grades]:
    """Grades of every disc from T8-T9 to L5-S1.

    ours: one latent severity a disc, shared within the patient and between neighbours, worst at L4-L5 and L5-S1; every
    task follows it in part.
    """
    offsets = _level_offsets(settings.balanced)
    severity = offsets + _correlated(rng)
    ranks = _ranks(severity, offsets)
    share = 0.0 if settings.balanced else _TASK_CORRELATION
    binary = {
        task: _binary_grades(rng, share * severity, share * offsets, share, probability)
        for task, probability in _rare(settings)
    }
    pfirrmann = 1 + np.searchsorted(np.cumsum(settings.grade_prevalence.pfirrmann)[:-1], ranks, side="right")
    narrowing = [_narrowing(rng, int(grade), settings) for grade in pfirrmann]
    return {
        level: {
            Task.PFIRRMANN: int(pfirrmann[k]),
            Task.NARROWING: narrowing[k],
            **{task: int(grades[k]) for task, grades in binary.items()},
        }
        for k, level in enumerate(ALL_DISC_LEVELS)
    }


def _level_offsets(balanced: bool) -> Vector:
    if balanced:
        return np.zeros(len(ALL_DISC_LEVELS))
    return np.array([_LEVEL_SEVERITY.get(level, _UPPER_SEVERITY) for level in ALL_DISC_LEVELS])


def _correlated(rng: np.random.Generator) -> Vector:
    """One standard normal number a disc, correlated over the patient and with its neighbours."""
    count = len(ALL_DISC_LEVELS)
    steps = rng.normal(size=count + 2)
    neighbours = (steps[:-2] + steps[1:-1] + steps[2:]) / np.sqrt(3)
    own = 1 - _PATIENT - _NEIGHBOUR
    return np.asarray(
        np.sqrt(_PATIENT) * rng.normal() + np.sqrt(_NEIGHBOUR) * neighbours + np.sqrt(own) * rng.normal(size=count)
    )


def _ranks(severity: Vector, offsets: Vector) -> Vector:
    """Quantile of each severity among all graded discs, so that the prevalences hold over the six levels together."""
    graded = offsets[-len(DISC_LEVELS) :]
    return np.asarray(ndtr(severity[:, None] - graded[None, :]).mean(axis=1))


def _rare(settings: PhantomSettings) -> tuple[tuple[Task, float], ...]:
    return tuple((task, settings.grade_prevalence.of(task)[1]) for task in Task if task.is_binary)


def _binary_grades(
    rng: np.random.Generator, shared: Vector, offsets: Vector, share: float, probability: float
) -> NDArray[np.int64]:
    """shared: what the grades owe to degeneration, `share` of its deviation, offsets of the levels among it."""
    own = np.sqrt(1 - share**2) * rng.normal(size=len(shared))
    return np.asarray(_ranks(shared + own, offsets) > 1 - probability, dtype=np.int64)


def _narrowing(rng: np.random.Generator, pfirrmann: int, settings: PhantomSettings) -> int:
    probabilities = np.asarray(settings.grade_prevalence.narrowing[pfirrmann - 1])
    return 1 + int(rng.choice(len(probabilities), p=probabilities))
