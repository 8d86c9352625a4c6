"""The reduced copy of SPIDER: T2-SPACE slabs with masks, mid-sagittal T2 pictures, and two tables.

SPIDER, CC BY 4.0: van der Graaf et al., Scientific Data 2024, doi 10.1038/s41597-024-03090-w.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from SpineNetCore.anatomy import DISC_LEVELS, FloatArray, Task
from SpineNetCore.errors import InputError
from SpineNetCore.scan import Scan
from SpineNetCore.scan_files import read_scan

KEPT_OUT_SLABS = (18, 50, 110, 146, 191, 220)
"""The six patients whose slabs no training sees; chosen once, evenly over the list, before anything was trained."""

SAMPLE_PATIENT = 110
"""The bundled sample is this patient's slab: no training ever sees it."""

FOLDS = 5

UNCLEAR_PATIENTS = frozenset({35, 55, 57, 64, 98, 107, 118, 152})
"""Mask and grade counts disagree."""

MASK_VERTEBRA, MASK_DISC, MASK_CANAL = 1, 2, 3


@dataclass(frozen=True)
class Slab:
    """A T2-SPACE slab; mask: uint8 [slice, row, column] on the scan's voxels with the `MASK_...` values."""

    patient: int
    scan: Scan
    mask: NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """A near-mid-sagittal T2 slice; pixels: uint8 [row, column], square pixels of spacing_mm."""

    patient: int
    pixels: NDArray[np.uint8]
    spacing_mm: float

    @property
    def scan(self) -> Scan:
        """The picture as a scan of one slice, 4 mm thick."""
        return one_slice_scan(self.pixels.astype(np.float32), self.spacing_mm, f"patient {self.patient}")


def is_kept_out(patient: int) -> bool:
    """Whether a patient is for testing only: the six slabs, and one in eight of the others."""
    return patient in KEPT_OUT_SLABS or patient % 8 == 4


def fold_of(patient: int, folds: int = FOLDS) -> int:
    """The fold, from 0, in which a patient is for testing and in no other: the remainder of the number."""
    return patient % folds


def slabs(folder: Path) -> Iterator[Slab]:
    """Every slab with its mask, in the order of the patients' numbers."""
    return (slab(folder, patient) for patient in slab_patients(folder))


def slab_patients(folder: Path) -> tuple[int, ...]:
    """Numbers of the patients with a slab in the folder, rising."""
    return tuple(_patient(path) for path in _existing(folder, "t2_SPACE", "*_SPACE.nii.gz"))


def slab(folder: Path, patient: int) -> Slab:
    """The slab of a patient that has one, with its mask."""
    path = next(path for path in _existing(folder, "t2_SPACE", "*_SPACE.nii.gz") if _patient(path) == patient)
    scan = read_scan(path)
    assert scan.file_grid is not None
    mask = sitk.GetArrayFromImage(sitk.ReadImage(_mask_path(path))).transpose(2, 1, 0).astype(np.uint8)
    return Slab(patient, scan, scan.file_grid.standard_from_file(mask))


def pictures(folder: Path) -> Iterator[Picture]:
    """Every mid-sagittal picture, in the order of the patients' numbers."""
    rows = _t2_rows(folder)
    for path in _existing(folder, "t2_midsagittal", "*_t2.png"):
        pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        spacing_mm = float(ast.literal_eval(rows[_patient(path)]["PixelSpacing"])[0])
        yield Picture(_patient(path), pixels.astype(np.uint8), spacing_mm)


def gradings(folder: Path) -> dict[tuple[int, str], dict[Task, frozenset[int]]]:
    """Admissible grades per task for (patient, level).

    SPIDER tells narrowing only as absent or present, and Modic change without its side: present narrowing admits 2, 3
    and 4; marrow change on an unknown side leaves both marrow tasks open, see `marrow_changed`.
    """
    return {key: _admissible(row) for key, row in _grading_rows(folder)}


def marrow_changed(folder: Path) -> dict[tuple[int, str], bool]:
    """Whether (patient, level) has marrow change on at least one side, for the same discs as `gradings`."""
    return {key: int(row["Modic"]) > 0 for key, row in _grading_rows(folder)}


def one_slice_scan(pixels: FloatArray, spacing_mm: float, name: str) -> Scan:
    """A [row, column] picture as a sagittal scan of one slice."""
    ras_from_ijk = np.array(
        [[-4.0, 0, 0, 0], [0, 0, -spacing_mm, 0], [0, -spacing_mm, 0, 0], [0, 0, 0, 1.0]], dtype=np.float64
    )
    return Scan(pixels[None], ras_from_ijk, name)


def disc_counts(folder: Path) -> dict[int, int]:
    """Number of discs in view of each patient's T2 series, as the overview table has it."""
    return {patient: int(row["num_discs"]) for patient, row in _t2_rows(folder).items()}


def _existing(folder: Path, part: str, pattern: str) -> list[Path]:
    paths = sorted((folder / part).glob(pattern), key=_patient)
    if not paths:
        raise InputError(f"'{folder}' holds no {part}/{pattern}: give the folder of the reduced SPIDER copy.")
    return paths


def _patient(path: Path) -> int:
    return int(path.name.split("_")[0])


def _mask_path(scan_path: Path) -> Path:
    path = scan_path.with_name(scan_path.name.replace(".nii.gz", "_seg.nii.gz"))
    if not path.exists():
        raise InputError(f"'{path}' does not exist: put every slab's mask beside it.")
    return path


def _t2_rows(folder: Path) -> dict[int, dict[str, str]]:
    """The overview table's row of each patient's T2 series."""
    with (folder / "overview.csv").open(encoding="utf8") as file:
        rows = list(csv.DictReader(file))
    return {int(r["new_file_name"].split("_")[0]): r for r in rows if r["new_file_name"].strip().endswith("_t2")}


def _grading_rows(folder: Path) -> Iterator[tuple[tuple[int, str], dict[str, str]]]:
    with (folder / "radiological_gradings.csv").open(encoding="utf8") as file:
        for row in csv.DictReader(file):
            patient, label = int(row["Patient"]), int(row["IVD label"])
            if patient not in UNCLEAR_PATIENTS and 1 <= label <= len(DISC_LEVELS):
                yield (patient, DISC_LEVELS[-label]), row


def _admissible(row: dict[str, str]) -> dict[Task, frozenset[int]]:
    grades = {
        Task.PFIRRMANN: frozenset({int(row["Pfirrman grade"])}),
        Task.NARROWING: frozenset({2, 3, 4}) if int(row["Disc narrowing"]) else frozenset({1}),
        Task.UPPER_ENDPLATE: frozenset({int(int(row["UP endplate"]) > 0)}),
        Task.LOWER_ENDPLATE: frozenset({int(int(row["LOW endplate"]) > 0)}),
    }
    if int(row["Modic"]) == 0:
        grades |= {Task.UPPER_MARROW: frozenset({0}), Task.LOWER_MARROW: frozenset({0})}
    return grades
