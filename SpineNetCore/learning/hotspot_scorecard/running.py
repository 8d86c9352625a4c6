"""Every method on every true positive of every phantom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.learning.hotspot_scorecard.cases import LesionedDisc, group_of, lesioned_discs, scorecard_phantom
from SpineNetCore.learning.hotspot_scorecard.figures import Example, example
from SpineNetCore.learning.hotspot_scorecard.measures import Localisation, alikeness, localisation
from SpineNetCore.learning.hotspot_scorecard.methods import Method
from SpineNetCore.learning.hotspot_scorecard.sanity import alikeness_once_undone
from SpineNetCore.network import GradingNetwork
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.views import FixedView

EXAMPLES_PER_TASK = 2


@dataclass(frozen=True)
class Plan:
    """phantoms: so many, from number `first` on. seed: of what the methods draw, and of weights drawn anew.

    checked: phantoms of which one disc, the first with a true positive of a binary task, also tells how alike the maps
    of two seeds are, and how alike a map stays while the network's weights are undone; both take far longer than maps.
    """

    phantoms: int
    first: int = 0
    checked: int = 8
    seed: int = 0
    device: torch.device | str = "cpu"


@dataclass(frozen=True)
class Reading:
    """One map of one true positive. repeatability: alikeness of the maps of two seeds; NaN where it was not asked."""

    method: str
    patient: str
    level: str
    task: Task
    localisation: Localisation
    repeatability: float = np.nan

    @property
    def group(self) -> str:
        return group_of(self.task)


@dataclass(frozen=True)
class SanityReading:
    """How alike one map is to its original once `layer` and all above it are undone."""

    method: str
    patient: str
    layer: str
    alikeness: float


@dataclass
class Scorecard:
    """All that was measured. examples: the first true positives of each task, not chosen for their looks."""

    readings: list[Reading] = field(default_factory=list)
    sanity: list[SanityReading] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)


def measure_phantoms(
    network: GradingNetwork, methods: Sequence[Method], plan: Plan, count: Count = uncounted
) -> Scorecard:
    """Simulate, grade, make every map and measure it, one phantom after the other."""
    card = Scorecard()
    for done in range(plan.phantoms):
        number = plan.first + done
        phantom = scorecard_phantom(number)
        discs = list(lesioned_discs(phantom, f"phantom {number}", network, plan.device))
        to_check = _to_check(discs) if done < plan.checked else None
        for disc in discs:
            measure_disc(card, network, disc, methods, plan.seed, is_checked=disc is to_check)
        count(done + 1, plan.phantoms)
    return card


def measure_disc(
    card: Scorecard,
    network: GradingNetwork,
    disc: LesionedDisc,
    methods: Sequence[Method],
    seed: int,
    *,
    is_checked: bool,
) -> None:
    """Add to the card what one disc says of every method."""
    maps = {method.title: method.make(network, disc.context, disc.scores, seed) for method in methods}
    for method in methods:
        repeats = None
        if is_checked and method.is_drawn:
            repeats = method.make(network, disc.context, disc.scores, seed + 1)
        card.readings += _readings(disc, method, maps[method.title], repeats)
        if is_checked and method.is_checked:
            for layer, values in alikeness_once_undone(network, disc, method, maps[method.title], seed):
                card.sanity += [SanityReading(method.title, disc.patient, layer, value) for value in values]
    shown = Counter(one.task for one in card.examples)
    for row, score in enumerate(disc.scores):
        if shown[score.task] < EXAMPLES_PER_TASK:
            card.examples.append(example(disc, row, {title: made[row] for title, made in maps.items()}))


def _to_check(discs: Iterable[LesionedDisc]) -> LesionedDisc | None:
    return next((disc for disc in discs if any(score.task.is_binary for score in disc.scores)), None)


def _readings(disc: LesionedDisc, method: Method, maps: FloatArray, repeats: FloatArray | None) -> list[Reading]:
    in_scan = FixedView().cut(torch.from_numpy(disc.context)).amax(dim=(1, 2)).numpy() > 0
    readings = []
    for row, score in enumerate(disc.scores):
        repeated = np.nan if repeats is None else alikeness(maps[row], repeats[row], in_scan)
        shown = localisation(maps[row], disc.lesions[row], in_scan, score.task)
        readings.append(Reading(method.title, disc.patient, disc.level, score.task, shown, repeated))
    return readings
