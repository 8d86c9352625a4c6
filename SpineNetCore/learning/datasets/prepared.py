"""Discs cut once and kept: a file per scan, made again whenever anything that it rests on has changed."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.learning.datasets.graded_scans import GradedScan
from SpineNetCore.learning.whole_files import written_whole

log = logging.getLogger(__name__)

VERSION = 1
"""Raised whenever discs are found or cut in another way."""


@dataclass(frozen=True)
class CutDisc:
    """One disc without its label. slices: uint8 (n, 192, 320), the context's slices that are in the scan, 255 standing
    for 1. first: index of the first of them in the context.
    """

    level: str
    slices: NDArray[np.uint8]
    first: int


@dataclass(frozen=True)
class PreparedDiscs:
    """A folder of cut discs. detector_digest: of the weights that found them."""

    folder: Path
    detector_digest: str

    def discs(self, scan: GradedScan, cut: Callable[[], Sequence[CutDisc]]) -> list[CutDisc]:
        """The discs of a scan, from its file where there is a sound one, else cut and written at once.

        The file is named by what its discs rest on: the scan's files, the detector, `VERSION`. Labels are not among it.
        Raises InputError where it cannot be written.
        """
        path = self.folder / f"{self._digest(scan)}.discs"
        kept = _read(path) if path.exists() else None
        if kept is None:
            kept = list(cut())
            with written_whole(path) as partial:
                partial.write_bytes(_packed(kept))
        return kept

    def _digest(self, scan: GradedScan) -> str:
        facts = {**vars(scan.image), "path": "", "mask": ""}
        digest = hashlib.sha256(f"{VERSION} {self.detector_digest} {facts}".encode())
        for path in scan.image.files:
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    with file.open("rb") as opened:
                        digest.update(hashlib.file_digest(opened, "sha256").digest())
        return digest.hexdigest()[:32]


def _packed(discs: Sequence[CutDisc]) -> bytes:
    """The discs after a checksum of their bytes."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        slices=np.concatenate([disc.slices for disc in discs]) if discs else np.zeros((0, 0, 0), dtype=np.uint8),
        counts=np.array([len(disc.slices) for disc in discs], dtype=np.int64),
        firsts=np.array([disc.first for disc in discs], dtype=np.int64),
        levels=np.array([disc.level for disc in discs], dtype=np.str_),
    )
    return hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue()


def _read(path: Path) -> list[CutDisc] | None:
    """Undo `_packed`; None, and said so, where the file is not what was written."""
    content = path.read_bytes()
    checksum, packed = content[:32], content[32:]
    if hashlib.sha256(packed).digest() != checksum:
        log.warning("'%s' is broken and is made again", path)
        return None
    with np.load(io.BytesIO(packed)) as file:
        slices = np.split(file["slices"], np.cumsum(file["counts"])[:-1]) if len(file["counts"]) else []
        rows = zip(file["levels"].tolist(), slices, file["firsts"].tolist(), strict=True)
        return [CutDisc(level, voxels, first) for level, voxels, first in rows]
