"""Many maps in one line: means with intervals over phantoms or patients, and how far ours are ahead."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.bootstrap import Estimate, bootstrapped
from SpineNetCore.learning.hotspot_scorecard.methods import OURS
from SpineNetCore.learning.hotspot_scorecard.running import CheckReading, Reading

_TASK_PLACES = {task: place for place, task in enumerate(Task)}


@dataclass(frozen=True)
class Measure:
    """title: of its column. of: its value for one map, NaN where it has none.

    needs_voxels: it says nothing where only the lesion's surroundings are known.
    """

    title: str
    of: Callable[[Reading], float]
    needs_voxels: bool = False

    def is_known(self, knows_lesions: bool) -> bool:
        """Whether it says anything; knows_lesions: as of phantoms."""
        return knows_lesions or not self.needs_voxels


MEASURES = (
    Measure("pointing", lambda r: r.localisation.points),
    Measure("in plane", lambda r: r.localisation.points_in_plane),
    Measure("energy ratio", lambda r: r.localisation.energy_ratio),
    Measure("IoU", lambda r: r.localisation.iou, needs_voxels=True),
    Measure("AUPRC", lambda r: r.localisation.precision, needs_voxels=True),
    Measure("right half", lambda r: r.localisation.side),
    Measure("points right", lambda r: r.localisation.points_to_side),
    Measure("fall", lambda r: r.fall),
)


@dataclass(frozen=True)
class Line:
    """One method on one group of tasks: how many true positives, and a mean per measure of `MEASURES`."""

    group: str
    method: str
    maps: int
    figures: tuple[Estimate, ...]


@dataclass(frozen=True)
class Lead:
    """How far our maps, of the most views, are ahead of the best other method, per measure of `MEASURES`.

    others: that method's title for each measure. figures: mean difference on the same true positives.
    """

    group: str
    others: tuple[str, ...]
    figures: tuple[Estimate, ...]


@dataclass(frozen=True)
class CheckLine:
    """One method: mean alikeness per check of `CheckReading`, by the check's name."""

    method: str
    figures: dict[str, Estimate]


def lines_of(readings: Sequence[Reading], rng: np.random.Generator) -> list[Line]:
    """A line per group and method, both in the order of tasks and methods met."""
    lines = []
    for group in _groups(readings):
        for method in _methods(readings):
            of_line = [r for r in readings if r.group == group and r.method == method]
            figures = tuple(bootstrapped(of_line, _mean_of(measure.of), rng) for measure in MEASURES)
            lines.append(Line(group, method, len(of_line), figures))
    return lines


def leads_of(readings: Sequence[Reading], rng: np.random.Generator) -> list[Lead]:
    """A line per group; none unless ours and another method were measured."""
    ours = [method for method in _methods(readings) if method.startswith(OURS)]
    others = [method for method in _methods(readings) if method not in ours]
    if not ours or not others:
        return []
    return [_lead([r for r in readings if r.group == group], ours[-1], others, rng) for group in _groups(readings)]


def check_lines_of(readings: Sequence[CheckReading], rng: np.random.Generator) -> list[CheckLine]:
    """A line per method, in the order met."""
    lines = []
    for method in dict.fromkeys(r.method for r in readings):
        of_checks: dict[str, list[CheckReading]] = {}
        for reading in readings:
            if reading.method == method:
                of_checks.setdefault(reading.check, []).append(reading)
        figures = {check: bootstrapped(part, _mean_alikeness, rng) for check, part in of_checks.items()}
        lines.append(CheckLine(method, figures))
    return lines


@dataclass(frozen=True)
class _Difference:
    patient: str
    value: float


def _lead(readings: Sequence[Reading], ours: str, others: Sequence[str], rng: np.random.Generator) -> Lead:
    best, figures = [], []
    for measure in MEASURES:
        own = [r for r in readings if r.method == ours]
        by_method = {method: [r for r in readings if r.method == method] for method in others}
        rival = max(others, key=lambda method: np.nan_to_num(_mean_of(measure.of)(by_method[method]), nan=-np.inf))
        pairs = zip(own, by_method[rival], strict=True)
        differences = [_Difference(o.patient, measure.of(o) - measure.of(r)) for o, r in pairs]
        best.append(rival)
        figures.append(bootstrapped(differences, _mean_difference, rng))
    return Lead(readings[0].group, tuple(best), tuple(figures))


def _groups(readings: Sequence[Reading]) -> list[str]:
    ordered = sorted(readings, key=lambda r: (not r.task.is_binary, _TASK_PLACES[r.task]))
    return list(dict.fromkeys(r.group for r in ordered))


def _methods(readings: Sequence[Reading]) -> list[str]:
    return list(dict.fromkeys(r.method for r in readings))


def _mean_of(of: Callable[[Reading], float]) -> Callable[[Sequence[Reading]], float]:
    return lambda readings: _mean([of(reading) for reading in readings])


def _mean_alikeness(readings: Sequence[CheckReading]) -> float:
    return _mean([reading.alikeness for reading in readings])


def _mean_difference(differences: Sequence[_Difference]) -> float:
    return _mean([difference.value for difference in differences])


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
