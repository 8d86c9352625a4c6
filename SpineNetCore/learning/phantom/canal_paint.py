"""The canal: dural sac with cord and cauda equina, and the fat and ligaments about it."""

from __future__ import annotations

import numpy as np

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.phantom.canvas import PhantomLabel
from SpineNetCore.learning.phantom.curves import Curves
from SpineNetCore.learning.phantom.painting import Painting

_CORD_MM, _CONUS_MM = 8.6, 28.0
_CORD_HALF_WIDTH_MM = 5.0
_LIGAMENT_MM = 0.9


def paint_canal(painting: Painting, curves: Curves) -> None:
    """Paint the canal over what lies behind the bodies, and label the dural sac."""
    canvas, window, tissues = painting.canvas, painting.canvas.whole, painting.tissues
    distance = (window.posterior_mm - curves.back) * curves.cosine
    at_disc = np.clip(np.cos(2 * np.pi * (curves.level - np.float32(0.55))), 0, 1) * (curves.level < 12)
    depth = curves.sac_front + curves.sac_depth * (1 - painting.habit.narrow_canal * at_disc)
    pad = np.float32(1.5) + np.float32(4.5) * at_disc + 3 * np.clip(curves.level - 10.5, 0, 2)
    lateral = np.clip(1.4 - np.abs(curves.offset) / 14, 0, 1)
    fat = canvas.coverage(np.maximum(-distance - 3, distance - depth - pad)) * lateral * (np.abs(curves.offset) < 19)
    canvas.paint(window, fat, tissues.fat * (0.9 + 0.08 * painting.noise(window, 2.8)))
    _paint_ligaments(painting, curves, distance)
    sac = np.maximum(curves.sac_front - distance, distance - depth)
    has_sac = curves.sac_depth > 1.0
    canvas.paint(window, canvas.coverage(np.abs(sac) - np.float32(0.35)) * has_sac * np.float32(0.6), tissues.ligament)
    canvas.paint(window, canvas.coverage(sac) * has_sac, _contents(painting, curves, distance))
    canvas.mark(window, (sac < 0) & has_sac, PhantomLabel.CANAL)


def _paint_ligaments(painting: Painting, curves: Curves, distance: FloatArray) -> None:
    """The dark lines on the front and the back of the bodies and discs."""
    canvas, window = painting.canvas, painting.canvas.whole
    central = np.clip(1.5 - np.abs(curves.offset) / 9, 0, 1)
    ahead = (window.posterior_mm - curves.front) * curves.cosine
    for away, half in ((distance - np.float32(0.4), _LIGAMENT_MM / 2), (ahead + np.float32(0.6), _LIGAMENT_MM)):
        canvas.paint(window, canvas.coverage(np.abs(away) - np.float32(half)) * central, painting.tissues.ligament)


def _contents(painting: Painting, curves: Curves, distance: FloatArray) -> FloatArray:
    """Fluid, the cord down to its conus, and below it roots that sink towards the back of the lying patient."""
    canvas, window, tissues = painting.canvas, painting.canvas.whole, painting.tissues
    depth = np.maximum(curves.sac_depth, 1)
    place = (distance - curves.sac_front) / depth
    fluid = tissues.fluid * (1 + 0.04 * painting.noise(window, 16.0))
    inferior = window.inferior_mm - np.float32(painting.spine.conus_inferior_mm)
    below = np.clip(inferior / 12, 0, 1)
    strands = np.clip(painting.fibres(window, 32.0, 1.0) + 0.8 * (place - 0.6) * 3 - 0.4, 0, 1) * np.clip(
        place * 4 - 0.6, 0, 1
    )
    roots = 0.62 * strands * np.clip((inferior + 40) / 30, 0, 1) * np.clip((13.2 - curves.level) / 1.5, 0, 1)
    signal = fluid + roots * (tissues.nerve - fluid)
    half = _CORD_MM / 2 * painting.spine.stature * np.sqrt(np.clip(-inferior / _CONUS_MM, 0, 1))
    half = half * np.sqrt(np.clip(1 - (curves.offset / _CORD_HALF_WIDTH_MM) ** 2, 0, 1)) * (1 - below)
    middle = 0.5 + 0.12 * np.clip(1 + inferior / 60, 0, 1)
    cord = canvas.coverage((np.abs(place - middle) * depth - half).astype(np.float32)) * (half > 0.3)
    return np.asarray(signal + cord * (tissues.cord - signal), dtype=np.float32)
