"""A tiny stand-in for the reduced copy of SPIDER, and a drawn slab whose bodies are rectangles with known corners."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.datasets.spider import MASK_CANAL, MASK_DISC, MASK_VERTEBRA, Slab
from SpineNetCore.learning.datasets.spider_original import spider_scans
from SpineNetCore.learning.disc_examples import DiscExample, cut_discs, labelled
from SpineNetCore.scan import Scan
from SpineNetCore.vertebra_network import VertebraNetwork

SPACING_MM = (1.8, 0.8, 0.9)
SHAPE = (3, 216, 130)
FRONT, BACK = 30, 66
BODY_TOPS, BODY_ROWS, DISC_ROWS = (12, 48, 84, 120), 26, 10
CANAL_COLUMNS, PROCESS_COLUMNS = slice(74, 88), slice(94, 112)
LOWEST_DISC = slice(BODY_TOPS[-1] + BODY_ROWS, BODY_TOPS[-1] + BODY_ROWS + DISC_ROWS)
CORNERS = np.array(
    [
        [[top, FRONT], [top, BACK - 1], [top + BODY_ROWS - 1, BACK - 1], [top + BODY_ROWS - 1, FRONT]]
        for top in BODY_TOPS
    ]
)
"""(4, 4, 2) corner pixels of the drawn bodies, from the head downwards, in the order of `SliceExample.corners`."""

PICTURES = {1: 0.625, 4: 0.5, 35: 0.75}
"""Pixel sizes of the pictures; 4 is kept out, the grades of 35 are unclear."""
SLABS = (5, 18)
"""18 is kept out."""

ORIGINAL_MM = (4.0, 0.8, 0.9)
ORIGINAL = {3: ("LPS", 1.0, 0.0), 12: ("PIR", 8.0, -1000.0), 35: ("LPS", 1.0, 0.0), 7: ("PIR", 1.0, 0.0)}
"""Scans in SPIDER's original layout: how their files run, and the factor and offset of their intensities. 12 is kept
out, 35 unclear, and of 7 more discs are graded than its mask has."""

_STANDARD = np.array([[-1.0, 0, 0, 0], [0, 0, -1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
_OVERVIEW = """\
new_file_name,num_vertebrae,num_discs,sex,birth_date,subset,PixelSpacing,SpacingBetweenSlices
1_t1,7,7,F ,,training,"[0.3, 0.3]",3.3
1_t2 ,7,6 ,F ,,training,"[0.625, 0.625]",3.3
4_t2,8,8,M ,,training,"[0.5, 0.5] ",4.4
35_t2,7,7,M ,,training,"[0.75, 0.75]",
5_t2_SPACE,7,5,F ,,training,"[0.9, 0.9]",0.9
18_t2_SPACE,7,7,F ,,training,"[0.9, 0.9]",0.9
"""
_GRADINGS = """\
Patient,IVD label,Modic,UP endplate,LOW endplate,Spondylolisthesis,Disc herniation,Disc narrowing,\
Disc bulging,Pfirrman grade
1,1,2,0,3,0,0,1,1,5
1,2,0,1,0,0,0,0,1,3
1,6,0,0,0,0,0,0,0,1
1,7,1,1,1,0,0,1,0,4
4,0,0,0,0,0,0,0,0,2
4,1,0,0,0,0,0,0,0,2\x20
35,1,3,0,0,0,0,1,0,4
"""


def write_spider(folder: Path) -> Path:
    """Two slabs with the intensities of `slab_intensities`, three pictures, two tables."""
    for part in ("t2_SPACE", "t2_midsagittal"):
        (folder / part).mkdir()
    (folder / "overview.csv").write_text(_OVERVIEW, encoding="utf8")
    (folder / "radiological_gradings.csv").write_text(_GRADINGS, encoding="utf8")
    for patient, orientation in zip(SLABS, ("PIR", "LPS"), strict=True):
        mask = small_mask(patient)
        name = f"{patient}_t2_SPACE"
        _write_volume(slab_intensities(mask), orientation, folder / "t2_SPACE" / f"{name}.nii.gz")
        _write_volume(mask, orientation, folder / "t2_SPACE" / f"{name}_seg.nii.gz")
    for patient in PICTURES:
        sitk.WriteImage(
            sitk.GetImageFromArray(picture_pixels(patient)), folder / "t2_midsagittal" / f"{patient}_t2.png"
        )
    return folder


_ORIGINAL_OVERVIEW = """\
new_file_name,num_vertebrae,num_discs,sex,birth_date,subset,PixelSpacing
12_t2 ,4,4,F ,,training,"[0.8, 0.9]"
3_t1,4,4,M,,training,"[0.8, 0.9]"
3_t2,4,4,M,,training,"[0.8, 0.9]"
35_t2,4,4,F,,training,"[0.8, 0.9]"
7_t2,4,4,F,,training,"[0.8, 0.9]"
3_t2_SPACE,4,4,M,,training,"[0.8, 0.9]"
"""
_HEADER = _GRADINGS.partition("\n")[0] + "\n"


def write_original_spider(folder: Path) -> Path:
    """`ORIGINAL` scans of the drawn mask, a T1 series that nobody should read, and the two tables."""
    for part in ("images", "masks"):
        (folder / part).mkdir()
    (folder / "overview.csv").write_text(_ORIGINAL_OVERVIEW, encoding="utf8")
    discs = [(patient, label) for patient in ORIGINAL for label in range(1, 6 if patient == 7 else 5)]
    rows = [f"{patient},{label},0,0,1,0,0,0,1,{label}\n" for patient, label in discs]
    (folder / "radiological_gradings.csv").write_text(_HEADER + "".join(rows), encoding="utf8")
    for patient, (orientation, factor, offset) in ORIGINAL.items():
        air_dark = np.clip(drawn_slab(drawn_mask()).scan.voxels - 30, 0, None)
        voxels = np.rint(air_dark * factor + offset).astype(np.int16)
        _write_volume(voxels, orientation, folder / "images" / f"{patient}_t2.mha", ORIGINAL_MM)
        _write_volume(original_labels(), orientation, folder / "masks" / f"{patient}_t2.mha", ORIGINAL_MM)
    (folder / "images" / "3_t1.mha").write_bytes(b"no image at all")
    return folder


def write_spider_for_all_splits(folder: Path) -> Path:
    """The original layout with patients for training, validation and test: the graded ones, and three that repeat 3 but
    for one voxel.
    """
    write_original_spider(folder)
    for table in ("overview.csv", "radiological_gradings.csv"):
        lines = (folder / table).read_text("utf-8").splitlines(keepends=True)
        copies = [str(n) + line[1:] for n in (1, 2, 5) for line in lines if line.startswith(("3_t2,", "3,"))]
        (folder / table).write_text("".join(lines + copies))
    for patient in (1, 2, 5):
        image = sitk.ReadImage(str(folder / "images" / "3_t2.mha"))
        image[0, 0, 0] = patient
        sitk.WriteImage(image, str(folder / "images" / f"{patient}_t2.mha"))
        (folder / "masks" / f"{patient}_t2.mha").write_bytes((folder / "masks" / "3_t2.mha").read_bytes())
    return folder


def examples_of(folder: Path, detector: VertebraNetwork, kept_out: bool) -> list[DiscExample]:
    """Graded discs of a SPIDER folder, of the patients kept out for testing or of the others."""
    scans = [scan for scan in spider_scans(folder) if (scan.split is Split.TEST) == kept_out]
    return [example for scan in scans for _, example in labelled(scan, cut_discs(scan, detector))]


def original_labels() -> np.ndarray:
    """uint8 `SHAPE`: the drawn mask numbered as in the original layout, L2 to L5 as 4 to 1, their discs 204 to 201."""
    mask = drawn_mask()
    labels = np.where(mask == MASK_CANAL, 100, 0).astype(np.uint8)
    for number, top in zip((4, 3, 2, 1), BODY_TOPS, strict=True):
        bottom = top + BODY_ROWS
        rows = slice(top, bottom + DISC_ROWS)
        part = mask[:, rows]
        labels[:, rows][part == MASK_VERTEBRA] = number
        labels[:, rows][part == MASK_DISC] = 200 + number
    return labels


def small_mask(patient: int) -> np.ndarray:
    """uint8 (9, 64, 80) [slice, row, column], different from every side."""
    mask = np.zeros((9, 64, 80), dtype=np.uint8)
    mask[:, 8:20, 10:30] = MASK_VERTEBRA
    mask[1:, 20:25, 11:29] = MASK_DISC
    mask[2:7, 5:60, 34 : 40 + patient % 7] = MASK_CANAL
    return mask


def slab_intensities(mask: np.ndarray) -> np.ndarray:
    """uint8, fifty times the mask's value plus a ramp of less than fifty along the columns."""
    return (50 * mask + np.arange(mask.shape[2]) // 2).astype(np.uint8)


def picture_pixels(patient: int) -> np.ndarray:
    return np.random.default_rng(patient).integers(0, 255, (60 + patient, 50), dtype=np.uint8)


def drawn_mask() -> np.ndarray:
    """uint8 `SHAPE`: four bodies, a disc below each, the canal, and posterior elements behind it."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[:, 4:200, CANAL_COLUMNS] = MASK_CANAL
    for top in BODY_TOPS:
        bottom = top + BODY_ROWS
        mask[:, top:bottom, FRONT:BACK] = MASK_VERTEBRA
        mask[:, bottom : bottom + DISC_ROWS, FRONT:BACK] = MASK_DISC
        mask[:, top + 4 : bottom + 6, PROCESS_COLUMNS] = MASK_VERTEBRA
    return mask


def drawn_slab(mask: np.ndarray) -> Slab:
    """A slab with that mask, every tissue at its own brightness, slightly noisy."""
    brightness = np.array([30, 110, 160, 220], dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 3, mask.shape).astype(np.float32)
    ras_from_ijk = _STANDARD @ np.diag([*SPACING_MM, 1.0])
    return Slab(5, Scan(brightness[mask] + noise, ras_from_ijk, "drawn"), mask)


def _write_volume(
    standard: np.ndarray, orientation: str, path: Path, spacing_mm: tuple[float, float, float] = (1.8, 0.9, 0.9)
) -> None:
    """Write [slice, row, column] so that the file's axes run as `orientation` says."""
    image = sitk.GetImageFromArray(standard.transpose(1, 2, 0))  # i runs left, j backwards, k down
    image.SetDirection((1, 0, 0, 0, 1, 0, 0, 0, -1))
    slice_mm, row_mm, column_mm = spacing_mm
    image.SetSpacing((slice_mm, column_mm, row_mm))
    sitk.WriteImage(sitk.DICOMOrient(image, orientation), path)
