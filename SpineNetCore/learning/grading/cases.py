"""Whose discs are graded: patients that no training has seen, and phantoms from seeds of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from SpineNetCore.learning.datasets.graded_scans import GradedScan, Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.datasets.spider_tables import GRADINGS_FILE
from SpineNetCore.learning.datasets.splits import exchanged
from SpineNetCore.learning.disc_examples import (
    DiscExample,
    cut_discs,
    found_phantom_examples,
    labelled,
    prepared_examples,
)
from SpineNetCore.learning.grading.running import Job
from SpineNetCore.learning.unseen_phantoms import unseen_phantom
from SpineNetCore.vertebra_network import VertebraNetwork

SPIDER, PHANTOMS = "SPIDER", "Phantoms"


@dataclass(frozen=True)
class Sources:
    """scans: with their splits. phantoms: how many of each split.

    cut: a folder that keeps discs once they are cut from scans, None for none. learned: whom the grader learned from;
    where validation and test were exchanged then, each takes the other's place.
    """

    scans: Sequence[GradedScan]
    phantoms: int
    detector: VertebraNetwork
    cut: Path | None = None
    learned: LearnedPatients = field(default_factory=LearnedPatients)

    def jobs(self, split: Split) -> list[Job]:
        """What there is to grade of a split, source by source; raises InputError for a patient learned from."""
        drawn_as = exchanged(split) if self.learned.is_swapped else split
        chosen = [scan for scan in self.scans if scan.split is drawn_as]
        self.learned.check_unseen(chosen)
        jobs = [
            Job(_group(scan), split, _name(scan), partial(_of_scan, scan, self.detector, self.cut)) for scan in chosen
        ]
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


def _of_scan(scan: GradedScan, detector: VertebraNetwork, cut: Path | None) -> list[DiscExample]:
    if cut is None:
        return list(labelled(scan, cut_discs(scan, detector)))
    return list(prepared_examples([scan], detector, cut))


def _of_phantom(number: int, split: Split, name: str, detector: VertebraNetwork) -> list[DiscExample]:
    return list(found_phantom_examples(unseen_phantom(number, split), name, detector))
