"""Figures with intervals that rest on patients, not on scans or discs, of which one patient has several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

RESAMPLINGS = 1000

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % bootstrap interval over patients.

    All NaN where there was nothing to measure; the interval alone where there is but one patient, or none is asked for.
    """

    value: float
    low: float
    high: float


UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


class OfPatient(Protocol):
    """Whatever was measured on one patient."""

    @property
    def patient(self) -> str: ...


Outcome = TypeVar("Outcome", bound=OfPatient)


def bootstrapped(
    outcomes: Sequence[Outcome], statistic: Callable[[Sequence[Outcome]], float], rng: np.random.Generator
) -> Estimate:
    """One figure of outcomes; see `bootstrapped_together`."""
    patients = [outcome.patient for outcome in outcomes]
    return bootstrapped_together(patients, lambda places: [statistic([outcomes[k] for k in places])], rng)[0]


def bootstrapped_together(
    patients: Sequence[str], statistics: Callable[[Places], Sequence[float]], rng: np.random.Generator | None
) -> list[Estimate]:
    """Draw patients anew, each with all that is theirs, `RESAMPLINGS` times; percentiles of what each figure then says.

    patients: whose each measured thing is. statistics: the figures of the things at these places of that series. A
    statistic may be NaN where it has nothing to measure; draws of which it is are left out. rng: None for the figures
    without intervals, which one patient never has: who is drawn from one is always the same.
    """
    values = list(statistics(np.arange(len(patients))))
    if np.isnan(values).all():
        return [UNKNOWN] * len(values)
    of_patient: dict[str, list[int]] = {}
    for place, patient in enumerate(patients):
        of_patient.setdefault(patient, []).append(place)
    if rng is None or len(of_patient) == 1:
        return [Estimate(value, float("nan"), float("nan")) for value in values]
    theirs = [np.array(places, dtype=np.intp) for places in of_patient.values()]
    draws = rng.integers(0, len(theirs), (RESAMPLINGS, len(theirs)))
    drawn = np.array([statistics(np.concatenate([theirs[k] for k in draw])) for draw in draws])  # (draws, figures)
    return [_estimate(value, column) for value, column in zip(values, drawn.T, strict=True)]


def _estimate(value: float, drawn: NDArray[np.float64]) -> Estimate:
    known = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not len(known):
        return UNKNOWN
    low, high = np.percentile(known, (2.5, 97.5))
    return Estimate(value, float(low), float(high))
