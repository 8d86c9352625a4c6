"""Everything around the spine: abdomen, vessels, muscle, fat and skin."""

from __future__ import annotations

import numpy as np

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.phantom.curves import Curves
from SpineNetCore.learning.phantom.painting import Painting

_PROMONTORY, _BIFURCATION = 11.6, 10.5
_AORTA_LATERAL_MM, _CAVA_LATERAL_MM = 8.0, -15.0
_PSOAS_MM = (17.0, 60.0)


def paint_surroundings(painting: Painting, curves: Curves) -> None:
    """Paint the trunk, from deep fat outwards to the skin."""
    _paint_abdomen(painting, curves)
    _paint_vessels(painting, curves)
    _paint_psoas(painting, curves)
    _paint_back_muscles(painting, curves)
    _paint_skin(painting, curves)


def _paint_abdomen(painting: Painting, curves: Curves) -> None:
    """Fat with loops of bowel in it, some of them full of gas; fat alone next to the spine."""
    canvas, tissues = painting.canvas, painting.tissues
    window = canvas.whole
    cloud = painting.noise(window, 14.0)
    fat = tissues.deep_fat * (0.8 + 0.12 * cloud + 0.08 * painting.noise(window, 4.0))
    ahead = curves.front - window.posterior_mm
    pelvic = np.clip(curves.level - _PROMONTORY, 0, 1)
    loops = painting.noise(window, 11.0) - np.clip((14 + 22 * pelvic - ahead) / 12, 0, 4)
    bowel = tissues.bowel * (1 + 0.3 * painting.noise(window, 6.0))
    canvas.signal[:] = fat * (0.65 + 0.35 * pelvic)
    strands = 1 - np.minimum(np.abs(painting.noise(window, 8.0)), np.abs(painting.noise(window, 4.0))) * 7
    canvas.paint(window, np.float32(0.25) * np.clip(strands, 0, 1), tissues.muscle)
    canvas.paint(window, 0.5 * np.clip((loops + 0.25) * 4, 0, 1), tissues.muscle)
    canvas.paint(window, np.clip((loops + 0.02) * 5, 0, 1), bowel)
    canvas.paint(window, np.clip((loops - 0.75) * 5, 0, 1) * np.float32(painting.habit.gas), tissues.vessel)


def _paint_vessels(painting: Painting, curves: Curves) -> None:
    """Flow voids ahead of the bodies down to L4, the aorta on the left and the vena cava on the right."""
    canvas, window, tissues = painting.canvas, painting.canvas.whole, painting.tissues
    ahead = (curves.front - window.posterior_mm) * curves.cosine
    for lateral, radius in (
        (_AORTA_LATERAL_MM, painting.habit.aorta_mm),
        (_CAVA_LATERAL_MM, 0.95 * painting.habit.aorta_mm),
    ):
        past = np.clip(curves.level - np.float32(_BIFURCATION), -1, 3) + 1
        winding = 2.5 * painting.noise(window, 45.0)[:, :2]
        bent = curves.offset - lateral - 5 * past * np.sign(lateral) + winding[:, :1]
        inside = (radius * (1 - 0.12 * past)) ** 2 - bent * bent
        chord = np.sqrt(np.maximum(inside, 0))
        distance = np.abs(ahead - np.float32(radius + 3) - 1.5 * past + winding[:, 1:]) - chord
        blood = tissues.vessel * (1 + 0.4 * painting.noise(window, 6.0))
        edge = canvas.coverage(distance + 0.4 * painting.noise(window, 3.0))
        canvas.paint(window, edge * np.clip(inside / 9, 0, 1), blood)


def _paint_psoas(painting: Painting, curves: Curves) -> None:
    low, high = _PSOAS_MM
    side = np.clip((np.minimum(np.abs(curves.offset) - low, high - np.abs(curves.offset))) / 6, 0, 1)
    if not side.any():
        return
    canvas, window = painting.canvas, painting.canvas.whole
    thickness = 26 * np.clip((curves.level - 6) / 4, 0, 1)
    middle = curves.front + np.float32(14) - 6 * np.clip(curves.level - 10, 0, 2)
    distance = np.abs(window.posterior_mm - middle) - thickness
    canvas.paint(window, canvas.coverage(distance) * side * (thickness > 2), _muscle(painting, 0.3))


def _paint_back_muscles(painting: Painting, curves: Curves) -> None:
    """Between canal and fascia: muscle with fat between its bundles, fatter near the midline and towards the sacrum."""
    canvas, window = painting.canvas, painting.canvas.whole
    behind = curves.back - window.posterior_mm
    middle = np.exp(-((curves.offset / 5.0) ** 2))
    fatty = painting.habit.fat_infiltration + 0.3 * middle + 0.12 * np.clip(curves.level - 9.5, 0, 4)
    inside = canvas.coverage(np.maximum(behind, window.posterior_mm - curves.fascia))
    canvas.paint(window, inside, _muscle(painting, fatty))
    rim = np.abs(window.posterior_mm - curves.fascia) - np.float32(0.6)
    canvas.paint(window, 0.7 * canvas.coverage(rim), painting.tissues.ligament)


def _muscle(painting: Painting, fatty: FloatArray | float) -> FloatArray:
    """Muscle streaked with fat; fatty: roughly the share of fat, from 0 to 1."""
    window = painting.canvas.whole
    bundles = 0.8 * painting.fibres(window, 11.0, 1.2) + 0.6 * painting.fibres(window, 22.0, 3.0)
    share = np.clip(0.45 * (bundles + painting.noise(window, 7.0) - 1.3 + 3.2 * fatty), 0, 0.9)
    fine = 1 + 0.15 * painting.fibres(window, 5.6, 0.8) + 0.15 * painting.noise(window, 2.8)
    tissues = painting.tissues
    return np.asarray((tissues.muscle + share * (0.85 * tissues.fat - tissues.muscle)) * fine, dtype=np.float32)


def _paint_skin(painting: Painting, curves: Curves) -> None:
    """Subcutaneous fat with thin septa behind and in front of the trunk, then air."""
    canvas, window, tissues = painting.canvas, painting.canvas.whole, painting.tissues
    septa = np.clip(1 - np.abs(painting.fibres(window, 11.3, 4.0)) * 9, 0, 1)
    fat = tissues.fat * (1 + 0.03 * painting.noise(window, 4.0)) * (1 - 0.2 * septa)
    outside = window.posterior_mm - curves.skin
    canvas.paint(window, canvas.coverage(curves.fascia - window.posterior_mm + np.float32(0.8)), fat)
    wall = np.float32(curves.front.mean() - painting.habit.abdomen_mm) + 4 * painting.noise(window, 64.0)[:, :1]
    canvas.paint(
        window, canvas.coverage(window.posterior_mm - wall - np.float32(0.8 * painting.habit.subcutaneous_mm)), fat
    )
    canvas.paint(window, 0.6 * canvas.coverage(np.abs(outside + 1) - np.float32(0.8)), tissues.muscle)
    canvas.paint(window, canvas.coverage(-outside), 0.0)
    canvas.paint(window, canvas.coverage(window.posterior_mm - wall), 0.0)
