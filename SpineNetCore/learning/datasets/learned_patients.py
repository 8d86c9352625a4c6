"""Whom a grader has learned from: written into its file, so that nobody measures it on them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan, Split
from SpineNetCore.learning.datasets.scan_digests import contents_digest

_SPLITS, _SWAPPED, _PATIENTS, _SCANS = "splits", "validation and test exchanged", "patients", "scans"


@dataclass(frozen=True)
class LearnedPatients:
    """is_swapped: whether validation and test patients were exchanged.

    Of whom the grader learned from it keeps digests, which say nothing of who they are; none where a file does not
    tell. names: of each patient's table and name there. scans: of the bytes of their scans' files, whatever table has
    them.
    """

    is_swapped: bool = False
    names: frozenset[str] = frozenset()
    scans: frozenset[str] = frozenset()

    @staticmethod
    def of(scans: Iterable[GradedScan], is_swapped: bool) -> LearnedPatients:
        """The training patients among scans; is_swapped: whether the scans' splits are."""
        learned = [scan for scan in scans if scan.split is Split.TRAIN]
        return LearnedPatients(is_swapped, frozenset(map(_name_digest, learned)), frozenset(map(_scan_digest, learned)))

    @staticmethod
    def from_note(note: Mapping[str, object]) -> LearnedPatients:
        """Undo `note`."""
        names, scans = (note.get(key) for key in (_PATIENTS, _SCANS))
        return LearnedPatients(note.get(_SPLITS) == _SWAPPED, _texts(names), _texts(scans))

    def and_those(self, earlier: LearnedPatients) -> LearnedPatients:
        """With whom the grader learned from before it was trained further."""
        return LearnedPatients(self.is_swapped, self.names | earlier.names, self.scans | earlier.scans)

    def have(self, scan: GradedScan) -> bool:
        """Whether a scan is of one of them."""
        return self._have_name_of(scan) or self._have_voxels_of(scan)

    def _have_name_of(self, scan: GradedScan) -> bool:
        return _name_digest(scan) in self.names

    def _have_voxels_of(self, scan: GradedScan) -> bool:
        return bool(self.scans) and _scan_digest(scan) in self.scans

    @property
    def note(self) -> dict[str, object]:
        """What a model's note says of them."""
        splits: dict[str, object] = {_SPLITS: _SWAPPED} if self.is_swapped else {}
        return splits | {_PATIENTS: sorted(self.names), _SCANS: sorted(self.scans)}

    def check_unseen(self, scans: Iterable[GradedScan]) -> None:
        """Raise InputError where one of the scans is a patient's that the grader learned from."""
        for scan in scans:
            if self._have_name_of(scan):
                raise InputError(
                    f"The grader has learned from patient '{scan.patient}' of '{scan.source}', so that nothing can be "
                    "measured on this patient: give those patients of the table that training had the split 'train', "
                    "or train again. Where it is another patient, call the table otherwise."
                )
            if self._have_voxels_of(scan):
                raise InputError(
                    f"The grader has learned from the scan '{scan.image.path}', so that nothing can be measured on "
                    f"patient '{scan.patient}' of '{scan.source}': give this patient the split 'train'."
                )


def _texts(entries: object) -> frozenset[str]:
    return frozenset(str(one) for one in entries) if isinstance(entries, list) else frozenset()


def _name_digest(scan: GradedScan) -> str:
    return hashlib.sha256(f"{scan.source.name} {scan.patient}".encode()).hexdigest()[:12]


def _scan_digest(scan: GradedScan) -> str:
    return contents_digest([scan.image.path])[:12]
