"""The column of vertebral bodies on a scan, named as one chain."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from SpineNetCore.bodies import Body, group_bodies
from SpineNetCore.detection import Reading, read_scan_slices
from SpineNetCore.naming import Naming, name_bodies
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.scan import Scan
from SpineNetCore.vertebra_network import VertebraNetwork


@dataclass(frozen=True)
class Column:
    """At least one body, from the head downwards, each with its name or none, and the reading that they are from."""

    bodies: tuple[Body, ...]
    naming: Naming
    reading: Reading

    @property
    def named(self) -> list[tuple[Body, str]]:
        """The bodies that the chain does not leave out."""
        return [(body, level) for body, level in zip(self.bodies, self.naming.levels, strict=True) if level is not None]


def find_column(
    scan: Scan, network: VertebraNetwork, device: torch.device, progress: Count = uncounted
) -> Column | None:
    """Detect bodies on every slice, group them across slices and name them as a chain; None where there is no body."""
    slice_mm, row_mm, _ = scan.spacing_mm
    slices, rows = scan.voxels.shape[:2]
    reading = read_scan_slices(scan, network, device, progress)
    bodies = group_bodies(list(reading.bodies), slices)
    return Column(tuple(bodies), name_bodies(bodies, slice_mm, rows * row_mm / 2), reading) if bodies else None
