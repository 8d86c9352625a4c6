"""Discs: nucleus, annulus, bulges and herniations."""

from __future__ import annotations

import numpy as np

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.learning.phantom.bodies_paint import lesion_label
from SpineNetCore.learning.phantom.canvas import Mask, PhantomLabel, Window
from SpineNetCore.learning.phantom.painting import Painting
from SpineNetCore.learning.phantom.section import inferior_border, section, slab, smooth_maximum, superior_border
from SpineNetCore.learning.phantom.shapes import DiscShape, Plane

_MARGIN_MM = 11.0
_SHOWN = 0.5
_OUTER_ANNULUS_MM = 1.6


def paint_disc(painting: Painting, disc: DiscShape) -> None:
    """Paint and label one disc as this slice cuts it; record it where its grade is above 1."""
    thickness = painting.thickness_mm
    cuts = [section(body, painting.canvas.lateral_mm, thickness) for body in (disc.upper, disc.lower)]
    upper, lower = cuts
    if upper is None or lower is None:
        return
    rim = np.stack([upper.corners[3], upper.corners[2], lower.corners[1], lower.corners[0]])
    window = painting.canvas.around(rim, _MARGIN_MM)
    if window is None:
        return
    above, below = inferior_border(upper, window).distance_mm, superior_border(lower, window).distance_mm
    front, back = _walls(painting, window, disc, rim)
    distance = smooth_maximum(np.maximum(-above, -below), np.maximum(front, back), 1.5)
    widest_above = np.max([inferior_border(part, window).distance_mm for part in slab(upper, thickness)], axis=0)
    widest_below = np.max([superior_border(part, window).distance_mm for part in slab(lower, thickness)], axis=0)
    reached = smooth_maximum(np.maximum(-widest_above, -widest_below), np.maximum(front, back), 1.5)
    opacity = min(upper.opacity, lower.opacity)
    outer = painting.canvas.coverage(np.maximum(reached, -np.maximum(front, back) - np.float32(_OUTER_ANNULUS_MM)), 0.8)
    signal = _signal(painting, window, disc, (above, below, front, back))
    signal = signal + outer * (painting.tissues.ligament - signal)
    painting.canvas.paint(window, painting.canvas.coverage(reached, opacity), signal)
    if opacity >= _SHOWN:
        _label(painting, window, disc, distance < 0)


def _walls(painting: Painting, window: Window, disc: DiscShape, rim: Plane) -> tuple[FloatArray, FloatArray]:
    """Distances from the front and the back of the disc, bulges included."""
    anterior, posterior = disc.bulges_mm
    along = (rim[1] - rim[0] + rim[2] - rim[3]) / np.linalg.norm(rim[1] - rim[0] + rim[2] - rim[3])
    ahead, t_front = _beyond(window, rim[0], rim[3], along)
    back, t_back = _beyond(window, rim[1], rim[2], along)
    if disc.protrusion is not None:
        offset = painting.canvas.lateral_mm - disc.lateral_mm - disc.protrusion.lateral_mm
        posterior += disc.protrusion.reach_mm * float(np.exp(-((offset / disc.protrusion.half_width_mm) ** 2)))
    return -ahead - _bulge(t_front, anterior), back - _bulge(t_back, posterior)


def _beyond(window: Window, upper: Plane, lower: Plane, along: Plane) -> tuple[FloatArray, FloatArray]:
    """How far pixels lie towards the back of the line between two corners, and their place down it, 0 to 1.

    Above and below that line the corners themselves count, so that it may slant in a thin disc.
    """
    down = np.array([-along[1], along[0]])
    height = max(float((lower - upper) @ down), 0.3)
    x, y = window.posterior_mm - np.float32(upper[0]), window.inferior_mm - np.float32(upper[1])
    place = (x * np.float32(down[0]) + y * np.float32(down[1])) / np.float32(height)
    slant = np.clip(place, 0, 1) * np.float32((lower - upper) @ along)
    return np.asarray(x * np.float32(along[0]) + y * np.float32(along[1]) - slant), np.asarray(place)


def _bulge(along: FloatArray, reach_mm: float) -> FloatArray:
    return np.asarray(np.float32(reach_mm) * np.sqrt(np.maximum(1 - (2 * along - 1) ** 2, 0)))


def _signal(
    painting: Painting,
    window: Window,
    disc: DiscShape,
    distances: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> FloatArray:
    """Signal of nucleus and annulus: x runs from front -1 to back 1, v from the upper endplate -1 to the lower 1."""
    above, below, front, back = distances
    nucleus = disc.nucleus
    x = (front - back) / np.minimum(front + back, -4.0)
    v = (above - below) / np.maximum(above + below, 0.8)
    w = (painting.canvas.lateral_mm - disc.lateral_mm) / disc.half_width_mm
    ax, av, aw = nucleus.extent
    texture = painting.noise(window, 3.0) + 0.7 * painting.noise(window, 1.4)
    rounded = np.abs((x - np.float32(0.06)) / ax) ** 3 + (v / av) ** 6 + np.float32(abs(w / aw) ** 3)
    inside = np.clip(0.5 + (1 - rounded) / np.float32(2 * nucleus.softness), 0, 1)
    band = np.exp(-(((v - nucleus.cleft_place + 0.15 * painting.noise(window, 8.0)) / nucleus.cleft_width) ** 2))
    core = nucleus.signal * (1 + nucleus.mottling * texture) * (1 - nucleus.cleft * band)
    annulus = painting.tissues.annulus * (1 + 0.15 * texture)
    fluid = np.maximum(core * np.float32(painting.tissues.fluid), 0)
    return np.asarray(annulus + inside * (fluid - annulus), dtype=np.float32)


def _label(painting: Painting, window: Window, disc: DiscShape, inside: Mask) -> None:
    painting.canvas.mark(window, inside, PhantomLabel.SACRAL_DISC if disc.is_sacral else PhantomLabel.DISC)
    if disc.grades is None:
        return
    for task in (Task.PFIRRMANN, Task.NARROWING):
        if disc.grades[task] > 1:
            painting.record(task, window, inside, lesion_label(disc.level))
