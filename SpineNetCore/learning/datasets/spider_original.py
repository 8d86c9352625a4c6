"""SPIDER as its archive has it: `images` and `masks` with the same names, and the two tables beside them."""

from __future__ import annotations

import logging
from pathlib import Path

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan, ScanFile, Split
from SpineNetCore.learning.datasets.spider import is_kept_out, reduced_scans
from SpineNetCore.learning.datasets.spider_tables import (
    GRADINGS_FILE,
    PatientLabels,
    Series,
    patient_labels,
    read_series,
    series_name,
)

log = logging.getLogger(__name__)

_KINDS = ("t2", "t2_SPACE")


def spider_scans(folder: Path) -> list[GradedScan]:
    """The graded scans of a SPIDER folder, the original layout told from the reduced copy by what is there."""
    if (folder / "images").is_dir():
        return original_scans(folder)
    if (folder / "t2_midsagittal").is_dir() or (folder / "t2_SPACE").is_dir():
        return reduced_scans(folder)
    raise InputError(
        f"'{folder}' is no SPIDER folder: give one with images, masks and the two tables, or the reduced copy."
    )


def original_scans(folder: Path) -> list[GradedScan]:
    """The graded T2 series of the original layout, in the order of the patients' numbers.

    SPIDER's validation subset, which is reserved, and the kept-out patients are in the test split, the others open, so
    that the patients of the reduced copy are split as there. A series is left out, and said so, where the overview
    counts other discs on its mask than are graded, or where its image is not there.
    """
    labels, all_series = patient_labels(folder), read_series(folder)
    for path in sorted((folder / "images").glob("*_t2*.mha")):
        if path.stem not in all_series:
            log.warning("left out %s: the overview has no row of it", path.stem)
    known = [one for one in all_series.values() if one.kind in _KINDS and one.patient in labels]
    ordered = sorted(known, key=lambda one: (one.patient, one.kind))
    present = [series for series in ordered if _is_usable(series, labels[series.patient], folder)]
    if not present:
        raise InputError(f"'{folder}' holds no images/<patient>_t2.mha that is graded: unpack SPIDER's images there.")
    validation = {series.patient for series in known if series.is_validation}
    return [_graded(series, labels[series.patient], validation, folder) for series in present]


def _is_usable(series: Series, graded: PatientLabels, folder: Path) -> bool:
    name = series_name(series)
    if not _path(folder, "images", series).exists():
        log.warning("left out %s: '%s' does not exist", name, _path(folder, "images", series))
        return False
    if series.discs != graded.rows:
        log.warning("left out %s: %d discs on its mask, %d graded", name, series.discs, graded.rows)
        return False
    return bool(graded.labels)


def _graded(series: Series, graded: PatientLabels, validation: set[int], folder: Path) -> GradedScan:
    mask = _path(folder, "masks", series)
    if not mask.exists():
        raise InputError(f"'{mask}' does not exist: put a mask of the same name beside every image.")
    is_reserved = series.patient in validation
    split = Split.TEST if is_reserved or is_kept_out(series.patient) else None
    image = ScanFile(_path(folder, "images", series), mask)
    return GradedScan(str(series.patient), folder / GRADINGS_FILE, image, graded.labels, split, is_reserved)


def _path(folder: Path, part: str, series: Series) -> Path:
    return folder / part / f"{series_name(series)}.mha"
