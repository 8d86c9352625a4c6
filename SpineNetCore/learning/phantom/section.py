"""One slice through a vertebral body: where its borders run, and how far every pixel is from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.phantom.canvas import Window
from SpineNetCore.learning.phantom.shapes import Body, Dent, Endplate, Plane

_ROUNDING_MM = 2.0


@dataclass(frozen=True)
class Section:
    """body as cut `offset_mm` to the left of its middle. corners: (4, 2). opacity: less than 1 where it just ends."""

    body: Body
    offset_mm: float
    corners: Plane
    opacity: float


@dataclass(frozen=True)
class Border:
    """Signed distances of pixels [row, column] from one border, positive outside; along: 0 to 1 down its length.

    distance_mm: from the border as it is. intact_mm: as it would be without dents.
    """

    distance_mm: FloatArray
    intact_mm: FloatArray
    along: FloatArray


@dataclass(frozen=True)
class Outline:
    """A body's borders and walls in one cut; distance: from the whole of it, its corners rounded. Positive outside."""

    upper: Border
    lower: Border
    walls: FloatArray
    distance: FloatArray


def section(body: Body, lateral_mm: float, thickness_mm: float) -> Section | None:
    """Cut a body at a lateral place; None where the slice passes it by."""
    offset = lateral_mm - body.lateral_mm
    opacity = float(np.clip((body.half_width_mm - abs(offset)) / thickness_mm + 0.5, 0, 1))
    if opacity <= 0:
        return None
    u = min(abs(offset) / body.half_width_mm, 1.0)
    rounding = 1 - np.sqrt(max(1 - u**2.6, 0.0))
    corners = body.corners + offset * np.array([body.twist, body.coronal_slope])
    depth = (body.corners[1] - body.corners[0], body.corners[2] - body.corners[3])
    front, rear = 0.55 * rounding, -0.22 * rounding
    shifts = np.stack([front * depth[0], rear * depth[0], rear * depth[1], front * depth[1]])
    return Section(body, offset, corners + shifts, opacity)


def slab(cut: Section, thickness_mm: float) -> tuple[Section, ...]:
    """What a slice's thickness averages: the cut itself, and those a third of a slice to either side."""
    lateral = cut.body.lateral_mm + cut.offset_mm
    beside = [section(cut.body, lateral + step, thickness_mm) for step in (-thickness_mm / 3, thickness_mm / 3)]
    return (cut, *(part for part in beside if part is not None))


def outline(cut: Section, window: Window) -> Outline:
    """Where all of a body's borders run."""
    upper, lower, walls = superior_border(cut, window), inferior_border(cut, window), _wall_distance(cut, window)
    distance = smooth_maximum(np.maximum(upper.distance_mm, lower.distance_mm), walls, _ROUNDING_MM)
    return Outline(upper, lower, walls, distance)


def superior_border(cut: Section, window: Window) -> Border:
    """Distances from the upper endplate."""
    return _endplate_border(cut, window, cut.body.superior, (0, 1))


def inferior_border(cut: Section, window: Window) -> Border:
    """Distances from the lower endplate."""
    return _endplate_border(cut, window, cut.body.inferior, (3, 2))


def _wall_distance(cut: Section, window: Window) -> FloatArray:
    """Distances from whichever of the front and back wall is nearer."""
    front, t_front = line(cut.corners[3], cut.corners[0], window)
    back, t_back = line(cut.corners[1], cut.corners[2], window)
    anterior, posterior = cut.body.waist_mm
    return np.asarray(np.maximum(front + _hollow(t_front, anterior), back + _hollow(t_back, posterior)))


def line(start: Plane, end: Plane, window: Window) -> tuple[FloatArray, FloatArray]:
    """Signed distance from a line, positive to its left as one walks (outside, for AS to PS), and place along it."""
    step = end - start
    length = float(np.hypot(*step))
    ex, ey = (step / length).tolist()
    x, y = window.posterior_mm - np.float32(start[0]), window.inferior_mm - np.float32(start[1])
    return x * ey - y * ex, (x * ex + y * ey) / length


def smooth_maximum(a: FloatArray, b: FloatArray, radius_mm: float) -> FloatArray:
    """The larger of two distances, with the corner between them rounded."""
    blend = np.maximum(radius_mm - np.abs(a - b), 0)
    return np.asarray(np.maximum(a, b) + blend * blend * np.float32(0.25 / radius_mm))


def _endplate_border(cut: Section, window: Window, endplate: Endplate, ends: tuple[int, int]) -> Border:
    """The endplate's hollow is deepest in the middle of the body and gone at its sides."""
    distance, along = line(cut.corners[ends[0]], cut.corners[ends[1]], window)
    if ends == (3, 2):
        distance = -distance
    u = cut.offset_mm / cut.body.half_width_mm
    intact = distance + _hollow(along, endplate.bow_mm * max(1 - u**4, 0.0), endplate.skew)
    dented = intact
    for dent in endplate.dents:
        dented = dented + dent_depth(dent, cut, along)
    return Border(dented, intact, along)


def dent_depth(dent: Dent, cut: Section, along: FloatArray) -> FloatArray:
    """How deep a dent is at each place along its endplate in this slice, millimetres."""
    lateral = abs(cut.offset_mm - dent.lateral_mm) / dent.half_width_mm
    here = dent.depth_mm * float(np.exp(-(lateral**dent.flatness)))
    if abs(here) < 0.1:
        return np.zeros_like(along)
    x = np.abs(along - dent.along) * np.float32(cut.body.depth_mm / dent.half_length_mm)
    return np.asarray(
        np.float32(here) * np.exp(-(np.minimum(x, 4) ** np.float32(dent.flatness))) * _away_from_rim(along)
    )


def _away_from_rim(along: FloatArray) -> FloatArray:
    """0 at both corners, 1 from a tenth of the way in: the rim keeps its corners."""
    return np.asarray(np.clip(5 - np.abs(along - np.float32(0.5)) * 10, 0, 1))


def _hollow(along: FloatArray, depth_mm: float, skew: float = 0.0) -> FloatArray:
    t = np.clip(along, 0, 1)
    return np.asarray(np.float32(4 * depth_mm) * t * (1 - t) * (1 + np.float32(skew) * (2 * t - 1)))
