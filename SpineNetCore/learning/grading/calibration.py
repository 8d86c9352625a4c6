"""Whether probabilities mean what they say, and the temperature that would make them do so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from SpineNetCore.temperature import LEAST_CHANCE, PRIOR_SPREAD, tempered

BINS = 10
_FARTHEST = 3.0

Probabilities = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Bin:
    """Discs of similar confidence: how many, their mean confidence, and the share of them graded rightly."""

    discs: int
    confidence: float
    right: float


@dataclass(frozen=True)
class Sureness:
    """Of every disc, (N,): minus the log of the true class's probability; that of the given one; whether it is right.

    Guo et al. 2017 call the latter probability the confidence, and `error` the expected calibration error.
    """

    losses: NDArray[np.float64]
    confidences: NDArray[np.float64]
    right: NDArray[np.bool_]

    def loss(self, places: Indices) -> float:
        """Mean negative log-likelihood of the discs at these places, natural logarithm."""
        return float(self.losses[places].mean())

    def error(self, places: Indices) -> float:
        """Mean over the discs of |share right - mean confidence| of their bin, of `BINS` of even width."""
        which = _bins(self.confidences[places])
        gaps = np.bincount(which, self.right[places] - self.confidences[places], BINS)
        return float(np.abs(gaps).sum() / len(places))

    def bins(self) -> tuple[Bin, ...]:
        """The bins that are not empty, by rising confidence."""
        which = _bins(self.confidences)
        return tuple(
            Bin(int(members.sum()), float(self.confidences[members].mean()), float(self.right[members].mean()))
            for members in (which == k for k in range(BINS))
            if members.any()
        )


def sureness(chances: Probabilities, truth: Indices, given: Indices | None = None) -> Sureness:
    """What (N, classes) probabilities say of the (N,) true classes and the given ones, or else the likeliest."""
    given = chances.argmax(axis=1) if given is None else given
    of_truth, of_given = (chances[np.arange(len(truth)), classes] for classes in (truth, given))
    return Sureness(-np.log(np.maximum(of_truth, LEAST_CHANCE)), of_given, given == truth)


def fitted_temperature(chances: Probabilities, truth: Indices) -> float:
    """The likeliest temperature; NaN where fewer than two classes occur to fit it on.

    ours: it acts on the mean over views; before any disc is seen its logarithm lies about 0, a temperature of 1, with a
    standard deviation of `PRIOR_SPREAD`.
    """
    if len(np.unique(truth)) < 2:
        return float("nan")

    def surprise(log_temperature: float) -> float:
        losses = sureness(tempered(chances, float(np.exp(log_temperature))), truth).losses
        return float(losses.sum()) + (log_temperature / PRIOR_SPREAD) ** 2 / 2

    return float(np.exp(minimize_scalar(surprise, bounds=(-_FARTHEST, _FARTHEST), method="bounded").x))


def _bins(confidences: Sequence[float] | NDArray[np.float64]) -> Indices:
    return np.minimum((np.asarray(confidences) * BINS).astype(np.intp), BINS - 1)
