"""Many scans in one line: shares and errors with intervals over patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from SpineNetCore.learning.bootstrap import Estimate, bootstrapped
from SpineNetCore.learning.localisation.conditions import AS_IT_IS
from SpineNetCore.learning.localisation.measures import Outcome

THICKNESSES = (("slices under 3.5 mm", 0.0, 3.5), ("3.5 to 4.5 mm", 3.5, 4.5), ("over 4.5 mm", 4.5, np.inf))

Statistic = Callable[[Sequence[Outcome]], float]


@dataclass(frozen=True)
class Summary:
    """One line of the table.

    found, named: shares of the discs that are there; false: per scan. Errors in millimetres: medians, with the 95th
    percentile of the same errors beside. confidence: mean of the scans not refused. refused: scans. misnamed: scans on
    which a disc bears another's name, unwarned those of them that came without any warning, second_right those whose
    second likeliest naming is right.
    """

    group: str
    condition: str
    scans: int
    patients: int
    discs: int
    found: Estimate
    named: Estimate
    false: Estimate
    centre_mm: Estimate
    centre_95_mm: float
    lateral_mm: float
    corner_mm: Estimate
    corner_95_mm: float
    s1_lower_mm: float
    confidence: float
    warned: int
    refused: int
    misnamed: int
    unwarned: int
    second_right: int


def summaries(outcomes: Sequence[Outcome], rng: np.random.Generator) -> list[Summary]:
    """A line per group and condition, in the order met; scans as they are again by slice thickness where it varies."""
    lines: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        lines.setdefault((outcome.group, outcome.condition), []).append(outcome)
    results = []
    for (_, condition), members in lines.items():
        results.append(summarised(members, condition, rng))
        if condition == AS_IT_IS.title:
            results += _by_thickness(members, rng)
    return results


def _by_thickness(outcomes: Sequence[Outcome], rng: np.random.Generator) -> list[Summary]:
    parts = {
        f"  {name}": [outcome for outcome in outcomes if low <= outcome.slice_mm < high]
        for name, low, high in THICKNESSES
    }
    kept = {name: part for name, part in parts.items() if part}
    return [summarised(part, name, rng) for name, part in kept.items()] if len(kept) > 1 else []


def summarised(outcomes: Sequence[Outcome], condition: str, rng: np.random.Generator) -> Summary:
    """Sum up at least one scan of one group; `condition` is what the line is called."""

    def over_patients(statistic: Statistic) -> Estimate:
        return bootstrapped(outcomes, statistic, rng)

    misnamed = [outcome for outcome in outcomes if outcome.misnamed]
    return Summary(
        group=outcomes[0].group,
        condition=condition,
        scans=len(outcomes),
        patients=len({outcome.patient for outcome in outcomes}),
        discs=sum(len(outcome.discs) for outcome in outcomes),
        found=over_patients(lambda of: _share([o.found for o in of], [len(o.discs) for o in of])),
        named=over_patients(lambda of: _share([o.named for o in of], [len(o.discs) for o in of])),
        false=over_patients(lambda of: _share([len(o.false) for o in of], [1] * len(of))),
        centre_mm=over_patients(lambda of: _quantile(_centre_errors(of), 0.5)),
        centre_95_mm=_quantile(_centre_errors(outcomes), 0.95),
        lateral_mm=_quantile(_lateral_errors(outcomes), 0.5),
        corner_mm=over_patients(lambda of: _quantile(_corner_errors(of), 0.5)),
        corner_95_mm=_quantile(_corner_errors(outcomes), 0.95),
        s1_lower_mm=_quantile([error for outcome in outcomes for error in outcome.s1_lower_errors_mm], 0.5),
        confidence=_mean([o.confidence for o in outcomes if o.refusal is None]),
        warned=sum(bool(outcome.warnings) for outcome in outcomes),
        refused=sum(outcome.refusal is not None for outcome in outcomes),
        misnamed=len(misnamed),
        unwarned=sum(not outcome.warnings for outcome in misnamed),
        second_right=sum(outcome.is_second_right for outcome in misnamed),
    )


def _share(parts: Sequence[int], wholes: Sequence[int]) -> float:
    return sum(parts) / sum(wholes) if sum(wholes) else np.nan


def _quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else np.nan


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def _centre_errors(outcomes: Sequence[Outcome]) -> list[float]:
    return [disc.centre_error_mm for outcome in outcomes for disc in outcome.discs if disc.is_found]


def _lateral_errors(outcomes: Sequence[Outcome]) -> list[float]:
    return [disc.lateral_error_mm for outcome in outcomes for disc in outcome.discs if disc.is_found]


def _corner_errors(outcomes: Sequence[Outcome]) -> list[float]:
    return [error for outcome in outcomes for error in outcome.corner_errors_mm]
