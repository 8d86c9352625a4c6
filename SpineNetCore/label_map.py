"""A label map from a file, brought onto sagittal slices of a scan whatever grid it was drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import Affine, Point
from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import RAS_FROM_LPS
from SpineNetCore.image_files import read_image
from SpineNetCore.scan import Scan, mapped, spacing_of

_FINEST_PIXEL_MM, _FINEST_SLICE_MM = 0.8, 2.0
"""Of the grid that labels are read on, at most. ours: corners come out to about half a pixel."""

_LARGEST_LABEL = 65_535

_SPECK_SHARE = 0.005
"""ours: share of the voxels of the most frequent value below which another one is a stroke gone astray."""


@dataclass(frozen=True)
class LabelMap:
    """Labels on sagittal slices that run along those of a scan and fill its volume.

    voxels: int32 [slice, row, column], slices right to left, rows towards the feet, columns towards the back.
    """

    voxels: NDArray[np.int32]
    ras_from_ijk: Affine

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        slice_mm, row_mm, column_mm = spacing_of(self.ras_from_ijk)
        return float(slice_mm), float(row_mm), float(column_mm)

    def heights_mm(self) -> dict[int, float]:
        """Every value above 0 but specks, and the mean height of its voxels in the patient."""
        places = np.argwhere(self.voxels > 0)
        values, which, counts = np.unique(self.voxels[tuple(places.T)], return_inverse=True, return_counts=True)
        heights = mapped(self.ras_from_ijk, places.astype(np.float64))[:, 2]
        means = np.bincount(which, weights=heights) / counts
        is_speck = counts < _SPECK_SHARE * counts.max()
        return {int(value): float(mean) for value, mean in zip(values[~is_speck], means[~is_speck], strict=True)}

    def values_at(self, points_ras_mm: Point) -> NDArray[np.int32]:
        """Labels at points (..., 3), 0 outside."""
        ijk = np.rint(mapped(np.asarray(np.linalg.inv(self.ras_from_ijk), np.float64), points_ras_mm)).astype(int)
        is_inside = np.asarray(((ijk >= 0) & (ijk < self.voxels.shape)).all(axis=-1))
        i, j, k = np.moveaxis(np.where(is_inside[..., None], ijk, 0), -1, 0)
        return np.asarray(np.where(is_inside, self.voxels[i, j, k], 0))


def read_label_map(path: Path, scan: Scan) -> LabelMap:
    """Read labels and sample them, nearest neighbour, on fine slices over the scan's volume.

    Raises InputError where the file holds no whole numbers, or none of its labels lies on the scan.
    """
    volume = read_image(path)
    labels = _whole_numbers(volume.voxels, path)
    ras_from_fine, shape = _fine_grid(scan)
    file_from_fine = np.linalg.inv(RAS_FROM_LPS @ volume.lps_from_ijk) @ ras_from_fine
    sampled = ndimage.affine_transform(
        labels, file_from_fine[:3, :3], file_from_fine[:3, 3], shape, order=0, mode="grid-constant"
    )
    if not sampled.any():
        raise InputError(
            f"'{path}' has no label on the scan '{scan.name}', though {np.count_nonzero(labels)} voxels elsewhere: "
            "give a label map of this very scan, or of one in the same position."
        )
    return LabelMap(sampled, ras_from_fine)


def _whole_numbers(voxels: NDArray[Any], path: Path) -> NDArray[np.int32]:
    broken = voxels[(voxels < 0) | (voxels > _LARGEST_LABEL)]
    if np.issubdtype(voxels.dtype, np.floating) and not broken.size:
        broken = voxels[voxels != np.rint(voxels)]
    if broken.size:
        raise InputError(
            f"'{path}' holds {float(broken[0]):g}, so it is no label map but perhaps probabilities: give one whole "
            "number per structure."
        )
    if not voxels.any():
        raise InputError(f"'{path}' is empty: every voxel is 0. Give a label map with vertebrae.")
    return voxels.astype(np.int32)


def _fine_grid(scan: Scan) -> tuple[Affine, tuple[int, int, int]]:
    """(4, 4) to RAS of slices and pixels that fill the scan, and how many; none is larger than the finest.

    There are no fewer slices than the scan has.
    """
    sides_mm = np.array(scan.voxels.shape) * scan.spacing_mm
    counts = np.ceil(sides_mm / np.array([_FINEST_SLICE_MM, _FINEST_PIXEL_MM, _FINEST_PIXEL_MM]) - 1e-6).astype(int)
    counts[0] = max(counts[0], scan.voxels.shape[0])  # a label may be on one slice alone
    step = np.array(scan.voxels.shape) / counts
    scan_from_fine = np.diag([*step, 1.0])
    scan_from_fine[:3, 3] = (step - 1) / 2
    return scan.ras_from_ijk @ scan_from_fine, (int(counts[0]), int(counts[1]), int(counts[2]))
