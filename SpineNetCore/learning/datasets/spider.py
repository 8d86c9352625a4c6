"""SPIDER: the reduced copy (T2-SPACE slabs with masks, mid-sagittal T2 pictures), and whose grades are kept out.

SPIDER, CC BY 4.0: van der Graaf et al., Scientific Data 2024, doi 10.1038/s41597-024-03090-w.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.errors import InputError
from SpineNetCore.file_names import check_file_name
from SpineNetCore.learning.datasets.graded_scans import GradedScan, PictureFile, ScanFile, Split
from SpineNetCore.learning.datasets.masks import read_mask
from SpineNetCore.learning.datasets.spider_places import Place, lowest_disc
from SpineNetCore.learning.datasets.spider_tables import (
    GRADINGS_FILE,
    PatientLabels,
    Series,
    patient_labels,
    read_series,
)
from SpineNetCore.scan import Scan
from SpineNetCore.scan_files import read_scan

LICENCE = "SPIDER, CC BY 4.0, van der Graaf et al. 2024, doi 10.5281/zenodo.10159290"
"""What a model that learned from it says of its data."""

KEPT_OUT_SLABS = (18, 50, 110, 146, 191, 220)
"""Six patients with slabs whose grades no training sees; chosen once, evenly over the list, before any training."""

SAMPLE_PATIENT = 110
"""The bundled sample is this patient's slab: no bundled model has learned from it."""

FOLDS = 5

MASK_VERTEBRA, MASK_DISC, MASK_CANAL = 1, 2, 3


@dataclass(frozen=True)
class Slab:
    """A T2-SPACE slab; mask: uint8 [slice, row, column] on the scan's voxels with the `MASK_...` values."""

    patient: int
    scan: Scan
    mask: NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """A near-mid-sagittal T2 slice.

    pixels: uint8 [row, column], square pixels of spacing_mm. lowest_disc: (row, column)
    of L5-S1, as a reader has seen it; None where none has.
    """

    patient: int
    pixels: NDArray[np.uint8]
    spacing_mm: float
    lowest_disc: Place | None = None

    @property
    def scan(self) -> Scan:
        """The picture as a scan of one slice, 4 mm thick."""
        return one_slice_scan(self.pixels.astype(np.float32), self.spacing_mm, f"patient {self.patient}")


def is_kept_out(patient: int) -> bool:
    """Whether a patient's grades are for testing only: those of the six, and of one in eight of the others."""
    return patient in KEPT_OUT_SLABS or patient % 8 == 4


def fold_of(patient: int, folds: int = FOLDS) -> int:
    """The fold, from 0, in which a patient is for testing and in no other: the remainder of the number."""
    return patient % folds


def check_reduced(folder: Path) -> None:
    """Raise InputError where a folder has no slabs, pictures or overview table, before any of them is read."""
    slab_patients(folder)
    disc_counts(folder)
    _picture_paths(folder)


def slabs(folder: Path) -> Iterator[Slab]:
    """Every slab with its mask, in the order of the patients' numbers."""
    return (slab(folder, patient) for patient in slab_patients(folder))


def slab_patients(folder: Path) -> tuple[int, ...]:
    """Numbers of the patients with a slab in the folder, rising."""
    return tuple(patient_number(path) for path in _slab_paths(folder))


def slab(folder: Path, patient: int) -> Slab:
    """The slab of a patient that has one, with its mask."""
    path = next(path for path in _slab_paths(folder) if patient_number(path) == patient)
    scan = read_scan(path)
    return Slab(patient, scan, read_mask(_mask_path(path), scan).astype(np.uint8))


def pictures(folder: Path) -> Iterator[Picture]:
    """Every mid-sagittal picture, in the order of the patients' numbers."""
    series = read_series(folder)
    for path in _picture_paths(folder):
        yield read_picture_file(path, _t2_of(path, series).spacing_mm)


def read_picture_file(path: Path, spacing_mm: float) -> Picture:
    """One picture; raises InputError where its file is broken."""
    check_file_name(path.resolve())
    try:
        pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    except RuntimeError as error:
        raise InputError(f"'{path}' cannot be read as a picture: copy it again.") from error
    patient = patient_number(path)
    return Picture(patient, pixels.astype(np.uint8), spacing_mm, lowest_disc(patient, pixels.shape))


def reduced_scans(folder: Path) -> list[GradedScan]:
    """The graded pictures and slabs of the reduced copy; kept-out patients are in the test split, the others open."""
    labels, series = patient_labels(folder), read_series(folder)
    images: list[PictureFile | ScanFile] = []
    for path in _picture_paths(folder):
        t2 = _t2_of(path, series)
        images.append(PictureFile(path, t2.spacing_mm, t2.discs))
    images += [ScanFile(path) for path in _slab_paths(folder)]
    return [scan for image in images if (scan := _graded(image, folder, labels)) is not None]


def one_slice_scan(pixels: FloatArray, spacing_mm: float, name: str) -> Scan:
    """A [row, column] picture as a sagittal scan of one slice."""
    ras_from_ijk = np.array(
        [[-4.0, 0, 0, 0], [0, 0, -spacing_mm, 0], [0, -spacing_mm, 0, 0], [0, 0, 0, 1.0]], dtype=np.float64
    )
    return Scan(pixels[None], ras_from_ijk, name)


def disc_counts(folder: Path) -> dict[int, int]:
    """Number of discs in view of each patient's T2 series, as the overview table has it."""
    return {series.patient: series.discs for series in read_series(folder).values() if series.kind == "t2"}


def patient_number(path: Path) -> int:
    """The patient that a file of SPIDER is named after; raises InputError where it is not."""
    number = path.name.split("_")[0]
    if not number.isdecimal():
        raise InputError(f"'{path}' does not begin with a patient's number: name it as SPIDER does, such as 12_t2.")
    return int(number)


def _slab_paths(folder: Path) -> list[Path]:
    return _existing(folder, "t2_SPACE", "*_SPACE.nii.gz")


def _picture_paths(folder: Path) -> list[Path]:
    return _existing(folder, "t2_midsagittal", "*_t2.png")


def _existing(folder: Path, part: str, pattern: str) -> list[Path]:
    paths = sorted((folder / part).glob(pattern), key=patient_number)
    if not paths:
        raise InputError(f"'{folder}' holds no {part}/{pattern}: give the folder of the reduced SPIDER copy.")
    return paths


def _mask_path(scan_path: Path) -> Path:
    path = scan_path.with_name(scan_path.name.replace(".nii.gz", "_seg.nii.gz"))
    if not path.exists():
        raise InputError(f"'{path}' does not exist: put every slab's mask beside it.")
    return path


def _t2_of(path: Path, series: dict[str, Series]) -> Series:
    name = f"{patient_number(path)}_t2"
    if name not in series:
        raise InputError(f"'{path}' has no row '{name}' in the overview table: add it or remove the picture.")
    return series[name]


def _graded(image: PictureFile | ScanFile, folder: Path, labels: dict[int, PatientLabels]) -> GradedScan | None:
    patient = patient_number(image.path)
    if patient not in labels or not labels[patient].labels:
        return None
    split = Split.TEST if is_kept_out(patient) else None
    return GradedScan(str(patient), folder / GRADINGS_FILE, image, labels[patient].labels, split)
