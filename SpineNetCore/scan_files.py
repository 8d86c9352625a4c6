"""Scans in and volumes out, whatever the file format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.dicom_files import read_dicom
from SpineNetCore.dicom_headers import is_dicom
from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import RAS_FROM_LPS, checked_scan
from SpineNetCore.image_files import read_image, write_image
from SpineNetCore.scan import Scan


def read_scan(path: Path) -> Scan:
    """Read a NIfTI, NRRD, MHA or MHD file, a DICOM folder or one DICOM file, intensities as the file means them.

    Raises InputError where it is not one sagittal scan that can be graded.
    """
    if not path.exists():
        raise InputError(f"'{path}' does not exist: give a NIfTI, NRRD or MHA file, a DICOM folder or a DICOM file.")
    volume = read_dicom(path) if path.is_dir() or is_dicom(path) else read_image(path)
    return checked_scan(volume)


def write_volume(array: NDArray[Any], scan: Scan, path: Path) -> None:
    """Write float32 or uint8 [slice, row, column] onto exactly the grid of the file that the scan was read from.

    Raises InputError where `path` cannot be written, ValueError where the array is not on that grid.
    """
    if scan.file_grid is None:
        raise ValueError(f"scan '{scan.name}' has left its file's grid")
    if array.shape != scan.voxels.shape or array.dtype not in (np.float32, np.uint8):
        raise ValueError(f"{array.dtype} array of {array.shape} does not fit a scan of {scan.voxels.shape}")
    write_image(
        scan.file_grid.file_from_standard(array),
        RAS_FROM_LPS @ scan.file_grid.ras_from_file_ijk,
        path,
    )
