"""Where the vertebrae are, what they are called, and the discs between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch

from SpineNetCore.anatomy import DISC_LEVELS, Disc, Vertebra, disc_level, neighbours
from SpineNetCore.bodies import Body, corners_in_space
from SpineNetCore.column import Column, find_column
from SpineNetCore.disc_centring import centred
from SpineNetCore.naming import Naming
from SpineNetCore.naming_doubts import naming_doubts
from SpineNetCore.naming_override import NamingOverride, renamed
from SpineNetCore.picture_doubts import picture_doubts
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.refusals import check_column, check_upright, check_vertebrae, is_plain, no_spine
from SpineNetCore.scan import Scan, unit, within_slices
from SpineNetCore.vertebra_network import VertebraNetwork

NAMED_BY_READER: Mapping[int, float] = MappingProxyType({0: 1.0})
"""The `shifts` of a spine whose names a reader gave."""


@dataclass(frozen=True)
class Spine:
    """What was found in a scan: vertebrae from the head downwards, the graded discs between them, and doubts.

    shifts: probability of this naming, under 0, and of the others, by how many levels towards the feet they move it.
    warnings: one sentence each. naming_doubts: those of them that are over once a reader has named the levels.
    absence: why a level may be missing.
    """

    vertebrae: tuple[Vertebra, ...]
    discs: tuple[Disc, ...]
    shifts: Mapping[int, float]
    warnings: tuple[str, ...]
    naming_doubts: tuple[str, ...] = ()
    absence: str = "outside the scan's field of view, or not recognisable on it."

    @property
    def naming_confidence(self) -> float:
        """Probability of these names, in [0, 1]."""
        return self.shifts[0]

    def disc(self, level: str) -> Disc | None:
        """The disc of that level, None when it was not found."""
        return next((disc for disc in self.discs if disc.level == level), None)

    def reason_for_absence(self, level: str) -> str:
        """One sentence on why a graded disc is not among `discs`."""
        found = {vertebra.level for vertebra in self.vertebrae}
        missing = [name for name in level.split("-") if name not in found] or [level]
        return f"{' and '.join(missing)} not found: {self.absence}"


def find_spine(
    scan: Scan,
    network: VertebraNetwork,
    device: torch.device,
    progress: Count = uncounted,
    override: NamingOverride | None = None,
) -> Spine:
    """Find and name the vertebrae of a sagittal lumbar scan.

    As the paper's section 4: bodies are detected on every slice with their tight corners, grouped across slices, and
    named as one chain. override: the names as the reader sets them. Raises InputError when what forms a chain is no
    lumbar spine, or lies upside down.
    """
    column = find_column(scan, network, device, progress)
    if column is None:
        raise no_spine(scan)
    scan = column.scan
    check_column(column, scan)
    is_sure = override is not None or is_plain(column.naming)
    if override is None:
        check_upright(column, scan, network, device)
    else:
        column = _renamed(column, scan, override)
    vertebrae = tuple(_vertebra(body, level, scan) for body, level in column.named)
    check_vertebrae(vertebrae, is_sure, scan)
    discs = tuple(centred(disc, column.reading, scan) for disc in discs_between(vertebrae, scan))
    doubts = naming_doubts(column.named, column.naming) if override is None else ()
    notices = () if override is None else (override.notice,)
    warnings = (*doubts, *notices, *picture_doubts(column.reading))
    return Spine(vertebrae, discs, column.naming.shifts, warnings, doubts)


def discs_between(vertebrae: tuple[Vertebra, ...], scan: Scan) -> tuple[Disc, ...]:
    """The graded discs whose two vertebrae are both there, from the head downwards."""
    return tuple(
        _disc(upper, lower, scan)
        for upper, lower in neighbours(vertebrae)
        if disc_level(upper.level, lower.level) in DISC_LEVELS
    )


def _renamed(column: Column, scan: Scan, override: NamingOverride) -> Column:
    levels = renamed(column.naming.levels, [corners_in_space(body, scan) for body in column.bodies], override)
    return replace(column, naming=Naming(levels, NAMED_BY_READER))


def _vertebra(body: Body, level: str, scan: Scan) -> Vertebra:
    half_width = body.slice_count * scan.spacing_mm[0] / 2
    return Vertebra(level, corners_in_space(body, scan), half_width, body.mean(lambda d: d.confidence))


def _disc(upper: Vertebra, lower: Vertebra, scan: Scan) -> Disc:
    front = (upper.corners_ras_mm[3], lower.corners_ras_mm[0])
    rear = (upper.corners_ras_mm[2], lower.corners_ras_mm[1])
    backwards = np.mean([unit(r - f) for f, r in zip(front, rear, strict=True)], axis=0)
    posterior, inferior = within_slices(backwards, scan.left)
    middle_above, middle_below = (front[0] + rear[0]) / 2, (front[1] + rear[1]) / 2
    return Disc(
        upper,
        lower,
        centre_ras_mm=(middle_above + middle_below) / 2,
        posterior=posterior,
        inferior=inferior,
        left=scan.left,
        width_mm=float(np.mean([np.linalg.norm(r - f) for f, r in zip(front, rear, strict=True)])),
        height_mm=float(abs((middle_below - middle_above) @ inferior)),
    )
