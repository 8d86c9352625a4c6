"""Which slices are taken, and which window of the patient they show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from SpineNetCore.anatomy import Affine, FloatArray
from SpineNetCore.learning.phantom.settings import PhantomSettings, chance, drawn, drawn_normal
from SpineNetCore.learning.phantom.shapes import Spine

_USUAL_SLICES = (9, 19)
_NEAR_MM = 5.0


@dataclass(frozen=True)
class SliceStack:
    """laterals_mm: (S,) centres of the slices, from the right to the left. thickness_mm: of each, without the gap."""

    laterals_mm: NDArray[np.float64]
    thickness_mm: float
    spacing_mm: float


@dataclass(frozen=True)
class FieldOfView:
    """The pixels of one slice in the phantom's plane; origin_mm: (posterior, inferior) of the first pixel's centre."""

    stack: SliceStack
    rows: int
    columns: int
    pixel_mm: float
    origin_mm: tuple[float, float]

    @property
    def posterior_mm(self) -> FloatArray:
        """(columns,) places of the columns."""
        return (self.origin_mm[0] + self.pixel_mm * np.arange(self.columns)).astype(np.float32)

    @property
    def inferior_mm(self) -> FloatArray:
        """(rows,) places of the rows."""
        return (self.origin_mm[1] + self.pixel_mm * np.arange(self.rows)).astype(np.float32)

    @property
    def phantom_from_ijk(self) -> Affine:
        """(4, 4) from [slice, row, column] to (left, inferior, posterior) millimetres."""
        affine = np.diag([self.stack.spacing_mm, self.pixel_mm, self.pixel_mm, 1.0])
        affine[:3, 3] = self.stack.laterals_mm[0], self.origin_mm[1], self.origin_mm[0]
        return affine

    def contains(self, points: NDArray[np.float64]) -> bool:
        """Whether all plane points (N, 2) lie between the centres of the outermost pixels."""
        pixels = (points - np.asarray(self.origin_mm)) / self.pixel_mm
        return bool((pixels >= 0).all() and (pixels <= (self.columns - 1, self.rows - 1)).all())

    def reaches(self, lateral_mm: float) -> bool:
        """Whether a slice passes within half a slice spacing, or `_NEAR_MM`, of that lateral place."""
        nearest = np.abs(self.stack.laterals_mm - lateral_mm).min()
        return bool(nearest <= max(self.stack.spacing_mm / 2, _NEAR_MM))


def draw_stack(rng: np.random.Generator, settings: PhantomSettings) -> SliceStack:
    """Draw slices about the midline."""
    least, median, most = settings.slice_thickness_mm
    thickness = drawn(rng, (least, median)) if chance(rng, 0.5) else median + (most - median) * float(rng.beta(1, 2))
    spacing = thickness * (1 + drawn(rng, settings.slice_gap_fraction))
    fewest, limit = settings.slices
    usual = max(fewest, min(_USUAL_SLICES[0], limit))
    few = chance(rng, settings.few_slices_probability) or usual == limit
    count = int(rng.integers(fewest if few else usual, limit + 1))
    centred = (np.arange(count) - (count - 1) / 2) * spacing
    return SliceStack(
        np.asarray(centred + drawn(rng, (-0.5, 0.5)) * min(spacing, 4.0), dtype=np.float64), thickness, spacing
    )


def draw_field_of_view(
    rng: np.random.Generator, settings: PhantomSettings, stack: SliceStack, spine: Spine
) -> FieldOfView:
    """Draw a window on the lumbar spine that ends no higher than T8, the uppermost level with a name."""
    height = drawn(rng, settings.height_mm) * (1 if spine.stature > 0.95 else 0.93)
    width = height * drawn(rng, settings.width_fraction)
    share = (
        drawn(rng, (1.0, 1.25))
        if chance(rng, settings.cut_off_probability)
        else drawn_normal(rng, 0.78, 0.06, (0.6, 0.92))
    )
    highest = float(spine.body("T8").corners[:, 1].min()) - 4.0
    top = max(-share * height, highest)
    lumbar = np.mean([spine.body(level).centre[0] for level in ("L1", "L3", "L5")])
    left_edge = float(lumbar) - width * drawn_normal(rng, 0.42, 0.06, (0.28, 0.55))
    pixel = _draw_pixel_mm(rng, settings)
    rows, columns = (next_fast_len(2 * round(side / pixel / 2), real=True) for side in (height, width))
    return FieldOfView(stack, rows, columns, pixel, (left_edge, top))


def _draw_pixel_mm(rng: np.random.Generator, settings: PhantomSettings) -> float:
    """ours: log-normal about 0.62 mm, as clinical series are."""
    low, high = settings.in_plane_mm
    return float(np.clip(np.exp(rng.normal(np.log(0.62), 0.28)), low, high))
