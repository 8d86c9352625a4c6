"""Discs cut once and kept: a file per scan, made again whenever anything that it rests on has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.learning.datasets.array_files import in_one, one_by_one, read_arrays, write_arrays
from SpineNetCore.learning.datasets.graded_scans import GradedScan
from SpineNetCore.learning.datasets.scan_digests import contents_digest

VERSION = 7
"""Raised whenever discs are found or cut in another way, or readers' places on pictures change."""


@dataclass(frozen=True)
class CutDisc:
    """One disc without its label.

    slices: uint8 (n, 192, 320), the context's slices that are in the scan, 255 standing for 1. first: index of the
    first of them in the context. endplates: (2, 2, 2), upper and lower one, front and rear end, row and column.
    """

    level: str
    slices: NDArray[np.uint8]
    first: int
    endplates: NDArray[np.float64]


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
        kept = read_arrays(path)
        if kept is not None:
            firsts, endplates = kept["firsts"].tolist(), kept["endplates"]
            rows = zip(kept["levels"].tolist(), one_by_one(kept), firsts, endplates, strict=True)
            return [CutDisc(*row) for row in rows]
        discs = list(cut())
        levels = np.array([disc.level for disc in discs], dtype=np.str_)
        firsts = np.array([disc.first for disc in discs], dtype=np.int64)
        endplates = np.array([disc.endplates for disc in discs]).reshape(-1, 2, 2, 2)
        slices = in_one([disc.slices for disc in discs])
        write_arrays(path, levels=levels, firsts=firsts, endplates=endplates, **slices)
        return discs

    def _digest(self, scan: GradedScan) -> str:
        facts = {**vars(scan.image), "path": "", "mask": ""}
        return contents_digest(scan.image.files, f"{VERSION} {self.detector_digest} {facts}")[:32]
