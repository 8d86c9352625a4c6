"""A scan turned within its slices, about their middle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import Affine
from SpineNetCore.scan import Scalar, Scan


def turned_picture(scan: Scan, angle_deg: float) -> Scan:
    """The same patient, of whom a line that leaned backwards by an angle runs down the columns of pixels.

    All that was seen is seen; what lies beyond is as dark as the darkest voxel. Pixels are as large as before.
    """
    sides_mm = (np.array(scan.voxels.shape[1:]) - 1) * scan.spacing_mm[1:]
    needed_mm = np.abs(_turn(angle_deg)).T @ sides_mm
    rows, columns = (int(side) + 1 for side in np.ceil(needed_mm / scan.spacing_mm[1:]))
    old_from_new = turn_about_middle(scan, angle_deg, (rows, columns))
    voxels = resampled(scan.voxels, old_from_new, (rows, columns), order=1, beyond=float(scan.voxels.min()))
    return replace(scan, voxels=voxels, ras_from_ijk=scan.ras_from_ijk @ old_from_new, file_grid=None)


def turn_about_middle(scan: Scan, angle_deg: float, size: tuple[int, int]) -> Affine:
    """(4, 4) from indices of a turned picture, of so many rows and columns, to those of a scan."""
    mm_from_ijk = np.diag([*scan.spacing_mm, 1.0])
    turn = np.eye(4)
    turn[1:3, 1:3] = _turn(angle_deg)
    old_middle, new_middle = _to_middle(scan.voxels.shape[1:]), _to_middle(size)
    return np.asarray(
        old_middle @ np.linalg.inv(mm_from_ijk) @ turn @ mm_from_ijk @ np.linalg.inv(new_middle), dtype=np.float64
    )


def resampled(
    array: NDArray[Scalar], old_from_new: Affine, size: tuple[int, int], *, order: int, beyond: float = 0.0
) -> NDArray[Scalar]:
    """Slice by slice on a turned grid of so many rows and columns; order: of the splines between pixels."""
    out: list[NDArray[Scalar]] = [
        ndimage.affine_transform(
            plane, old_from_new[1:3, 1:3], old_from_new[1:3, 3], output_shape=size, order=order, cval=beyond
        )
        for plane in array
    ]
    return np.stack(out)


def _turn(angle_deg: float) -> NDArray[np.float64]:
    """(2, 2) from row and column millimetres of the turned picture to those of the old one."""
    sine, cosine = np.sin(np.deg2rad(angle_deg)), np.cos(np.deg2rad(angle_deg))
    return np.array([[cosine, -sine], [sine, cosine]])


def _to_middle(size: tuple[int, ...]) -> Affine:
    shift = np.eye(4)
    shift[1:3, 3] = (np.array(size) - 1) / 2
    return shift
