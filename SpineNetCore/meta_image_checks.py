"""What ITK's MetaImage reader passes over in silence, refused before it reads."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO

from SpineNetCore.nifti_checks import cut_off

_LAST_FIELD = "ElementDataFile"
_LONGEST_LINE = 4096
_YES = ("T", "t", "1")
"""First letters that ITK takes for a yes."""

_CHUNK_BYTES = 1 << 20
_ANY_WRAPPING = 32 + zlib.MAX_WBITS
"""zlib's or gzip's."""


def check_meta_image(path: Path) -> None:
    """Raise InputError where packed voxels are damaged or cut off: ITK would leave the lost ones as they come."""
    with path.open("rb") as file:
        fields = _fields(file)
        is_packed = fields.get("CompressedData", "")[:1] in _YES
        if not is_packed or fields.get("HeaderSize", "0") != "0":
            return  # what else may stand before the voxels is nobody's to tell
        place = fields.get(_LAST_FIELD, "")
        if place.lower() == "local":
            _check_packed(file, path)
        elif (path.parent / place).is_file():  # ITK itself refuses a header whose voxels are not there
            with (path.parent / place).open("rb") as packed:
                _check_packed(packed, path)


def _fields(file: BinaryIO) -> dict[str, str]:
    """The header's fields; the file is left where its own voxels would begin."""
    fields: dict[str, str] = {}
    while _LAST_FIELD not in fields and (line := file.readline(_LONGEST_LINE)):
        name, _, value = line.decode("utf-8", "replace").partition("=")
        fields[name.strip()] = value.strip()
    return fields


def _check_packed(file: BinaryIO, path: Path) -> None:
    """Packed voxels end with a checksum, which is right where all before it is."""
    unpacker = zlib.decompressobj(_ANY_WRAPPING)
    try:
        while not unpacker.eof and (chunk := file.read(_CHUNK_BYTES)):
            unpacker.decompress(chunk)
    except zlib.error as error:
        raise cut_off(path) from error
    if not unpacker.eof:
        raise cut_off(path)
