"""Where the vertebrae are, what they are called, and the discs between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS, Disc, Point, Vertebra, disc_level
from SpineNetCore.bodies import Body, corners_in_space, group_bodies
from SpineNetCore.detection import read_scan_slices
from SpineNetCore.disc_centring import centred
from SpineNetCore.errors import InputError
from SpineNetCore.naming import name_bodies
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.scan import Scan
from SpineNetCore.vertebra_network import VertebraNetwork

_FEWEST_BODIES = 3
_UNSURE_BELOW = 0.9


@dataclass(frozen=True)
class Spine:
    """What was found in a scan: vertebrae from the head downwards, the graded discs between them, and doubts.

    naming_confidence: chance of this naming against the runner-up, in [0.5, 1]. warnings: one sentence each.
    absence: why a level may be missing.
    """

    vertebrae: tuple[Vertebra, ...]
    discs: tuple[Disc, ...]
    naming_confidence: float
    warnings: tuple[str, ...]
    absence: str = "outside the scan's field of view, or not recognisable on it."

    def disc(self, level: str) -> Disc | None:
        """The disc of that level, None when it was not found."""
        return next((disc for disc in self.discs if disc.level == level), None)

    def reason_for_absence(self, level: str) -> str:
        """One sentence on why a graded disc is not among `discs`."""
        found = {vertebra.level for vertebra in self.vertebrae}
        missing = [name for name in level.split("-") if name not in found] or [level]
        return f"{' and '.join(missing)} not found: {self.absence}"


def find_spine(scan: Scan, network: VertebraNetwork, device: torch.device, progress: Count = uncounted) -> Spine:
    """Find and name the vertebrae of a sagittal lumbar scan.

    As the paper's section 4: bodies are detected on every slice with their tight corners, grouped across slices, and
    named as one chain. Raises InputError when fewer than three bodies, or L5 and S1, form a spine.
    """
    slice_mm, row_mm, _ = scan.spacing_mm
    reading = read_scan_slices(scan, network, device, progress)
    bodies = group_bodies(list(reading.bodies), slices=scan.voxels.shape[0])
    if not bodies:
        raise _no_spine(scan)
    naming = name_bodies(bodies, slice_mm, middle_row_mm=scan.voxels.shape[1] * row_mm / 2)
    named = [(body, level) for body, level in zip(bodies, naming.levels, strict=True) if level is not None]
    if not _is_lumbar_spine([level for _, level in named], naming.confidence):
        raise _no_spine(scan)
    vertebrae = tuple(_vertebra(body, level, scan) for body, level in named)
    discs = tuple(centred(disc, reading, scan) for disc in discs_between(vertebrae, scan))
    return Spine(vertebrae, discs, naming.confidence, _doubts(vertebrae, naming.confidence))


def discs_between(vertebrae: tuple[Vertebra, ...], scan: Scan) -> tuple[Disc, ...]:
    """The graded discs whose two vertebrae are both there, from the head downwards."""
    by_level = {vertebra.level: vertebra for vertebra in vertebrae}
    return tuple(
        _disc(by_level[upper], by_level[lower], scan)
        for upper, lower in pairwise(VERTEBRA_LEVELS)
        if disc_level(upper, lower) in DISC_LEVELS and upper in by_level and lower in by_level
    )


def _is_lumbar_spine(levels: list[str], confidence: float) -> bool:
    """Three bodies in a chain, or L5 and S1 alone when their names are sure."""
    return len(levels) >= _FEWEST_BODIES or (levels == ["L5", "S1"] and confidence >= _UNSURE_BELOW)


def _no_spine(scan: Scan) -> InputError:
    return InputError(
        f"No lumbar spine was found on {scan.name!r}: choose a T2-weighted sagittal series of the lumbar spine."
    )


def _vertebra(body: Body, level: str, scan: Scan) -> Vertebra:
    half_width = body.slice_count * scan.spacing_mm[0] / 2
    return Vertebra(level, corners_in_space(body, scan), half_width, body.mean("confidence"))


def _disc(upper: Vertebra, lower: Vertebra, scan: Scan) -> Disc:
    front = (upper.corners_ras_mm[3], lower.corners_ras_mm[0])
    rear = (upper.corners_ras_mm[2], lower.corners_ras_mm[1])
    left = _unit(scan.ras_from_ijk[:3, 0])
    backwards = np.mean([_unit(r - f) for f, r in zip(front, rear, strict=True)], axis=0)
    posterior = _unit(backwards - (backwards @ left) * left)
    middle_above, middle_below = (front[0] + rear[0]) / 2, (front[1] + rear[1]) / 2
    towards_feet = scan.ras_from_ijk[:3, 1]
    inferior = np.cross(left, posterior)
    inferior = inferior * np.sign(inferior @ towards_feet)
    return Disc(
        upper,
        lower,
        centre_ras_mm=(middle_above + middle_below) / 2,
        posterior=posterior,
        inferior=inferior,
        left=left,
        width_mm=float(np.mean([np.linalg.norm(r - f) for f, r in zip(front, rear, strict=True)])),
        height_mm=float(abs((middle_below - middle_above) @ inferior)),
    )


def _unit(vector: Point) -> Point:
    return np.asarray(vector / np.linalg.norm(vector))


def _doubts(vertebrae: tuple[Vertebra, ...], confidence: float) -> tuple[str, ...]:
    doubts = []
    if vertebrae[-1].level != "S1":
        doubts.append(f"The sacrum was not found: levels are counted from {vertebrae[-1].level}, the lowest one seen.")
    if confidence < _UNSURE_BELOW:
        doubts.append(
            f"The names of the levels are uncertain (confidence {confidence:.2f}): check them on the picture."
        )
    return tuple(doubts)
