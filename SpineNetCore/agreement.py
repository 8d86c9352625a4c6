"""How well two series of grades agree: a confusion matrix, and every figure that follows from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
"""(classes, classes) numbers of discs, a row per true class, a column per given one, both in rising order of grades."""


def confusion(truth: NDArray[np.integer], given: NDArray[np.integer], classes: int) -> Counts:
    """The confusion matrix of two series of class indices, both (N,)."""
    cells = np.asarray(truth, dtype=np.int64) * classes + np.asarray(given, dtype=np.int64)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def accuracy(counts: Counts) -> float:
    """Share of equal grades; NaN without any disc."""
    return _within(counts, 0)


def within_one(counts: Counts) -> float:
    """Share of grades at most one apart; NaN without any disc."""
    return _within(counts, 1)


def recalls(counts: Counts) -> NDArray[np.float64]:
    """(classes,) share of each true class that was given; NaN for a class that does not occur."""
    sizes = counts.sum(axis=1)
    return np.where(sizes > 0, np.diag(counts) / np.maximum(sizes, 1), np.nan)


def balanced_accuracy(counts: Counts) -> float:
    """Mean per-class accuracy (section 5) over the true classes that occur; NaN where fewer than two do."""
    occurring = counts.sum(axis=1) > 0
    return float(recalls(counts)[occurring].mean()) if occurring.sum() > 1 else float("nan")


def quadratic_kappa(counts: Counts) -> float:
    """Cohen's kappa, disagreement weighing as the squared distance of grades; NaN where all grades are the same.

    1 - observed / expected disagreement, expected being that of the same grades dealt out at random.
    """
    places = np.arange(len(counts))
    squares = (places[:, None] - places[None]) ** 2
    by_chance = np.outer(counts.sum(axis=1), counts.sum(axis=0))
    expected = float((squares * by_chance).sum())
    return 1 - float((squares * counts).sum()) * float(counts.sum()) / expected if expected else float("nan")


def _within(counts: Counts, steps: int) -> float:
    places = np.arange(len(counts))
    near = np.abs(places[:, None] - places[None]) <= steps
    return float(counts[near].sum() / counts.sum()) if counts.any() else float("nan")
