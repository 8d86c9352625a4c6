"""Scans whose discs are known: SPIDER's slabs by their masks, phantoms by their own truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import DISC_LEVELS, Point, Vertebra
from SpineNetCore.learning.datasets.spider import MASK_DISC, Slab, slab
from SpineNetCore.learning.phantom import Phantom, PhantomLabel
from SpineNetCore.learning.unseen_phantoms import unseen_phantom
from SpineNetCore.scan import Scan, mapped

OTHER_DISC = len(DISC_LEVELS) + 1
"""Marks a disc that nobody asks for: above T12-L1, or not wholly in view. Reported there, a centre is not false."""

SLABS, PHANTOMS = "Slabs of SPIDER patients", "Phantoms"

_SMALLEST_DISC = 500
_SAME_DISC_MM = 12.0
_DISC_REACH_MM = 15.0

Discs = NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """A scan with its truth.

    group: what it is reported with. patient: whose scan it is. discs: uint8 [slice, row, column], 1 + the place in
    DISC_LEVELS, `OTHER_DISC`, or 0. known_centres: RAS millimetres by level where the truth has them besides masks.
    vertebrae: those whose corners are known, from the head downwards.
    """

    group: str
    patient: str
    scan: Scan
    discs: Discs
    known_centres: dict[str, Point] | None = None
    vertebrae: tuple[Vertebra, ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """The graded discs that are there to be found, from the head downwards."""
        numbers = np.flatnonzero(np.bincount(self.discs.ravel(), minlength=OTHER_DISC + 1))
        return tuple(DISC_LEVELS[number - 1] for number in numbers if 0 < number < OTHER_DISC)

    def disc(self, level: str) -> NDArray[np.bool_]:
        """The voxels, [slice, row, column], of a graded disc."""
        return np.asarray(self.discs == number_of(level))

    def centre(self, level: str) -> Point:
        """(3,) RAS millimetres: the truth's own, or else the mean of the mask's voxels on its mid-slice.

        The mid-slice is the one at their mean slice, rounded: slabs do not reach a disc's sides, so that no centre
        from right to left can be told from them.
        """
        if self.known_centres is not None:
            return self.known_centres[level]
        voxels = np.argwhere(self.disc(level))
        on_slice = voxels[voxels[:, 0] == np.rint(voxels[:, 0].mean())]
        middle = on_slice if len(on_slice) else voxels
        return mapped(self.scan.ras_from_ijk, middle.mean(axis=0))


def slab_case(slab: Slab) -> Case:
    """The masks of a SPIDER slab, named from the bottom: the lowest labelled disc is L5-S1.

    Pieces whose middles lie at nearly the same height are one disc, worn through. Specks name nothing.
    """
    labels, count = ndimage.label(slab.mask == MASK_DISC)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    rows = {k: float(np.nonzero(labels == k)[1].mean()) for k in range(1, count + 1) if sizes[k] > _SMALLEST_DISC}
    lowest_first = sorted(rows, key=lambda k: -rows[k])
    discs = np.where(labels > 0, OTHER_DISC, 0).astype(np.uint8)
    place, row_above = len(DISC_LEVELS) + 1, np.inf
    for piece in lowest_first:
        if (row_above - rows[piece]) * slab.scan.spacing_mm[1] > _SAME_DISC_MM:
            place -= 1
        row_above = rows[piece]
        if place > 0:
            discs[labels == piece] = place
    return Case(SLABS, str(slab.patient), slab.scan, discs)


def phantom_case(phantom: Phantom, name: str) -> Case:
    """Every disc voxel of a phantom belongs to the nearest disc in view, unless it lies too far above or below it."""
    voxels = np.argwhere(phantom.labels == PhantomLabel.DISC)
    centres = np.array([disc.centre_ras_mm for disc in phantom.discs])
    apart = mapped(phantom.scan.ras_from_ijk, voxels.astype(np.float64))[:, None] - centres[None]  # (V, D, 3)
    nearest = np.linalg.norm(apart, axis=2).argmin(axis=1)
    down = _down(centres, phantom.scan)[nearest]
    off = np.abs((apart[np.arange(len(voxels)), nearest] * down).sum(axis=1))
    numbers = np.array([number_of(disc.level) for disc in phantom.discs], dtype=np.uint8)
    discs = np.zeros(phantom.labels.shape, dtype=np.uint8)
    discs[tuple(voxels.T)] = np.where(off < _DISC_REACH_MM, numbers[nearest], OTHER_DISC)
    known = {disc.level: disc.centre_ras_mm for disc in phantom.discs if disc.level in DISC_LEVELS}
    return Case(PHANTOMS, name, phantom.scan, discs, known, phantom.vertebrae)


def read_slab_case(folder: Path, patient: int) -> Case:
    """The slab of one patient of the reduced SPIDER copy, as `slab_case` takes it."""
    return slab_case(slab(folder, patient))


def simulated_case(number: int) -> Case:
    """One of the phantoms kept for evaluation, as `phantom_case` takes it."""
    return phantom_case(unseen_phantom(number), f"phantom {number}")


def without(case: Case, levels: frozenset[str]) -> Case:
    """The same case with some discs no longer asked for."""
    numbers = [number_of(level) for level in levels]
    return replace(case, discs=np.where(np.isin(case.discs, numbers), OTHER_DISC, case.discs).astype(np.uint8))


def number_of(level: str) -> int:
    """What marks a disc in `Case.discs`."""
    return DISC_LEVELS.index(level) + 1 if level in DISC_LEVELS else OTHER_DISC


def _down(centres: NDArray[np.float64], scan: Scan) -> NDArray[np.float64]:
    """(D, 3) unit vectors down the spine at each disc."""
    if len(centres) < 2:
        along = np.broadcast_to(scan.ras_from_ijk[:3, 1], centres.shape)
    else:
        along = np.gradient(centres, axis=0)
    return np.asarray(along / np.linalg.norm(along, axis=1, keepdims=True))
