"""Who is learned from, who is watched meanwhile, and who is kept for the end: by patient, fixed by a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan, Split


def with_splits(scans: Sequence[GradedScan], seed: int = 0) -> list[GradedScan]:
    """Give every scan its patient's split, the patients of each source 80:10:10 (section 5), drawn by the seed.

    A split that a source gives stays, and counts towards the tenths, unless its patient is reserved. Scans come source
    by source; a patient's name means the same person in all of them. Raises InputError for a patient that two sources
    put into two splits.
    """
    chosen = _given(scans)
    for _, of_source in groupby(scans, key=lambda scan: scan.source):
        patients = {scan.patient for scan in of_source if not scan.is_reserved}
        chosen |= _drawn(patients, chosen, seed)
    return [replace(scan, split=chosen[scan.patient]) for scan in scans]


def swapped(scans: Sequence[GradedScan]) -> list[GradedScan]:
    """The same scans with validation and test patients exchanged, for the second of two models (section 5)."""
    return [replace(scan, split=scan.split and exchanged(scan.split)) for scan in scans]


def exchanged(split: Split) -> Split:
    """Validation for test and the reverse; training stays."""
    return {Split.VALIDATION: Split.TEST, Split.TEST: Split.VALIDATION}.get(split, split)


def _given(scans: Sequence[GradedScan]) -> dict[str, Split]:
    first: dict[str, GradedScan] = {}
    for scan in scans:
        if scan.split is not None and first.setdefault(scan.patient, scan).split is not scan.split:
            earlier = first[scan.patient]
            assert earlier.split is not None
            raise InputError(
                f"Patient '{scan.patient}' is in '{earlier.split.value}' by '{earlier.source}' and in "
                f"'{scan.split.value}' by '{scan.source}': put every patient into one split, and give two different "
                "patients two names."
            )
    return {patient: scan.split for patient, scan in first.items() if scan.split is not None}


def _drawn(patients: set[str], chosen: dict[str, Split], seed: int) -> dict[str, Split]:
    """Splits of those patients that have none; their order depends on the seed and their own names alone."""
    tenth = max(round(len(patients) / 10), int(len(patients) >= 3))
    given = [chosen[patient] for patient in patients if patient in chosen]
    rest = sorted(patients - set(chosen), key=lambda patient: hashlib.sha256(f"{seed} {patient}".encode()).digest())
    splits = []
    for split in (Split.TEST, Split.VALIDATION):
        splits += [split] * max(tenth - given.count(split), 0)
    splits += [Split.TRAIN] * len(rest)
    return dict(zip(rest, splits, strict=False))
