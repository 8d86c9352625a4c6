"""Whose discs are graded: patients that no training has seen, and phantoms from seeds of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.learning.datasets.graded_scans import GradedScan, Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.datasets.spider_tables import GRADINGS_FILE
from SpineNetCore.learning.datasets.splits import exchanged
from SpineNetCore.learning.disc_examples import (
    DiscExample,
    LabelledDisc,
    cut_discs,
    found_phantom_examples,
    labelled,
    prepared_examples,
)
from SpineNetCore.learning.grading.running import Job, ScanDiscs
from SpineNetCore.learning.implants import implanted_discs
from SpineNetCore.learning.unseen_phantoms import unseen_phantom
from SpineNetCore.vertebra_network import VertebraNetwork

SPIDER, PHANTOMS = "SPIDER", "Phantoms"
WITH_IMPLANTS = "lesions drawn into discs called normal"


@dataclass(frozen=True)
class Sources:
    """scans: with their splits. phantoms: how many of each split.

    cut: a folder that keeps discs once they are cut from scans, None for none. learned: whom the grader learned from;
    where validation and test were exchanged then, each takes the other's place. implants: how many times the discs of
    scans are also graded with lesions drawn into them.
    """

    scans: Sequence[GradedScan]
    phantoms: int
    detector: VertebraNetwork
    cut: Path | None = None
    learned: LearnedPatients = field(default_factory=LearnedPatients)
    implants: int = 0

    def jobs(self, split: Split) -> list[Job]:
        """What there is to grade of a split, source by source; raises InputError for a patient learned from."""
        drawn_as = exchanged(split) if self.learned.is_swapped else split
        chosen = [scan for scan in self.scans if scan.split is drawn_as]
        self.learned.check_unseen(chosen)
        jobs = [
            Job(_group(scan), split, _name(scan), partial(_of_scan, scan, self.detector, self.cut)) for scan in chosen
        ]
        for seed, scan in enumerate(chosen if self.implants else (), start=1):
            load = partial(_of_implants, scan, self.detector, self.cut, self.implants, seed)
            jobs.append(Job(f"{_group(scan)}, {WITH_IMPLANTS}", split, _name(scan), load))
        for number in range(self.phantoms):
            name = f"{drawn_as.value} phantom {number}"
            jobs.append(Job(PHANTOMS, split, name, partial(_of_phantom, number, drawn_as, name, self.detector)))
        return jobs


def _group(scan: GradedScan) -> str:
    return SPIDER if scan.source.name == GRADINGS_FILE else str(scan.source)


def _name(scan: GradedScan) -> str:
    """The scan's path from its table's folder, or else the whole of it."""
    path, folder = scan.image.path.resolve(), scan.source.parent.resolve()
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def _of_scan(scan: GradedScan, detector: VertebraNetwork, cut: Path | None) -> ScanDiscs:
    return _found((example for _, example in _cut_out(scan, detector, cut)), scan.labels)


def _of_implants(scan: GradedScan, detector: VertebraNetwork, cut: Path | None, variants: int, seed: int) -> ScanDiscs:
    """Seeds from 1 on: training draws by 0."""
    drawn = implanted_discs(_cut_out(scan, detector, cut), variants, seed)
    return ScanDiscs([one.tested for one in drawn], missed=())


def _cut_out(scan: GradedScan, detector: VertebraNetwork, cut: Path | None) -> Iterator[LabelledDisc]:
    if cut is None:
        return labelled(scan, cut_discs(scan, detector))
    return prepared_examples([scan], detector, cut)


def _of_phantom(number: int, split: Split, name: str, detector: VertebraNetwork) -> ScanDiscs:
    phantom = unseen_phantom(number, split)
    graded = [disc.level for disc in phantom.discs if disc.level in DISC_LEVELS]
    return _found(found_phantom_examples(phantom, name, detector), graded)


def _found(examples: Iterable[DiscExample], graded: Iterable[str]) -> ScanDiscs:
    """graded: levels of all discs of the scan that have a label."""
    found = list(examples)
    levels = {example.level for example in found}
    return ScanDiscs(found, tuple(level for level in graded if level not in levels))
