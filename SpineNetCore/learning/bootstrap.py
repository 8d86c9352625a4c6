"""Figures with intervals that rest on patients, not on scans or discs, of which one patient has several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

RESAMPLINGS = 1000


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % bootstrap interval over patients; all NaN where there was nothing to measure."""

    value: float
    low: float
    high: float


class OfPatient(Protocol):
    """Whatever was measured on one patient."""

    @property
    def patient(self) -> str: ...


Outcome = TypeVar("Outcome", bound=OfPatient)


def bootstrapped(
    outcomes: Sequence[Outcome], statistic: Callable[[Sequence[Outcome]], float], rng: np.random.Generator
) -> Estimate:
    """Draw patients anew, each with all its outcomes, `RESAMPLINGS` times; percentiles of what the statistic then says.

    A statistic may be NaN where it has nothing to measure; draws of which it is are left out.
    """
    value = statistic(outcomes)
    if np.isnan(value):
        return Estimate(np.nan, np.nan, np.nan)
    patients: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        patients.setdefault(outcome.patient, []).append(outcome)
    groups = list(patients.values())
    draws = rng.integers(0, len(groups), (RESAMPLINGS, len(groups)))
    values = [statistic([outcome for k in draw for outcome in groups[k]]) for draw in draws]
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return Estimate(value, float(low), float(high))
