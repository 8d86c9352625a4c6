"""What is done to a scan and its truth together, to see what the finder bears."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import Affine
from SpineNetCore.learning.localisation.cases import OTHER_DISC, Case, without
from SpineNetCore.scan import mapped, with_averaged_slices
from SpineNetCore.turning import resampled, turn_about_middle

Change = Callable[[Case, np.random.Generator], Case | None]

THICK_MM = 4.0
NOISE = 0.1
BIAS_RATIO = 6.0


@dataclass(frozen=True)
class Condition:
    """change: the case as it is to be measured, or None where it cannot be had, such as a cut above an unseen disc."""

    title: str
    change: Change


def as_it_is(case: Case, _: np.random.Generator) -> Case:
    """Nothing done."""
    return case


def thick_slices(case: Case, _: np.random.Generator) -> Case:
    """Neighbouring slices averaged to about `THICK_MM`; a voxel is a disc's where at least half of them were."""
    scan = with_averaged_slices(case.scan, THICK_MM)
    discs = np.zeros(scan.voxels.shape, dtype=np.uint8)
    for number in range(1, OTHER_DISC + 1):
        mask = replace(case.scan, voxels=(case.discs == number).astype(np.float32))
        discs[with_averaged_slices(mask, THICK_MM).voxels >= 0.5] = number
    return replace(case, scan=scan, discs=discs)


def middle_slice(case: Case, _: np.random.Generator) -> Case:
    """The middle slice alone."""
    return _cropped(case, 0, len(case.discs) // 2, len(case.discs) // 2 + 1)


def cut_above_l5_s1(case: Case, _: np.random.Generator) -> Case | None:
    """The rows from the upper end of L5-S1 downwards taken away, the sacrum with them."""
    rows = _rows(case, "L5-S1")
    return None if len(rows) == 0 else _cropped(case, 1, 0, int(rows.min()))


def cut_below_t12_l1(case: Case, _: np.random.Generator) -> Case | None:
    """The rows down to the lower end of T12-L1 taken away."""
    rows = _rows(case, "T12-L1")
    return None if len(rows) == 0 else _cropped(case, 1, int(rows.max()) + 1, case.discs.shape[1])


def turned(case: Case, _: np.random.Generator, angle_deg: float) -> Case:
    """The patient turned within the sagittal plane, about the middle of an unchanged field of view; undone by
    `-angle_deg`, but for interpolation and for what left the view.
    """
    _, rows, columns = case.discs.shape
    size = rows, columns
    old_from_new = turn_about_middle(case.scan, angle_deg, size)
    new_from_old = np.asarray(np.linalg.inv(old_from_new), dtype=np.float64)
    scan = replace(case.scan, voxels=resampled(case.scan.voxels, old_from_new, size, order=1), file_grid=None)
    new = replace(case, scan=scan, discs=resampled(case.discs, old_from_new, size, order=0))
    return _in_view(case, _moved(new, scan.ras_from_ijk @ new_from_old @ scan.ijk_from_ras), new_from_old)


def noisy(case: Case, rng: np.random.Generator) -> Case:
    """Rician noise of `NOISE` times the bright end of the scan."""
    voxels = case.scan.voxels
    sigma = NOISE * float(np.percentile(voxels, 99))
    real, imaginary = rng.normal(0, sigma, (2, *voxels.shape)).astype(np.float32)
    return _with_voxels(case, np.hypot(voxels + real, imaginary))


def unevenly_lit(case: Case, rng: np.random.Generator) -> Case:
    """A smooth bias field whose brightest place is `BIAS_RATIO` times its darkest."""
    row, column = np.meshgrid(*(np.linspace(-1, 1, size) for size in case.discs.shape[1:]), indexing="ij")
    weights = rng.normal(size=5)
    log_gain = np.tensordot(weights, np.stack([row, column, row * column, row**2, column**2]), axes=1)
    log_gain *= np.log(BIAS_RATIO) / np.ptp(log_gain)
    return _with_voxels(case, case.scan.voxels * np.exp(log_gain - log_gain.mean()))


AS_IT_IS = Condition("as is", as_it_is)
ALL_CONDITIONS = (
    AS_IT_IS,
    Condition("slices averaged to 4 mm", thick_slices),
    Condition("one middle slice", middle_slice),
    Condition("cut above L5-S1", cut_above_l5_s1),
    Condition("cut below T12-L1", cut_below_t12_l1),
    *(Condition(f"turned by {angle:+d}°", partial(turned, angle_deg=angle)) for angle in (-20, -10, 10, 20)),
    Condition("noise added", noisy),
    Condition("strong bias field", unevenly_lit),
)


def _with_voxels(case: Case, voxels: NDArray[np.floating]) -> Case:
    return replace(case, scan=replace(case.scan, voxels=voxels.astype(np.float32)))


def _rows(case: Case, level: str) -> NDArray[np.intp]:
    return np.nonzero(case.disc(level).any(axis=(0, 2)))[0]


def _cropped(case: Case, axis: int, start: int, stop: int) -> Case:
    """The case between two indices of one axis."""
    kept = tuple(slice(start, stop) if a == axis else slice(None) for a in range(3))
    old_from_new, new_from_old = np.eye(4), np.eye(4)
    old_from_new[axis, 3], new_from_old[axis, 3] = start, -start
    scan = replace(
        case.scan,
        voxels=np.ascontiguousarray(case.scan.voxels[kept]),
        ras_from_ijk=case.scan.ras_from_ijk @ old_from_new,
        file_grid=None,
    )
    return _in_view(case, replace(case, scan=scan, discs=case.discs[kept]), new_from_old)


def _in_view(old: Case, new: Case, new_from_old: Affine) -> Case:
    """The new case, asking only for discs and bodies that lie wholly within its rows and columns."""
    size = np.array(new.discs.shape[1:])
    lost = set()
    for level in new.levels:
        places = mapped(new_from_old, np.argwhere(old.disc(level)).astype(np.float64))[:, 1:]
        if ((places < -0.5) | (places > size - 0.5)).any():
            lost.add(level)
    bodies = tuple(
        vertebra
        for vertebra in new.vertebrae
        for places in [mapped(new.scan.ijk_from_ras, vertebra.corners_ras_mm)[:, 1:]]
        if ((places >= -0.5) & (places <= size - 0.5)).all()
    )
    return replace(without(new, frozenset(lost)), vertebrae=bodies)


def _moved(case: Case, ras_from_ras: Affine) -> Case:
    """The truth's own points moved in space."""
    centres = case.known_centres
    return replace(
        case,
        known_centres=centres and {level: mapped(ras_from_ras, centre) for level, centre in centres.items()},
        vertebrae=tuple(replace(v, corners_ras_mm=mapped(ras_from_ras, v.corners_ras_mm)) for v in case.vertebrae),
    )
