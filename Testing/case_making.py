"""A drawn case whose discs fill the gaps between tidy bodies, and finders that know them and err as they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
from spine_making import LUMBAR, a_column, an_empty_scan, inside, vertebrae_of

from SpineNetCore.anatomy import DISC_LEVELS, Disc
from SpineNetCore.learning.localisation.cases import Case
from SpineNetCore.localisation import NAMED_BY_READER, Spine, discs_between
from SpineNetCore.scan import Scan, mapped


def a_case(slices: int = 5, levels: tuple[str, ...] = LUMBAR) -> Case:
    """Masks, centres and corners, on a scan whose discs are bright; the discs are those between the bodies."""
    scan = an_empty_scan(slices)
    shapes = a_column(levels)
    discs = np.zeros(scan.voxels.shape, dtype=np.uint8)
    for upper, lower in pairwise(shapes):
        gap = np.concatenate([upper.corners_mm[[3, 2]], lower.corners_mm[[1, 0]]])
        within = inside(gap, discs.shape[1:], scan.spacing_mm[1:])
        discs[:, within] = DISC_LEVELS.index(f"{upper.level}-{lower.level}") + 1
    scan = replace(scan, voxels=100 * (discs > 0).astype(np.float32))
    vertebrae = vertebrae_of(scan, shapes)
    centres = {disc.level: disc.centre_ras_mm for disc in discs_between(vertebrae, scan)}
    return Case("Drawn", "1", scan, discs, centres, vertebrae)


def true_spine(case: Case) -> Spine:
    """What a perfect finder says; it also names discs beside a body that the picture cuts."""
    discs = tuple(
        replace(disc, centre_ras_mm=case.centre(disc.level))
        for disc in discs_between(a_case().vertebrae, case.scan)
        if disc.level in case.levels
    )
    return Spine(case.vertebrae, discs, NAMED_BY_READER, ())


def saying(spine: Spine) -> Callable[[Scan], Spine]:
    """A finder that says the same of every scan."""
    return lambda _: spine


def shifted_by_a_level(case: Case) -> Spine:
    """Every body called as the one below it, the lowest left out."""
    names = [vertebra.level for vertebra in case.vertebrae]
    shifted = tuple(replace(v, level=name) for v, name in zip(case.vertebrae[:-1], names[1:], strict=True))
    return Spine(shifted, discs_between(shifted, case.scan), NAMED_BY_READER, ())


def with_disc_moved(spine: Spine, level: str, down_mm: float) -> Spine:
    """One disc's centre further down its own frame."""

    def moved(disc: Disc) -> Disc:
        return replace(disc, centre_ras_mm=disc.centre_ras_mm + down_mm * disc.inferior)

    return replace(spine, discs=tuple(moved(disc) if disc.level == level else disc for disc in spine.discs))


def edge_below_centre_mm(case: Case, level: str) -> float:
    """How far down its own frame the mask's last voxel face lies below a disc's centre, to a hundredth."""
    disc = next(disc for disc in true_spine(case).discs if disc.level == level)
    steps = np.arange(0, 20, 0.01)
    places = np.rint(mapped(case.scan.ijk_from_ras, disc.centre_ras_mm + steps[:, None] * disc.inferior)).astype(int)
    within = case.discs[tuple(places.T)] == DISC_LEVELS.index(level) + 1
    return float(steps[within].max())
