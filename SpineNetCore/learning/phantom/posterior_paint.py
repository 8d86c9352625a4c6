"""Posterior elements: spinous processes, laminae, pedicles, joints, and the nerve roots between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.phantom.canvas import PhantomLabel, Window
from SpineNetCore.learning.phantom.painting import Painting, between, capsule, convex
from SpineNetCore.learning.phantom.shapes import THORACIC_LEVELS, Body, Plane

_SACRAL_CREST = {"S1": 0.45, "S2": 0.35, "S3": 0.25}
_SHOWN, _FAINT = 0.5, 0.02
_MARGIN_MM = 3.0


@dataclass(frozen=True)
class _Frame:
    """A body's own directions behind its back wall: x towards the back, y towards the feet, millimetres."""

    origin: Plane
    back: Plane
    down: Plane

    def point(self, x: float, y: float) -> Plane:
        return np.asarray(self.origin + x * self.back + y * self.down)


@dataclass(frozen=True)
class _Rod:
    """A piece of bone between two places of a frame; shown: opacity in this slice."""

    start: tuple[float, float]
    end: tuple[float, float]
    radii: tuple[float, float]
    shown: float


def paint_posterior_elements(painting: Painting, body: Body) -> None:
    """Paint and label what one vertebra carries behind its body, as this slice cuts it."""
    offset = abs(painting.canvas.lateral_mm - body.lateral_mm) / painting.spine.stature
    frame = _frame(body)
    if body.is_sacral:
        rods = _crest(painting, body, offset)
    else:
        rods = _sides(painting, body, offset)
        _paint_root(painting, frame, offset)
        _paint_process(painting, frame, body, offset)
    for rod in rods:
        _paint_rod(painting, frame, rod)


def _frame(body: Body) -> _Frame:
    wall = body.corners[[1, 2]].mean(axis=0)
    down = body.corners[[2, 3]].mean(axis=0) - body.corners[[0, 1]].mean(axis=0)
    down = down / np.linalg.norm(down)
    return _Frame(wall, np.array([down[1], -down[0]]), down)


def _paint_process(painting: Painting, frame: _Frame, body: Body, offset: float) -> None:
    """The spinous process, a blade a few millimetres thick."""
    shown, size, shape = between(offset, -99, 4.2, painting.thickness_mm), painting.spine.stature, body.process
    start = painting.habit.sac_depth_mm + 6.0
    end, root = start + shape.length_mm, 5.0
    tip = root + shape.drop_mm
    outline = ((start, root), (end, tip - 1), (end + 1, tip + shape.tip_mm), (start + 2, root + shape.root_mm))
    corners = np.stack([frame.point(x * size, y * size) for x, y in outline])
    window = painting.canvas.around(corners, _MARGIN_MM)
    if window is not None and shown > _FAINT:
        _paint_bone(painting, window, convex(window, corners, 6.0), shown)


def _sides(painting: Painting, body: Body, offset: float) -> list[_Rod]:
    """Lamina, pedicle, both joint processes and the transverse process, from the midline outwards."""
    soft, behind = painting.thickness_mm, painting.habit.sac_depth_mm
    lumbar = body.level not in THORACIC_LEVELS
    inner, outer = (8.5, 18.0) if lumbar else (6.5, 13.0)
    pedicle, joint = between(offset, inner, outer, soft), between(offset, inner + 1, outer + 4, soft)
    transverse = between(offset, outer + 1, outer + 18, soft)
    return [
        _Rod((behind + 4.5, 1), (behind + 8.0, 16), (3.0, 3.8), between(offset, 3.5, 9.5, soft)),
        _Rod((-3, -6), (behind, -5), (6.4, 6.0), pedicle),
        _Rod((behind - 1, -5), (behind + 7, 22), (5.2, 4.6), joint),
        _Rod((behind - 2, -5), (behind - 1, -19), (5.0, 3.8), joint),
        _Rod((5, -4), (8, -3), (4.5, 4.0), transverse if lumbar else 0.0),
    ]


def _crest(painting: Painting, body: Body, offset: float) -> list[_Rod]:
    share = _SACRAL_CREST.get(body.level)
    if share is None:
        return []
    behind = painting.habit.sac_depth_mm * (0.5 + share) + 5.0
    length = share * body.process.length_mm
    return [_Rod((behind, -3), (behind + length, 5), (3.0, 4.0), between(offset, -99, 6, painting.thickness_mm))]


def _paint_rod(painting: Painting, frame: _Frame, rod: _Rod) -> None:
    if rod.shown <= _FAINT:
        return
    canvas, size = painting.canvas, painting.spine.stature
    start, end = (frame.point(x * size, y * size) for x, y in (rod.start, rod.end))
    radii = rod.radii[0] * size, rod.radii[1] * size
    window = canvas.around(np.stack([start, end]), max(radii) + _MARGIN_MM)
    if window is None:
        return
    _paint_bone(painting, window, capsule(window, (start, end), radii), rod.shown)


def _paint_bone(painting: Painting, window: Window, outline: FloatArray, shown: float) -> None:
    """Marrow within a thin cortex, its contour a little uneven."""
    canvas = painting.canvas
    distance = outline + np.float32(1.1) * painting.noise(window, 6.0) + np.float32(0.5) * painting.noise(window, 2.8)
    rim = np.clip(0.7 + 0.35 * painting.noise(window, 4.0), 0.2, 1)
    canvas.paint(window, canvas.coverage(distance, shown) * rim, painting.tissues.cortex)
    marrow = painting.tissues.marrow * (1 + 2 * painting.habit.grain * painting.noise(window, 4.0))
    canvas.paint(window, canvas.coverage(distance + np.float32(0.8 * painting.habit.cortex_mm + 0.2), shown), marrow)
    if shown >= _SHOWN:
        canvas.mark(window, distance < 0, PhantomLabel.POSTERIOR_ELEMENTS)


def _paint_root(painting: Painting, frame: _Frame, offset: float) -> None:
    """The nerve root in the upper part of its foramen, with a vessel beside it, in fat."""
    shown, size = between(offset, 9.0, 20.0, painting.thickness_mm), painting.spine.stature
    if shown <= _FAINT:
        return
    canvas, place = painting.canvas, frame.point(7 * size, 8 * size)
    window = canvas.around(place[None], 16.0)
    if window is None:
        return
    below = frame.point(7.5 * size, 13 * size)
    fat = capsule(window, (place, below), (6.0 * size, 4.0 * size)) + painting.noise(window, 4.0)
    canvas.paint(window, canvas.coverage(fat, shown), painting.tissues.fat * 0.9)
    root = capsule(window, (place, place + np.array([1.2, 1.0])), (2.6 * size, 2.2 * size))
    canvas.paint(window, canvas.coverage(root, shown), painting.tissues.nerve)
    vessel = frame.point(3.2 * size, 11 * size)
    canvas.paint(window, canvas.coverage(capsule(window, (vessel, vessel), (1.0, 1.0)), shown), painting.tissues.vessel)
