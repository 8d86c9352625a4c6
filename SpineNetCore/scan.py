"""One MR series in memory: voxels in the project's own order, and their place in the patient."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import Affine, FloatArray, Point

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class FileGrid:
    """The order in which a file keeps its voxels, and the way there and back.

    shape: voxels along the file's own i, j, k. ras_from_file_ijk: (4, 4). axes[a] is the file axis that becomes axis a
    of [slice, row, column]; flips[a] says whether it runs backwards.
    """

    shape: tuple[int, int, int]
    ras_from_file_ijk: Affine
    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def standard_from_file(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """[i, j, k] of the file to [slice, row, column]; undone by `file_from_standard`."""
        return np.flip(array.transpose(self.axes), self._flipped_axes())

    def file_from_standard(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """[slice, row, column] to [i, j, k] of the file; undoes `standard_from_file`."""
        return np.flip(array, self._flipped_axes()).transpose(tuple(np.argsort(self.axes)))

    def ras_from_standard(self) -> Affine:
        """(4, 4) from indices [slice, row, column] to RAS millimetres."""
        file_from_standard = np.zeros((4, 4))
        file_from_standard[3, 3] = 1
        for axis, (file_axis, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            file_from_standard[file_axis, axis] = -1 if flip else 1
            file_from_standard[file_axis, 3] = self.shape[file_axis] - 1 if flip else 0
        return self.ras_from_file_ijk @ file_from_standard

    def _flipped_axes(self) -> tuple[int, ...]:
        return tuple(axis for axis, flip in enumerate(self.flips) if flip)


@dataclass(frozen=True)
class Scan:
    """A sagittal MR series.

    voxels: float32 [slice, row, column], slices right to left, rows towards the feet, columns towards the back.
    ras_from_ijk: (4, 4) float64 from those indices to RAS millimetres; the axes may be oblique.
    file_grid: the grid of the file it came from; None after averaging slices. name: what to call it on screen.
    doubts: what the file leaves unsaid, one sentence each.
    """

    voxels: FloatArray
    ras_from_ijk: Affine
    name: str
    file_grid: FileGrid | None = None
    doubts: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The first twelve hexadecimal digits of the SHA-256 of its voxels, by which the same scan is known again."""
        return hashlib.sha256(self.voxels.tobytes()).hexdigest()[:12]

    @property
    def ijk_from_ras(self) -> Affine:
        return np.asarray(np.linalg.inv(self.ras_from_ijk), dtype=np.float64)

    @property
    def left(self) -> Point:
        """(3,) RAS unit vector from one slice to the next, which lies further left."""
        return unit(self.ras_from_ijk[:3, 0])

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between slice centres, rows and columns."""
        slice_mm, row_mm, column_mm = spacing_of(self.ras_from_ijk)
        return float(slice_mm), float(row_mm), float(column_mm)


def with_averaged_slices(scan: Scan, slice_mm: float = 4.0) -> Scan:
    """Average neighbouring thin slices so that slices lie about `slice_mm` apart, as the graders were trained.

    The last few slices that fill no whole group are averaged into a group of their own, placed as a whole one, when
    they make up at least half of one, and dropped otherwise. Unchanged where less than a slice and a half fits into
    `slice_mm`. ours: the paper's scans were thick.
    """
    count = round(slice_mm / scan.spacing_mm[0])
    slices = scan.voxels.shape[0]
    if count < 2 or slices < 2:
        return scan
    starts = [start for start in range(0, slices, count) if start == 0 or slices - start >= count / 2]
    voxels = np.stack([scan.voxels[start : start + count].mean(axis=0) for start in starts])
    thin_from_thick = np.diag([float(count), 1.0, 1.0, 1.0])
    thin_from_thick[0, 3] = (count - 1) / 2
    return replace(
        scan, voxels=voxels.astype(np.float32), ras_from_ijk=scan.ras_from_ijk @ thin_from_thick, file_grid=None
    )


def mapped(affine: Affine, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply a (4, 4) affine to points of shape (..., 3)."""
    return np.asarray(points @ affine[:3, :3].T + affine[:3, 3], dtype=np.float64)


def spacing_of(affine: Affine) -> NDArray[np.float64]:
    """(3,) how far each step of its indices goes."""
    return np.asarray(np.linalg.norm(affine[:3, :3], axis=0))


def within_slices(backwards: Point, left: Point) -> tuple[Point, Point]:
    """Unit vectors towards the back and the feet, square to each other and to the scan's `left`.

    backwards: (3,) roughly the first of them. In a `Scan` slices, rows and columns follow each other as they do here.
    """
    posterior = unit(backwards - (backwards @ left) * left)
    return posterior, np.cross(posterior, left)


def unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """The vector's direction, of length 1; a vector of no length stays as it is."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), np.finfo(np.float64).tiny))
