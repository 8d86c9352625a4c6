"""Lines that run down the whole picture in one slice: front and back of the spine, the sac, fascia and skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.phantom.painting import Painting
from SpineNetCore.learning.phantom.section import section
from SpineNetCore.learning.phantom.shapes import Body, Spine

Row = NDArray[np.float64]

_LEVEL = (0.0, 5.0, 7.0, 9.0, 11.0, 12.0, 13.0, 14.0, 15.0, 17.0)
_SAC_SHARE = (0.8, 0.92, 1.0, 1.0, 0.93, 0.8, 0.55, 0.3, 0.2, 0.15)
_EPIDURAL_MM = (1.0, 1.0, 1.0, 1.2, 2.2, 4.0, 4.0, 3.0, 2.0, 1.0)
_FASCIA_MM = (38.0, 46.0, 52.0, 55.0, 50.0, 42.0, 31.0, 24.0, 19.0, 16.0)
_SUBCUTANEOUS_SHARE = (0.6, 0.7, 0.8, 1.0, 1.3, 1.45, 1.35, 1.2, 1.0, 0.8)


@dataclass(frozen=True)
class Curves:
    """Everything float32 (rows, 1), millimetres.

    front, back: posterior places of the bodies' walls. cosine: of the canal's slope, from horizontal to true distances.
    offset: of this slice to the left of the spine. level: 0 at T6 ... 7 at L1, 12 at S1, fractions between.
    sac_front, sac_depth: true distances behind the back wall; no sac where the depth is 0. fascia, skin: posterior
    places.
    """

    front: FloatArray
    back: FloatArray
    cosine: FloatArray
    offset: FloatArray
    level: FloatArray
    sac_front: FloatArray
    sac_depth: FloatArray
    fascia: FloatArray
    skin: FloatArray


def draw_curves(painting: Painting) -> Curves:
    """Follow the spine down this slice."""
    canvas, habit, spine = painting.canvas, painting.habit, painting.spine
    rows = canvas.inferior_mm.astype(np.float64)
    smoothing = 4.0 / canvas.pixel_mm
    front, back = (_wall(spine, painting, rows, ends) for ends in ((0, 3), (1, 2)))
    back = gaussian_filter1d(back, smoothing)
    cosine = 1 / np.hypot(1, np.gradient(gaussian_filter1d(back, 2 * smoothing), canvas.pixel_mm))
    level = _along(rows, spine, np.arange(len(spine.bodies), dtype=np.float64))
    offset = canvas.lateral_mm - _along(rows, spine, np.array([body.lateral_mm for body in spine.bodies]))
    sac_front = np.interp(level, _LEVEL, _EPIDURAL_MM)
    share = np.interp(level, _LEVEL, _SAC_SHARE)
    width = habit.sac_half_width_mm * spine.stature * np.clip(share + 0.1, 0, 1)
    sac_depth = (
        habit.sac_depth_mm * spine.stature * share * np.sqrt(np.clip(1 - (offset / width) ** 2, 0, 1)) * (level < 14.2)
    )
    fascia = gaussian_filter1d(back + np.interp(level, _LEVEL, _FASCIA_MM) * spine.stature, 18 / canvas.pixel_mm)
    fat = habit.subcutaneous_mm * np.interp(level, _LEVEL, _SUBCUTANEOUS_SHARE)
    skin = gaussian_filter1d(fascia + fat, 12 / canvas.pixel_mm)
    return Curves(*(_column(v) for v in (front, back, cosine, offset, level, sac_front, sac_depth, fascia, skin)))


def _column(values: Row) -> FloatArray:
    return values.astype(np.float32)[:, None]


def _along(rows: Row, spine: Spine, values: Row) -> Row:
    centres = np.array([body.centre[1] for body in spine.bodies])
    return np.asarray(np.interp(rows, np.maximum.accumulate(centres), values))


def _wall(spine: Spine, painting: Painting, rows: Row, ends: tuple[int, int]) -> Row:
    """Posterior place of the front (0, 3) or back (1, 2) wall on each row."""
    points = np.concatenate([_wall_points(body, painting, ends) for body in spine.bodies])
    inferior = np.maximum.accumulate(points[:, 1] + 1e-3 * np.arange(len(points)))
    top, bottom = (points[1] - points[0]), (points[-1] - points[-2])
    inside = np.interp(rows, inferior, points[:, 0])
    above = np.minimum(rows - inferior[0], 0) * top[0] / max(top[1], 1.0)
    below = np.maximum(rows - inferior[-1], 0) * bottom[0] / max(bottom[1], 1.0)
    return np.asarray(inside + above + below)


def _wall_points(body: Body, painting: Painting, ends: tuple[int, int]) -> Row:
    """Where this slice, or the last one that still cuts the body, meets its wall."""
    reach = 0.97 * body.half_width_mm
    lateral = float(np.clip(painting.canvas.lateral_mm, body.lateral_mm - reach, body.lateral_mm + reach))
    cut = section(body, lateral, painting.thickness_mm)
    corners = body.corners if cut is None else cut.corners
    return np.asarray(corners[list(ends)])
