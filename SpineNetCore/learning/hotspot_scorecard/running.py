"""Every method on every true positive of every phantom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.learning.hotspot_scorecard.cases import LesionedDisc, group_of, lesioned_discs
from SpineNetCore.learning.hotspot_scorecard.figures import Example, example
from SpineNetCore.learning.hotspot_scorecard.measures import Localisation, alikeness, localisation
from SpineNetCore.learning.hotspot_scorecard.methods import Method
from SpineNetCore.learning.hotspot_scorecard.sanity import alikeness_once_undone
from SpineNetCore.learning.unseen_phantoms import scorecard_phantom
from SpineNetCore.network import GradingNetwork
from SpineNetCore.progress import Count, uncounted

EXAMPLES_PER_TASK = 2

REPEATED = "other seed"


@dataclass(frozen=True)
class Plan:
    """phantoms: so many, from number `first` on. seed: of what the methods draw, and of weights drawn anew.

    checked: phantoms of which one true positive also tells how alike the maps of two seeds are, and how alike a map
    stays while the network's weights are undone: that takes far longer than the maps.
    """

    phantoms: int
    first: int = 0
    tasks: tuple[Task, ...] = tuple(Task)
    checked: int = 8
    seed: int = 0
    device: torch.device | str = "cpu"


@dataclass(frozen=True)
class Reading:
    """One map of one true positive."""

    method: str
    patient: str
    level: str
    task: Task
    localisation: Localisation

    @property
    def group(self) -> str:
        return group_of(self.task)


@dataclass(frozen=True)
class CheckReading:
    """How alike one map is to another of the same true positive.

    check: `REPEATED` for Pearson correlation with the map of another seed; or the name of the last layer undone, for
    rank correlation of the map made with that layer and all above it undone with the map of the trained network.
    """

    method: str
    patient: str
    check: str
    alikeness: float


@dataclass
class Scorecard:
    """All that was measured. examples: the first true positives of each task, not chosen for their looks."""

    readings: list[Reading] = field(default_factory=list)
    checks: list[CheckReading] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)


def measure_phantoms(
    network: GradingNetwork, methods: Sequence[Method], plan: Plan, count: Count = uncounted
) -> Scorecard:
    """Simulate, grade, make every map and measure it, one phantom after the other."""
    card = Scorecard()
    for done in range(plan.phantoms):
        number = plan.first + done
        phantom = scorecard_phantom(number)
        discs = lesioned_discs(phantom, f"phantom {number}", network, plan.tasks, plan.device)
        for place, disc in enumerate(discs):
            maps = measure_disc(card, network, disc, methods, plan.seed)
            if place == 0 and done < plan.checked:
                row = done % len(disc.scores)
                originals = {method: maps[method.title][row] for method in methods}
                check_map(card, network, disc.only(row), originals, plan.seed)
        count(done + 1, plan.phantoms)
    return card


def measure_disc(
    card: Scorecard, network: GradingNetwork, disc: LesionedDisc, methods: Sequence[Method], seed: int
) -> dict[str, FloatArray]:
    """Add to the card what one disc says of every method; returns the maps, (T, 9, 112, 224) by method."""
    maps = {method.title: method.make(network, disc.context, disc.scores, seed) for method in methods}
    for title, made in maps.items():
        for heat, lesion, score in zip(made, disc.lesions, disc.scores, strict=True):
            shown = localisation(heat, lesion, disc.in_scan, score.task)
            card.readings.append(Reading(title, disc.patient, disc.level, score.task, shown))
    shown_yet = Counter(one.task for one in card.examples)
    for row, score in enumerate(disc.scores):
        if shown_yet[score.task] < EXAMPLES_PER_TASK:
            card.examples.append(example(disc, row, {title: made[row] for title, made in maps.items()}))
    return maps


def check_map(
    card: Scorecard, network: GradingNetwork, one: LesionedDisc, methods: Mapping[Method, FloatArray], seed: int
) -> None:
    """Add to the card how well the map of a disc's only true positive repeats, and how it is lost.

    methods: each with the map, (9, 112, 224), that it made of it.
    """
    for method, original in methods.items():
        if method.is_drawn:
            again = method.make(network, one.context, one.scores, seed + 1)[0]
            value = alikeness(original, again, one.in_scan)
            card.checks.append(CheckReading(method.title, one.patient, REPEATED, value))
        if method.is_checked:
            for layer, value in alikeness_once_undone(network, one, method, original, seed):
                card.checks.append(CheckReading(method.title, one.patient, layer, value))
