"""Lesions drawn into pictures of real discs: endplates dented, marrow changed, discs made lower or darker.

Pictures are float32 (n, 192, 320) in [0, 1], some neighbouring slices of a disc's context. An endplate is a straight
line on all of them, (2, 2): its front and rear end, row and column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates, median_filter

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.disc_volume import CONTEXT_SHAPE, CROP_WIDTHS, DISC_SHAPE
from SpineNetCore.learning.lesions import Mask

Places = NDArray[np.float64]

PIXEL_MM = 35.0 * CROP_WIDTHS / DISC_SHAPE[2]
"""ours: of a disc 35 mm from front to back; contexts show all discs equally wide."""

_MIDDLE = CONTEXT_SHAPE[0] // 2
_COLUMNS = np.arange(CONTEXT_SHAPE[2], dtype=np.float64)
_PIXELS = np.indices(CONTEXT_SHAPE[1:], dtype=np.float64)

_MARGIN_PX = 12.0
"""How far an endplate's line goes on beyond its ends."""

_RIM_PX, _SEEN_PX = 3.0, 2.0
"""A dent's lesion reaches this far beyond the old and the new border, where it is at least so deep."""

_BONE = 0.2
"""Intensity from which on a pixel shows marrow: the endplate's own dark line stays dark. Marrow's median is 0.5."""


@dataclass(frozen=True)
class Endplate:
    """Where a lesion is drawn.

    ends: see above. towards_body: -1 where its body lies above it, 1 below. first: place in the context of the first of
    the slices.
    """

    ends: Places
    towards_body: int
    first: int

    def into_body_px(self) -> Places:
        """(192, 320) how far each pixel lies beyond the endplate, in its body."""
        return np.asarray(self.towards_body * (_PIXELS[0] - _rows(self.ends)))

    def within(self, soft_px: float) -> Places:
        """(320,) 1 between its ends, falling to 0 at them."""
        front, rear = np.sort(self.ends[:, 1])
        return np.asarray(np.clip(np.minimum(_COLUMNS - front, rear - _COLUMNS) / soft_px, 0, 1))

    def at(self, share: float) -> float:
        """The column a share of the way from front to rear."""
        front, rear = np.sort(self.ends[:, 1])
        return float(front + share * (rear - front))

    @property
    def length_px(self) -> float:
        return float(np.ptp(self.ends[:, 1]))


def dented(
    rng: np.random.Generator, slices: FloatArray, endplate: Endplate, depth_mm: float
) -> tuple[FloatArray, Mask]:
    """Disc pushed into the body, focally or over much of the endplate, and the voxels between old and new border."""
    depths = gaussian_filter(depth_mm / PIXEL_MM * _dent_profile(rng, len(slices), endplate), (0, 1.5))
    squeezed, stretched = rng.uniform(1.2, 2.5), rng.uniform(3.0, 6.0) / PIXEL_MM
    inside, out, lesion = endplate.into_body_px(), slices.copy(), np.zeros(slices.shape, dtype=bool)
    for k, depth in enumerate(depths):
        tail = squeezed * depth + 6
        in_bone = (inside - depth) * (depth + tail) / tail
        in_disc = (inside + stretched) * stretched / (stretched + depth) - stretched
        source = np.where(inside > depth, np.where(inside > depth + tail, inside, in_bone), in_disc)
        source = np.where(inside > -stretched, source, inside)
        rows = _rows(endplate.ends) + endplate.towards_body * source
        out[k] = map_coordinates(slices[k], [rows, _PIXELS[1]], order=1, mode="nearest")
        lesion[k] = (inside > -_RIM_PX) & (inside < depth + _RIM_PX) & (depth > _SEEN_PX)
    return out, lesion


def with_marrow_changed(
    rng: np.random.Generator, slices: FloatArray, endplate: Endplate, away_mm: float = 0.0
) -> tuple[FloatArray, Mask]:
    """Marrow made brighter, darker or patchy, beginning `away_mm` from the endplate, and the voxels that are."""
    depths = rng.uniform(4, 13) / PIXEL_MM * _marrow_profile(rng, len(slices), endplate, is_patch=away_mm > 0)
    grain_px, soft_px, patchy = rng.uniform(2.5, 8), rng.uniform(1.5, 5), rng.uniform(0.1, 0.6)
    texture = _noise(rng, slices.shape, (0.8, grain_px, grain_px))
    gain = _marrow_gain(rng, patchy * texture)
    inside = endplate.into_body_px() - away_mm / PIXEL_MM
    changed = (
        _step((depths[:, None] - inside) / soft_px) * _step((inside - 2.5) / 1.2) * np.clip(depths / 6, 0, 1)[:, None]
    )
    changed *= np.clip((gaussian_filter(slices, (0, 1, 1)) - _BONE) / _BONE, 0, 1)
    return np.asarray((slices * (1 + changed * gain)).clip(0, 1), dtype=np.float32), changed > 0.4


def narrowed(slices: FloatArray, endplates: Places, share_left: float) -> tuple[FloatArray, Places]:
    """A disc with a share of its height, its bodies drawn together; endplates: (2, 2, 2) upper and lower, moved."""
    upper, lower = (_rows(ends) for ends in endplates)
    middle, half = (upper + lower) / 2, np.maximum((lower - upper) / 2, 4.0)
    off = _PIXELS[0] - middle
    source = np.where(np.abs(off) < share_left * half, off / share_left, off + np.sign(off) * (1 - share_left) * half)
    rows = middle + source
    out = np.stack([map_coordinates(one, [rows, _PIXELS[1]], order=1, mode="constant") for one in slices])
    columns = endplates[..., 1].clip(0, len(_COLUMNS) - 1).astype(int)
    moved = endplates.copy()
    moved[..., 0] += np.array([[1], [-1]]) * (1 - share_left) * half[columns]
    return out, moved


def darkened(rng: np.random.Generator, slices: FloatArray, endplates: Places) -> FloatArray:
    """A disc whose nucleus has lost its signal, between the dark lines of its endplates, (2, 2, 2) upper and lower."""
    upper, lower = (_rows(ends) for ends in endplates)
    level, kept = rng.uniform(0.06, 0.2), rng.uniform(0.1, 0.35)
    grain = level * (1 + 0.2 * _noise(rng, slices.shape, (0.7, 3, 6)))
    out = slices.copy()
    for k, one in enumerate(slices):
        smooth = gaussian_filter(one, 1.5)
        top, bottom = _darkest_row(smooth, upper, outwards=-1), _darkest_row(smooth, lower, outwards=1)
        inside = _step((_PIXELS[0] - top) / 1.2) * _step((bottom - _PIXELS[0]) / 1.2)
        share = inside * Endplate(endplates[0], -1, 0).within(4) * (smooth > grain[k])
        share = gaussian_filter(share, 1.0)
        out[k] = (1 - share) * one + share * (grain[k] + kept * (one - smooth))
    return np.asarray(out.clip(0, 1), dtype=np.float32)


def _darkest_row(smooth: Places, line: Places, outwards: int) -> Places:
    """(320,) the row of the endplate's own dark line, sought around a straight one, in or out of the body."""
    steps = np.arange(-4, 13)
    rows = np.rint(line + outwards * steps[:, None]).astype(int).clip(0, len(smooth) - 1)  # (17, 320)
    darkest = smooth[rows, _COLUMNS.astype(int)].argmin(axis=0)
    return np.asarray(line + outwards * median_filter(steps[darkest], 21))


def _rows(ends: Places) -> Places:
    """(320,) rows of a line through two ends, level beyond them."""
    (front_row, front), (rear_row, rear) = ends
    columns = np.clip(_COLUMNS, min(front, rear) - _MARGIN_PX, max(front, rear) + _MARGIN_PX)
    return np.asarray(front_row + (columns - front) * (rear_row - front_row) / (rear - front))


def _dent_profile(rng: np.random.Generator, slices: int, endplate: Endplate) -> Places:
    """(n, 320) depth in that of the deepest place, a little rippled."""
    if rng.random() < 0.45:
        half, power = endplate.length_px * rng.uniform(0.22, 0.42), rng.uniform(2, 5)
        along = np.clip(1 - np.abs((_COLUMNS - endplate.at(rng.uniform(0.35, 0.65))) / half) ** power, 0, 1)
    else:
        half, power = rng.uniform(3, 7) / PIXEL_MM, rng.uniform(2, 4)
        along = np.exp(-(np.abs((_COLUMNS - endplate.at(rng.uniform(0.2, 0.85))) / half) ** power))
    ripple = 1 + rng.uniform(0, 0.25) * _noise(rng, (slices, len(_COLUMNS)), (0.7, rng.uniform(3, 8)))
    across = _across(rng, slices, endplate.first, (0.9, 2.2))
    return np.asarray((across[:, None] * along * ripple * endplate.within(6)).clip(min=0))


def _marrow_profile(rng: np.random.Generator, slices: int, endplate: Endplate, is_patch: bool) -> Places:
    """(n, 320) depth in that of the deepest place: along all of the endplate, or in front, amid or behind."""
    if rng.random() < 0.4 and not is_patch:
        middle, half = 0.5, rng.uniform(0.5, 0.7)
    else:
        middle = float(rng.choice([rng.uniform(0.05, 0.35), rng.uniform(0.3, 0.7), rng.uniform(0.65, 0.95)]))
        half = rng.uniform(0.16, 0.4)
    power = rng.uniform(2, 6)
    along = np.clip(1 - np.abs((_COLUMNS - endplate.at(middle)) / (half * endplate.length_px)) ** power, 0, 1)
    edge = (1 + 0.25 * _noise(rng, (slices, len(_COLUMNS)), (0.7, 6))).clip(0.3, 2)
    across = _across(rng, slices, endplate.first, (1.2, 2.8))
    return np.asarray(across[:, None] * along * edge * endplate.within(rng.uniform(3, 9)))


def _marrow_gain(rng: np.random.Generator, texture: Places) -> Places:
    """(n, 192, 320) what is added, in shares of intensity: oedema and fat are bright on T2, sclerosis dark."""
    kind = rng.choice(["bright", "dark", "mixed"], p=[0.4, 0.45, 0.15])
    if kind == "mixed":
        return np.asarray(rng.uniform(0.2, 0.65) * (texture / texture.std()).clip(-1.2, 1.5))
    strength = rng.uniform(0.2, 0.65) if kind == "bright" else -rng.uniform(0.25, 0.55)
    return np.asarray(strength * (1 + texture).clip(0, 2.2))


def _across(rng: np.random.Generator, slices: int, first: int, widths: tuple[float, float]) -> Places:
    """(n,) share of the depth on each slice, around the middle one; a lone slice has all of it."""
    if slices == 1:
        return np.ones(1)
    off = np.arange(first, first + slices) - _MIDDLE - rng.uniform(-1, 1)
    return np.asarray(np.exp(-0.5 * (off / rng.uniform(*widths)) ** 2))


def _noise(rng: np.random.Generator, shape: tuple[int, ...], smooth_px: tuple[float, ...]) -> Places:
    noise = gaussian_filter(rng.standard_normal(shape), smooth_px)
    return np.asarray(noise / noise.std())


def _step(off: Places) -> Places:
    """0 far below 0, 1 far above."""
    return np.asarray(1 / (1 + np.exp(-np.clip(off, -30, 30))))
