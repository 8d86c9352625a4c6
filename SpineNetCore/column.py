"""The column of vertebral bodies on a scan, named as one chain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from SpineNetCore.bodies import Body, group_bodies
from SpineNetCore.detection import Reading, read_scan_slices
from SpineNetCore.naming import Naming, name_bodies
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.scan import Scan
from SpineNetCore.turning import turned_picture
from SpineNetCore.vertebra_network import VertebraNetwork

_USUAL_LEAN_DEG = {"T12": -11.0, "L1": -11.0, "L2": -9.0, "L3": -5.0, "L4": 2.0, "L5": 16.0}
"""How far bodies lean backwards, from their upper endplate to the lower. ours: medians of SPIDER's slabs; those further
up lean as T12 does, and S1 is left out, as hardly any picture tells its lower end.
"""

_MOST_LEAN_DEG = 10.0
"""A spine that leans further than usual by more is read again. ours: SPIDER's slabs lean by up to 7.1, its pictures by
up to 9.5, but for one of wrong pixel size.
"""


@dataclass(frozen=True)
class Column:
    """At least one body, from the head downwards, each with its name or none.

    reading: what the bodies are from. scan: what was read, perhaps turned within its slices.
    """

    bodies: tuple[Body, ...]
    naming: Naming
    reading: Reading
    scan: Scan

    @property
    def named(self) -> list[tuple[Body, str]]:
        """The bodies that the chain does not leave out."""
        return [(body, level) for body, level in zip(self.bodies, self.naming.levels, strict=True) if level is not None]

    @property
    def confidence(self) -> float:
        """Mean probability, in [0, 1], of the named bodies to be bodies at all."""
        return float(np.mean([body.mean(lambda d: d.confidence) for body, _ in self.named]))

    @property
    def lean_deg(self) -> float:
        """How much further backwards than usual the bodies named above S1 lean, at the median; 0 where none is."""
        leans = [
            _lean_deg(body.corners_mm(self.scan.spacing_mm[0])) - _USUAL_LEAN_DEG.get(level, _USUAL_LEAN_DEG["T12"])
            for body, level in self.named
            if level != "S1"
        ]
        return float(np.median(leans)) if leans else 0.0


def find_column(
    scan: Scan, network: VertebraNetwork, device: torch.device, progress: Count = uncounted
) -> Column | None:
    """Detect bodies on every slice, group them across slices and name them as a chain; None where there is no body.

    A spine that leans in the picture is read again, upright.
    """
    column = _column_as_it_lies(scan, network, device, progress)
    if column is None or abs(column.lean_deg) <= _MOST_LEAN_DEG:
        return column
    return _column_as_it_lies(turned_picture(scan, column.lean_deg), network, device) or column


def _lean_deg(corners_mm: NDArray[np.float64]) -> float:
    """corners_mm: (4, 2), see `BodyDetection`."""
    down, backwards = corners_mm[2:].mean(axis=0) - corners_mm[:2].mean(axis=0)
    return float(np.rad2deg(np.arctan2(backwards, down)))


def _column_as_it_lies(
    scan: Scan, network: VertebraNetwork, device: torch.device, progress: Count = uncounted
) -> Column | None:
    slice_mm, row_mm, _ = scan.spacing_mm
    slices, rows = scan.voxels.shape[:2]
    reading = read_scan_slices(scan, network, device, progress)
    bodies = group_bodies(list(reading.bodies), slices)
    return Column(tuple(bodies), name_bodies(bodies, slice_mm, rows * row_mm / 2), reading, scan) if bodies else None
