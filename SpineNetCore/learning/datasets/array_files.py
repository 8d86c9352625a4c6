"""Arrays kept in a file behind their checksum: written whole, read back as they were or not at all."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.whole_files import written_whole

log = logging.getLogger(__name__)

_CHECKSUM_BYTES = 32


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays under their names; raises InputError where the disk is full, and keeps what was there before."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    with written_whole(path) as partial:
        partial.write_bytes(_checksum(buffer.getvalue()) + buffer.getvalue())


def read_arrays(path: Path) -> dict[str, NDArray[Any]] | None:
    """Undo `write_arrays`; None where there is no file, or, which is said, where it is not what was written."""
    if not path.exists():
        return None
    content = path.read_bytes()
    checksum, packed = content[:_CHECKSUM_BYTES], content[_CHECKSUM_BYTES:]
    if _checksum(packed) != checksum:
        log.warning("'%s' is broken and is made again", path)
        return None
    with np.load(io.BytesIO(packed)) as file:
        return dict(file)


def in_one(stacks: Sequence[NDArray[np.uint8]]) -> dict[str, NDArray[Any]]:
    """Stacks of slices, some each, as arrays to write."""
    slices = np.concatenate(stacks) if stacks else np.zeros((0, 0, 0), dtype=np.uint8)
    return {"slices": slices, "counts": np.array([len(stack) for stack in stacks], dtype=np.int64)}


def one_by_one(arrays: dict[str, NDArray[Any]]) -> list[NDArray[np.uint8]]:
    """Undo `in_one`."""
    return np.split(arrays["slices"], np.cumsum(arrays["counts"])[:-1]) if len(arrays["counts"]) else []


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
