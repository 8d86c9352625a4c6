"""What ITK's NIfTI reader passes over in silence, refused before it reads."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

import numpy as np

from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import listed
from SpineNetCore.intensity_checks import check_finite

_FLOAT_TYPES = {16: "f4", 64: "f8"}
"""NIfTI's datatype codes of floating-point voxels."""
NIFTI_HEADER_BYTES = 352
"""Before the voxels of a file without extensions."""

_HEADER_BYTES = 348
"""The number that a NIfTI-1 file begins with, which tells the order of bytes; ITK reads no NIfTI-2."""

_SPACINGS_AT, _SFORM_AT = 80, 280
"""Where in the file they are kept, both as 4-byte numbers."""

_SPACING_TOLERANCE = 0.01
"""How far the sform's spacings may be from the header's own, as a share of them. ours."""


@dataclass(frozen=True)
class NiftiHeader:
    """The part of the header that the checks need; size: voxels along each axis."""

    qform_code: int
    sform_code: int
    datatype: int
    bits_per_voxel: int
    data_offset: int
    size: tuple[int, ...]


def check_nifti(path: Path, header: NiftiHeader) -> None:
    """Raise InputError for a file without orientation or spacing, cut off, or with voxels that are no finite numbers.

    ITK would take the scanner's axes and 1 mm, leave the lost voxels unset, and read the others as 0.
    """
    if path.name.lower().endswith((".hdr", ".img")):
        raise InputError(f"'{path}' keeps header and voxels in two files: convert it to one .nii.gz file.")
    if header.qform_code == header.sform_code == 0:
        raise InputError(
            f"'{path}' does not say how it lies in the patient (qform and sform codes are 0): "
            "export it again with its orientation."
        )
    content = _content(path)
    if len(content) < header.data_offset + prod(header.size) * header.bits_per_voxel // 8:
        raise cut_off(path)
    _check_spacing(content, path, header)
    if header.datatype in _FLOAT_TYPES:
        _check_finite(content, path, header)


def cut_off(path: Path) -> InputError:
    """What to say of an image whose voxels are not all there."""
    return InputError(
        f"'{path}' ({path.stat().st_size} bytes) is damaged, cut off or without its data file: copy it again whole."
    )


def _content(path: Path) -> bytes:
    """The whole file, unpacked where it is packed; packed files end with a checksum."""
    content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise cut_off(path) from error


def _check_spacing(content: bytes, path: Path, header: NiftiHeader) -> None:
    """Refuse spacings that are none, or that the sform in use contradicts: ITK takes its directions only."""
    number = np.dtype("f4").newbyteorder(_byte_order(content))
    spacing_mm = np.frombuffer(content, number, 3, _SPACINGS_AT)
    if not (np.isfinite(spacing_mm) & (spacing_mm > 0)).all():
        raise InputError(
            f"'{path}' has voxels of {listed(spacing_mm)} mm (pixdim): export it again with its spacing, above 0."
        )
    sform = np.frombuffer(content, number, 12, _SFORM_AT).reshape(3, 4)
    sform_mm = np.linalg.norm(sform[:, :3], axis=0)
    is_used = header.sform_code == 1 or (header.sform_code > 0 and header.qform_code == 0)
    if is_used and not np.allclose(sform_mm, spacing_mm, rtol=_SPACING_TOLERANCE, atol=0):
        raise InputError(
            f"'{path}' says that its voxels are {listed(spacing_mm)} mm large (pixdim) and also "
            f"{listed(sform_mm)} mm (sform): export it again with one spacing."
        )


def _check_finite(content: bytes, path: Path, header: NiftiHeader) -> None:
    number = np.dtype(_FLOAT_TYPES[header.datatype]).newbyteorder(_byte_order(content))
    voxels = np.frombuffer(content, number, prod(header.size), header.data_offset)
    check_finite(voxels, path)


def _byte_order(content: bytes) -> Literal["little", "big"]:
    return "little" if int.from_bytes(content[:4], "little") == _HEADER_BYTES else "big"
