"""What is counted on one scan: discs found, rightly named, false, and how far centres and corners are off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import DISC_LEVELS, Point, Vertebra
from SpineNetCore.errors import InputError
from SpineNetCore.learning.localisation.cases import OTHER_DISC, Case, number_of
from SpineNetCore.localisation import Spine
from SpineNetCore.scan import Scan, mapped

Finder = Callable[[Scan], Spine]
"""Finds and names the spine of a scan; raises InputError, with the reason, on a scan that it refuses."""

SLACK_MM = 2.0
_SAME_BODY_MM = 12.0


@dataclass(frozen=True)
class DiscOutcome:
    """What became of one disc that is there.

    reported_as: names under which a centre was reported within `SLACK_MM` of it, none where it was missed. Errors are
    those of the nearest of these centres, NaN where there is none; centre_error_mm within the sagittal plane,
    lateral_error_mm across it.
    """

    level: str
    reported_as: tuple[str, ...]
    centre_error_mm: float
    lateral_error_mm: float

    @property
    def is_found(self) -> bool:
        return bool(self.reported_as)

    @property
    def is_named(self) -> bool:
        """Found, and by the disc of its own name."""
        return self.level in self.reported_as


@dataclass(frozen=True)
class Outcome:
    """What became of one scan.

    false: names of reported discs that lie in no disc at all. corner_errors_mm: within the sagittal plane, of every
    corner of every body found, S1's lower ones apart in s1_lower_errors_mm: no landmark says where S1 ends.
    confidence: of the naming, NaN where the scan was refused. runner_up: by how many levels towards the feet the
    likeliest other naming moves it, and its probability; None where there is no other. refusal: the reason, None where
    it was not.
    """

    group: str
    patient: str
    condition: str
    slice_mm: float
    discs: tuple[DiscOutcome, ...]
    false: tuple[str, ...] = ()
    corner_errors_mm: tuple[float, ...] = ()
    s1_lower_errors_mm: tuple[float, ...] = ()
    confidence: float = float("nan")
    runner_up: tuple[int, float] | None = None
    warnings: tuple[str, ...] = ()
    refusal: str | None = None

    @property
    def found(self) -> int:
        return sum(disc.is_found for disc in self.discs)

    @property
    def named(self) -> int:
        return sum(disc.is_named for disc in self.discs)

    @property
    def missed(self) -> tuple[str, ...]:
        """Names of the discs that were not found."""
        return tuple(disc.level for disc in self.discs if not disc.is_found)

    @property
    def misnamed(self) -> tuple[tuple[str, str], ...]:
        """Of the discs that bear another's name, their own and the one given."""
        return tuple((disc.level, disc.reported_as[0]) for disc in self.discs if disc.is_found and not disc.is_named)

    @property
    def is_second_right(self) -> bool:
        """Whether there are misnamed discs, and the runner-up gives all of them their own names."""
        shifts = {DISC_LEVELS.index(own) - DISC_LEVELS.index(given) for own, given in self.misnamed}
        return self.runner_up is not None and shifts == {self.runner_up[0]}

    @property
    def is_failure(self) -> bool:
        """Whether a disc was missed, misnamed, or made up."""
        return self.named < len(self.discs) or bool(self.false)


def measured(case: Case, find: Finder, condition: str) -> tuple[Outcome, Spine | None]:
    """Find the spine and compare with the truth; on a refused scan all discs are missed."""
    of_scan = (case.group, case.patient, condition, case.scan.spacing_mm[0])
    try:
        spine = find(case.scan)
    except InputError as refusal:
        missed = tuple(DiscOutcome(level, (), np.nan, np.nan) for level in case.levels)
        return Outcome(*of_scan, missed, refusal=str(refusal)), None
    hits = hits_of(case, spine)
    corners, s1_lower = _corner_errors(case, spine)
    outcome = Outcome(
        *of_scan,
        tuple(_disc_outcome(case, spine, level, hits) for level in case.levels),
        tuple(level for level, hit in hits.items() if hit is None),
        corners,
        s1_lower,
        spine.naming_confidence,
        _runner_up(spine),
        spine.warnings,
    )
    return outcome, spine


def _runner_up(spine: Spine) -> tuple[int, float] | None:
    others = [(shift, probability) for shift, probability in spine.shifts.items() if shift]
    return max(others, key=lambda other: other[1], default=None)


def hits_of(case: Case, spine: Spine) -> dict[str, int | None]:
    """By reported name, the number in `case.discs` of the disc that its centre lies in; None where it lies in none."""
    voxels = np.argwhere(case.discs > 0)
    numbers = case.discs[tuple(voxels.T)]
    return {disc.level: _disc_at(disc.centre_ras_mm, voxels, numbers, case.scan) for disc in spine.discs}


def _disc_at(centre_ras_mm: Point, voxels: NDArray[np.intp], numbers: NDArray[np.uint8], scan: Scan) -> int | None:
    """The nearest disc within the slack, a graded one before any other; distances are to the faces of the voxels."""
    apart = np.abs(voxels - mapped(scan.ijk_from_ras, centre_ras_mm))
    distance = np.linalg.norm(np.maximum(apart - 0.5, 0) * np.array(scan.spacing_mm), axis=1)
    for candidates in (numbers != OTHER_DISC, numbers == OTHER_DISC):
        near = candidates & (distance <= SLACK_MM)
        if near.any():
            return int(numbers[near][distance[near].argmin()])
    return None


def _disc_outcome(case: Case, spine: Spine, level: str, hits: dict[str, int | None]) -> DiscOutcome:
    names = tuple(name for name, hit in hits.items() if hit == number_of(level))
    centres = [disc.centre_ras_mm for disc in spine.discs if disc.level in names]
    if not centres:
        return DiscOutcome(level, (), np.nan, np.nan)
    off = _in_plane_and_across(np.array(centres) - case.centre(level), case.scan)
    nearest = int(off[:, 0].argmin())
    return DiscOutcome(level, names, float(off[nearest, 0]), float(off[nearest, 1]))


def _corner_errors(case: Case, spine: Spine) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of bodies found, whatever they are called: those whose upper endplates' middles lie near each other."""
    others: list[float] = []
    s1_lower: list[float] = []
    for vertebra in case.vertebrae:
        found = _same_body(vertebra, spine.vertebrae, case.scan)
        if found is not None:
            off = _in_plane_and_across(found.corners_ras_mm - vertebra.corners_ras_mm, case.scan)[:, 0].tolist()
            others += off[:2] if vertebra.level == "S1" else off
            s1_lower += off[2:] if vertebra.level == "S1" else []
    return tuple(others), tuple(s1_lower)


def _same_body(vertebra: Vertebra, found: Sequence[Vertebra], scan: Scan) -> Vertebra | None:
    if not found:
        return None
    middles = np.array([body.corners_ras_mm[:2].mean(axis=0) for body in found])
    off = _in_plane_and_across(middles - vertebra.corners_ras_mm[:2].mean(axis=0), scan)[:, 0]
    return found[int(off.argmin())] if off.min() < _SAME_BODY_MM else None


def _in_plane_and_across(vectors_ras_mm: NDArray[np.float64], scan: Scan) -> NDArray[np.float64]:
    """(N, 2) millimetres within the scan's sagittal plane, and across it."""
    normal = scan.left
    across = vectors_ras_mm @ normal
    in_plane = np.linalg.norm(vectors_ras_mm - across[:, None] * normal, axis=1)
    return np.stack([in_plane, np.abs(across)], axis=1)
