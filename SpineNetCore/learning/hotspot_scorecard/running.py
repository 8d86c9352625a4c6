"""Every method on every true positive of every scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.learning.hotspot_scorecard.cases import LesionedDisc, group_of
from SpineNetCore.learning.hotspot_scorecard.erasing import falls
from SpineNetCore.learning.hotspot_scorecard.figures import Example, example
from SpineNetCore.learning.hotspot_scorecard.measures import Localisation, alikeness, localisation
from SpineNetCore.learning.hotspot_scorecard.methods import Method
from SpineNetCore.learning.hotspot_scorecard.sanity import alikeness_once_undone
from SpineNetCore.network import GradingNetwork
from SpineNetCore.progress import Count, uncounted

EXAMPLES_PER_TASK = 2

REPEATED = "other seed"


LesionedScan = Callable[[], Iterable[LesionedDisc]]
"""Reads or simulates a scan, grades it, and gives its discs with a true positive."""


@dataclass(frozen=True)
class Plan:
    """What is done with every true positive. seed: of what the methods draw, and of weights drawn anew.

    checked: scans of which one true positive also tells how alike the maps of two seeds are, and how alike a map
    stays while the network's weights are undone: that takes far longer than the maps.
    """

    methods: Sequence[Method]
    checked: int = 8
    seed: int = 0


@dataclass(frozen=True)
class Reading:
    """One map of one true positive. fall: see `falls`."""

    method: str
    patient: str
    level: str
    task: Task
    localisation: Localisation
    fall: float

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


def measure_scans(
    scans: Sequence[LesionedScan], network: GradingNetwork, plan: Plan, count: Count = uncounted
) -> Scorecard:
    """Make every map and measure it, one scan after the other."""
    card = Scorecard()
    for done, discs_of in enumerate(scans):
        for place, disc in enumerate(discs_of()):
            maps = measure_disc(card, network, disc, plan.methods, plan.seed)
            if place == 0 and done < plan.checked:
                row = done % len(disc.scores)
                originals = {method: maps[method.title][row] for method in plan.methods}
                check_map(card, network, disc.only(row), originals, plan.seed)
        count(done + 1, len(scans))
    return card


def measure_disc(
    card: Scorecard, network: GradingNetwork, disc: LesionedDisc, methods: Sequence[Method], seed: int
) -> dict[str, FloatArray]:
    """Add to the card what one disc says of every method; returns the maps, (T, 9, 112, 224) by method."""
    maps = {method.title: method.make(network, disc.context, disc.scores, seed) for method in methods}
    for title, made in maps.items():
        rows = zip(made, disc.lesions, disc.scores, falls(network, disc, made), strict=True)
        for heat, lesion, score, fall in rows:
            shown = localisation(heat, lesion, disc.in_scan, score.task)
            card.readings.append(Reading(title, disc.patient, disc.level, score.task, shown, fall))
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
