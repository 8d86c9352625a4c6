"""All data sets of one training together, every patient in one split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan
from SpineNetCore.learning.datasets.manifest import manifest_scans
from SpineNetCore.learning.datasets.spider_original import spider_scans
from SpineNetCore.learning.datasets.splits import with_splits


def read_sources(spider: Path | None, manifests: Sequence[Path]) -> list[GradedScan]:
    """The graded scans of a SPIDER folder, in either layout, and of manifests, with their splits.

    Raises InputError where there is neither, where a table is at fault, where a patient or a file is in two splits, or
    where two tables grade the same disc.
    """
    if spider is None and not manifests:
        raise InputError(
            "There is nothing to learn from: give --spider with a folder, --manifest with a table, or both."
        )
    scans = [] if spider is None else spider_scans(spider)
    for manifest in manifests:
        scans += manifest_scans(manifest)
    split = with_splits(scans)
    _check_files(split)
    return split


def _check_files(scans: Sequence[GradedScan]) -> None:
    """One file under two patients' names would be learned from and tested on; graded twice, a disc counts twice."""
    by_file: dict[Path, list[GradedScan]] = {}
    for scan in scans:
        others = by_file.setdefault(scan.image.path.resolve(), [])
        for earlier in others:
            _check_pair(earlier, scan)
        others.append(scan)


def _check_pair(earlier: GradedScan, scan: GradedScan) -> None:
    if earlier.patient != scan.patient:
        raise InputError(
            f"'{scan.image.path}' shows patient '{scan.patient}' by '{scan.source}' and patient '{earlier.patient}' by "
            f"'{earlier.source}': give it one name in both."
        )
    twice = sorted(scan.labels.keys() & earlier.labels.keys())
    if twice:
        raise InputError(
            f"{twice[0]} of '{scan.image.path}' is graded by '{earlier.source}' and by '{scan.source}': keep one of "
            "the two rows, with several grades joined by '|'."
        )
