"""What ITK's NIfTI reader passes over in silence, refused before it reads."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import check_finite

_FLOAT_TYPES = {16: "f4", 64: "f8"}
"""NIfTI's datatype codes of floating-point voxels."""
_HEADER_BYTES = (348, 540)
"""The number that a NIfTI-1 and a NIfTI-2 file begin with, which tells the order of bytes."""


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
    """Raise InputError for a file without orientation, cut off, or with voxels that are no finite numbers.

    ITK would take the scanner's axes, leave the lost voxels unset, and read the others as 0.
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


def _check_finite(content: bytes, path: Path, header: NiftiHeader) -> None:
    little_endian = int.from_bytes(content[:4], "little") in _HEADER_BYTES
    number = np.dtype(_FLOAT_TYPES[header.datatype]).newbyteorder("<" if little_endian else ">")
    voxels = np.frombuffer(content, number, prod(header.size), header.data_offset)
    check_finite(voxels, path)
