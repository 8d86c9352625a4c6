"""Discs, and roughly the bodies between them, from nothing but a point in each disc."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS, Disc, Point, Vertebra, disc_level
from SpineNetCore.errors import InputError
from SpineNetCore.localisation import NAMED_BY_READER, Spine
from SpineNetCore.scan import Scan

WIDTH_PER_SPACING, HEIGHT_PER_SPACING = 0.90, 0.30
"""A disc's width and height in mean distances between neighbouring discs. ours: means over 96 discs of 16 SPIDER
training patients as the detector outlined them; the ratios of single discs stray by 0.06 and 0.05."""

LEAN_DEG, SACRAL_LEAN_DEG = 3.0, 13.0
"""How far a disc's axis leans further back, towards the feet, than the line through its neighbours; L5-S1, which has
one neighbour only, more. ours: means over the same discs, which stray by 1 and 4.5 degrees."""

_SPACING_MM = (12.0, 70.0)
_HALF_WIDTH_MM = 20.0
_LEVELS = tuple(disc_level(upper, lower) for upper, lower in pairwise(VERTEBRA_LEVELS))


@dataclass(frozen=True)
class _Axis:
    """A disc before it has its bodies: the names and directions of `Disc`."""

    centre_ras_mm: Point
    posterior: Point
    inferior: Point


def spine_from_points(points: Mapping[str, Point], path: Path, scan: Scan) -> Spine:
    """Build discs around their centres, upright along the line through them; and the bodies above and below.

    The bodies are approximations: blocks that fill the room between endplates, good enough to tell how bright bone is.
    Raises InputError for fewer than two points, and for points that do not follow each other down the spine.
    """
    levels = [level for level in _LEVELS if level in points]
    if len(levels) < 2:
        raise InputError(
            f"'{path}' marks {len(levels)} disc{'s' * (len(levels) != 1)}: mark at least two, one point in the middle "
            "of each, since the line through them tells how the discs lie."
        )
    places = np.array([_LEVELS.index(level) for level in levels], dtype=np.float64)
    centres = np.stack([points[level] for level in levels])
    spacing_mm = _spacing_mm(levels, places, centres, path, scan)
    courses = np.gradient(centres, places, axis=0)
    axes = {level: _axis(points[level], course, level, scan) for level, course in zip(levels, courses, strict=True)}
    vertebrae = _vertebrae(axes, spacing_mm, scan)
    discs = tuple(_disc(level, axes[level], vertebrae, spacing_mm, scan) for level in DISC_LEVELS if level in axes)
    said = "The outlines of the vertebrae are rough, drawn from one point per disc."
    return Spine(tuple(vertebrae.values()), discs, NAMED_BY_READER, (said,))


def _spacing_mm(levels: list[str], places: Point, centres: Point, path: Path, scan: Scan) -> float:
    """Mean distance from one disc to the next, in levels that may leave some out."""
    steps = np.diff(centres, axis=0)
    step_mm = np.linalg.norm(steps, axis=1) / np.diff(places)
    falls = steps @ scan.ras_from_ijk[:3, 1] > 0
    for (upper, lower), length, does_fall in zip(pairwise(levels), step_mm, falls, strict=True):
        if not does_fall:
            raise InputError(f"'{path}' marks {upper} below {lower}: check the names of the points.")
        if not _SPACING_MM[0] <= length <= _SPACING_MM[1]:
            raise InputError(f"'{path}' marks {upper} and {lower} {length:.1f} mm a level apart: check their places.")
    return float(step_mm.mean())


def _axis(centre: Point, course: Point, level: str, scan: Scan) -> _Axis:
    along = course - (course @ scan.left) * scan.left
    along /= np.linalg.norm(along)
    back = np.cross(scan.left, along)
    lean = np.deg2rad(SACRAL_LEAN_DEG if level == "L5-S1" else LEAN_DEG)
    inferior = np.cos(lean) * along + np.sin(lean) * back
    posterior = np.cos(lean) * back - np.sin(lean) * along
    return _Axis(centre, posterior, inferior)


def _vertebrae(axes: Mapping[str, _Axis], spacing_mm: float, scan: Scan) -> dict[str, Vertebra]:
    """Every body that has a disc above or below, from the head downwards, by level."""
    found = {}
    for place, level in enumerate(VERTEBRA_LEVELS):
        above = axes.get(_LEVELS[place - 1]) if place else None
        below = axes.get(_LEVELS[place]) if place < len(_LEVELS) else None
        edges = _edges(above, below, spacing_mm)
        if edges is not None:
            found[level] = Vertebra(level, _on_one_plane(edges, scan.left), _HALF_WIDTH_MM, 1.0)
    return found


def _edges(above: _Axis | None, below: _Axis | None, spacing_mm: float) -> Point | None:
    """(4, 3) corners: the endplates next to the discs above and below, one carried on where the other disc is not."""
    body_mm = (1 - HEIGHT_PER_SPACING) * spacing_mm
    if above is not None and below is not None:
        return np.concatenate([_endplate(above, 1, spacing_mm), _endplate(below, -1, spacing_mm)[::-1]])
    if above is not None:
        upper = _endplate(above, 1, spacing_mm)
        return np.concatenate([upper, (upper + body_mm * above.inferior)[::-1]])
    if below is not None:
        lower = _endplate(below, -1, spacing_mm)
        return np.concatenate([lower - body_mm * below.inferior, lower[::-1]])
    return None


def _endplate(axis: _Axis, side: int, spacing_mm: float) -> Point:
    """(2, 3) front and rear of the endplate below (1) or above (-1) a disc."""
    middle = axis.centre_ras_mm + side * HEIGHT_PER_SPACING / 2 * spacing_mm * axis.inferior
    half = WIDTH_PER_SPACING / 2 * spacing_mm * axis.posterior
    return np.stack([middle - half, middle + half])


def _on_one_plane(corners: Point, left: Point) -> Point:
    sideways = corners @ left
    return np.asarray(corners + (sideways.mean() - sideways)[:, None] * left)


def _disc(level: str, axis: _Axis, vertebrae: Mapping[str, Vertebra], spacing_mm: float, scan: Scan) -> Disc:
    upper, lower = level.split("-")
    return Disc(
        vertebrae[upper],
        vertebrae[lower],
        axis.centre_ras_mm,
        axis.posterior,
        axis.inferior,
        scan.left,
        width_mm=WIDTH_PER_SPACING * spacing_mm,
        height_mm=HEIGHT_PER_SPACING * spacing_mm,
    )
