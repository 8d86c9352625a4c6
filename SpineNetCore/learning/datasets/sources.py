"""All data sets of one training together, every patient in one split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan
from SpineNetCore.learning.datasets.manifest import manifest_scans
from SpineNetCore.learning.datasets.spider_original import spider_scans
from SpineNetCore.learning.datasets.splits import with_splits


def read_sources(spider: Path | None, manifests: Sequence[Path], seed: int = 0) -> list[GradedScan]:
    """The graded scans of a SPIDER folder, in either layout, and of manifests, with the splits that the seed draws.

    Raises InputError where there is neither, where a table is at fault, or where a patient or a file is in two splits.
    """
    if spider is None and not manifests:
        raise InputError(
            "There is nothing to learn from: give --spider with a folder, --manifest with a table, or both."
        )
    scans = [] if spider is None else spider_scans(spider)
    for manifest in manifests:
        scans += manifest_scans(manifest)
    split = with_splits(scans, seed)
    _check_files(split)
    return split


def _check_files(scans: Sequence[GradedScan]) -> None:
    """One file under two patients' names would be learned from and tested on."""
    first: dict[Path, GradedScan] = {}
    for scan in scans:
        earlier = first.setdefault(scan.image.path.resolve(), scan)
        if earlier.patient != scan.patient:
            raise InputError(
                f"'{scan.image.path}' shows patient '{scan.patient}' by '{scan.source}' and patient "
                f"'{earlier.patient}' by '{earlier.source}': give it one name in both."
            )
