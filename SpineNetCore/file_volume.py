"""From a file's own voxels and place to a checked sagittal scan."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import Affine
from SpineNetCore.errors import InputError
from SpineNetCore.file_names import named
from SpineNetCore.filling import without_filling
from SpineNetCore.intensity_checks import check_intensities
from SpineNetCore.scan import FileGrid, Scan, spacing_of

RAS_FROM_LPS: Affine = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Files place voxels in LPS millimetres, the core in RAS; its own inverse."""

SMALLEST_SIDE = 32
"""Rows and columns below which no spine can be told. ours."""

LARGEST_SIDE_MM = 2000.0
"""Rows, columns or stack beyond which spacings are in some other unit. ours: no scanner sees that far."""

SMALLEST_SIDE_MM = 10.0
"""Rows or columns below which spacings are in some other unit. ours: less than a third of one vertebra."""

THICK_SLICE_RATIO = 1.3
"""How much longer than the next spacing the slice spacing is, once slices are thicker than pixels. ours."""

ORTHOGONALITY = 1e-3
"""Largest cosine between two axes. ours: over a 400 mm image that is less than half a pixel."""

_PATIENT_AXES = (0, 2, 1)
"""RAS component that runs along slices, rows and columns; each of them runs towards its negative side."""
_PLANES = ("sagittal", "axial", "coronal")
_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm", ".ima")


@dataclass(frozen=True)
class FileVolume:
    """What a reader hands over: voxels [i, j, k] in the file's order, (4, 4) to LPS millimetres, where it came from.

    doubts: what the file leaves unsaid, one sentence each.
    """

    voxels: NDArray[Any]
    lps_from_ijk: Affine
    source: Path
    doubts: tuple[str, ...] = ()


def checked_scan(volume: FileVolume) -> Scan:
    """Turn a file's volume into the project's order, its values as they are but for a filling far below them.

    Raises InputError where it is no such scan.
    """
    _check_extent(volume)
    _check_right_angles(volume)
    grid = _file_grid(volume.voxels.shape, RAS_FROM_LPS @ volume.lps_from_ijk)
    _check_sagittal(volume, grid)
    _check_millimetres(volume, grid)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        voxels = np.ascontiguousarray(grid.standard_from_file(volume.voxels), dtype=np.float32)
    check_intensities(voxels, volume.source)
    return Scan(without_filling(voxels), grid.ras_from_standard(), scan_name(volume.source), grid, volume.doubts)


def scan_name(source: Path) -> str:
    """What to call a scan on screen: its file or folder name without the ending of an image file."""
    name = named(source).name
    endings = [suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)]
    return name[: -len(endings[0])] if endings else name


def _check_extent(volume: FileVolume) -> None:
    shape = volume.voxels.shape
    size = " x ".join(str(side) for side in shape)
    if 0 in shape:
        raise InputError(f"'{volume.source}' is empty ({size} voxels): give a file that holds a whole sagittal series.")
    if sorted(shape)[1] < SMALLEST_SIDE:
        raise _too_small(volume, size)


def _too_small(volume: FileVolume, size: str) -> InputError:
    return InputError(
        f"'{volume.source}' is too small ({size} voxels): give a sagittal scan of at least "
        f"{SMALLEST_SIDE} rows and {SMALLEST_SIDE} columns."
    )


def _check_right_angles(volume: FileVolume) -> None:
    matrix = volume.lps_from_ijk[:3, :3]
    lengths = np.linalg.norm(matrix, axis=0)
    if not np.isfinite(volume.lps_from_ijk).all() or lengths.min() <= 0:
        raise InputError(
            f"'{volume.source}' has voxels of {listed(lengths)} mm, which cannot be placed in the patient: "
            "export the scan again with its spacing and orientation."
        )
    cosines = np.abs((matrix / lengths).T @ (matrix / lengths) - np.eye(3))
    if cosines.max() > ORTHOGONALITY:
        raise InputError(
            f"'{volume.source}' has skewed axes (cosine {cosines.max():.3f} between two of them): "
            "resample it to a grid with right angles."
        )


def _file_grid(shape: tuple[int, ...], ras_from_ijk: Affine) -> FileGrid:
    """The best one-to-one match of file axes to patient axes, whatever the file's order, flips and obliquity."""
    directions = ras_from_ijk[:3, :3] / spacing_of(ras_from_ijk)

    def agreement(axes: tuple[int, ...]) -> float:
        return float(sum(abs(directions[row, axis]) for row, axis in zip(_PATIENT_AXES, axes, strict=True)))

    slices, rows, columns = max(permutations(range(3)), key=agreement)
    axes = (slices, rows, columns)
    backwards = [bool(directions[row, axis] > 0) for row, axis in zip(_PATIENT_AXES, axes, strict=True)]
    return FileGrid(
        shape=(shape[0], shape[1], shape[2]),
        ras_from_file_ijk=ras_from_ijk,
        axes=axes,
        flips=(backwards[0], backwards[1], backwards[2]),
    )


def _check_sagittal(volume: FileVolume, grid: FileGrid) -> None:
    """Refuse slices of another plane; an isotropic volume has no plane of its own and passes."""
    spacing_mm = spacing_of(grid.ras_from_file_ijk)
    normal = _slice_axis(grid.shape, spacing_mm)
    if normal is not None and normal != grid.axes[0]:
        plane = _PLANES[grid.axes.index(normal)]
        raise InputError(
            f"'{volume.source}' looks {plane} ({grid.shape[normal]} {plane} slices, {listed(spacing_mm)} mm a voxel): "
            "give a sagittal T2 series."
        )
    _, rows, columns = (grid.shape[axis] for axis in grid.axes)
    if min(rows, columns) < SMALLEST_SIDE:
        raise _too_small(volume, f"{rows} rows x {columns} columns of")


def _slice_axis(shape: tuple[int, int, int], spacing_mm: NDArray[np.float64]) -> int | None:
    """File axis along which the slices are stacked; None where no axis stands out."""
    if 1 in shape:
        return shape.index(1)
    second, largest = np.sort(spacing_mm)[1:]
    return int(np.argmax(spacing_mm)) if largest > THICK_SLICE_RATIO * second else None


def _check_millimetres(volume: FileVolume, grid: FileGrid) -> None:
    """Refuse spacings in metres or micrometres, which would ask for pictures of any size."""
    spacing_mm = spacing_of(grid.ras_from_file_ijk)
    sides_mm = spacing_mm * grid.shape
    in_plane_mm = sides_mm[list(grid.axes[1:])]
    if sides_mm.max() > LARGEST_SIDE_MM or in_plane_mm.min() < SMALLEST_SIDE_MM:
        raise InputError(
            f"'{volume.source}' is {listed(sides_mm)} mm large ({listed(spacing_mm)} mm a voxel), no size of a scan: "
            "export it again with its spacing in millimetres."
        )


def listed(numbers: NDArray[np.floating[Any]]) -> str:
    """Millimetres as a person reads them, such as 0.90 x 0.70 x 4.40."""
    return " x ".join(f"{number:.2f}" if number >= 0.01 else f"{number:g}" for number in numbers)
