"""Masks that lie on a scan's own grid, brought into the scan's order of voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import RAS_FROM_LPS
from SpineNetCore.image_files import read_image
from SpineNetCore.scan import Scan

_SAME_PLACE_MM = 0.5


def read_mask(path: Path, scan: Scan) -> NDArray[np.int32]:
    """Labels [slice, row, column] of a mask file; raises InputError where it is cut off or lies on another grid."""
    assert scan.file_grid is not None
    if not path.exists():
        raise InputError(f"'{path}' does not exist: put every scan's mask where SPIDER has it.")
    volume = read_image(path)
    if volume.voxels.shape != scan.file_grid.shape:
        raise InputError(
            f"The mask '{path}' has {_said(volume.voxels.shape)} voxels and its scan '{scan.name}' has "
            f"{_said(scan.file_grid.shape)}: resample the mask to the scan."
        )
    last = np.array([*np.array(volume.voxels.shape) - 1, 1.0])
    for corner in (np.array([0.0, 0, 0, 1]), last):
        away_mm = np.linalg.norm((RAS_FROM_LPS @ volume.lps_from_ijk - scan.file_grid.ras_from_file_ijk) @ corner)
        if not away_mm < _SAME_PLACE_MM:
            raise InputError(
                f"The mask '{path}' lies {away_mm:.1f} mm away from its scan '{scan.name}': resample it to the scan."
            )
    return scan.file_grid.standard_from_file(volume.voxels).astype(np.int32)


def _said(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
