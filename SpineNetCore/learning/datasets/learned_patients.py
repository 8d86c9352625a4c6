"""Whom a grader has learned from: written into its file, so that nobody measures it on them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan, Split

_SPLITS, _SWAPPED, _PATIENTS = "splits", "validation and test exchanged", "patients"


@dataclass(frozen=True)
class LearnedPatients:
    """is_swapped: whether validation and test patients were exchanged. digests: of table and name of each patient that
    the grader learned from, which say nothing of who it is; none where a file does not tell.
    """

    is_swapped: bool = False
    digests: frozenset[str] = frozenset()

    @staticmethod
    def of(scans: Iterable[GradedScan], is_swapped: bool) -> LearnedPatients:
        """The training patients among scans; is_swapped: whether the scans' splits are."""
        return LearnedPatients(is_swapped, frozenset(_digest(scan) for scan in scans if scan.split is Split.TRAIN))

    @staticmethod
    def from_note(note: Mapping[str, object]) -> LearnedPatients:
        """Undo `note`."""
        digests = note.get(_PATIENTS)
        known = frozenset(str(one) for one in digests) if isinstance(digests, list) else frozenset()
        return LearnedPatients(note.get(_SPLITS) == _SWAPPED, known)

    def and_those(self, earlier: LearnedPatients) -> LearnedPatients:
        """With whom the grader learned from before it was trained further."""
        return LearnedPatients(self.is_swapped, self.digests | earlier.digests)

    @property
    def note(self) -> dict[str, object]:
        """What a model's note says of them."""
        splits: dict[str, object] = {_SPLITS: _SWAPPED} if self.is_swapped else {}
        return splits | {_PATIENTS: sorted(self.digests)}

    def check_unseen(self, scans: Iterable[GradedScan]) -> None:
        """Raise InputError where one of the scans is a patient's that the grader learned from."""
        seen = next((scan for scan in scans if _digest(scan) in self.digests), None)
        if seen is not None:
            raise InputError(
                f"The grader has learned from patient '{seen.patient}' of '{seen.source}', so that nothing can be "
                "measured on this patient: give those patients of the table that training had the split 'train', "
                "or train again."
            )


def _digest(scan: GradedScan) -> str:
    return hashlib.sha256(f"{scan.source.name} {scan.patient}".encode()).hexdigest()[:12]
