"""What every painter needs: the slice, its own randomness, the tissues' signals and the lesions to record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.learning.phantom.canvas import Canvas, Mask, Window
from SpineNetCore.learning.phantom.section import line, smooth_maximum
from SpineNetCore.learning.phantom.shapes import Plane, Spine
from SpineNetCore.learning.phantom.texture import streaks, texture
from SpineNetCore.learning.phantom.tissue import Tissues


@dataclass(frozen=True)
class Habit:
    """What one patient and scanner share over all slices.

    cortex_mm: thickness of a cortical line. chemical_shift: from -1 to 1, how far it thickens upper borders and thins
    lower ones. grain: strength of marrow's texture. fat_infiltration: of muscle, in [0, 1].
    narrow_canal: share of the sac lost at the discs. gas: in the bowel, [0, 1]. The others: millimetres.
    """

    cortex_mm: float
    chemical_shift: float
    grain: float
    fat_infiltration: float
    sac_depth_mm: float
    sac_half_width_mm: float
    subcutaneous_mm: float
    abdomen_mm: float
    aorta_mm: float
    gas: float
    narrow_canal: float


@dataclass(frozen=True)
class Painting:
    """lesions: per task, uint8 [row, column] of this slice, to hold the disc's label where its lesion lies."""

    canvas: Canvas
    rng: np.random.Generator
    spine: Spine
    tissues: Tissues
    habit: Habit
    thickness_mm: float
    lesions: Mapping[Task, NDArray[np.uint8]]

    def noise(self, window: Window, grain_mm: float) -> FloatArray:
        return texture(self.rng, window.shape, grain_mm / self.canvas.pixel_mm)

    def fibres(self, window: Window, length_mm: float, width_mm: float) -> FloatArray:
        pixel = self.canvas.pixel_mm
        return streaks(self.rng, window.shape, length_mm / pixel, width_mm / pixel)

    def record(self, task: Task, window: Window, inside: Mask, label: int) -> None:
        self.lesions[task][window.rows, window.columns][inside] = label


def capsule(window: Window, ends: tuple[Plane, Plane], radii: tuple[float, float]) -> FloatArray:
    """Signed distance from a rod whose thickness changes from one end to the other."""
    start, end = ends
    step = end - start
    x, y = window.posterior_mm - np.float32(start[0]), window.inferior_mm - np.float32(start[1])
    squared = float(step @ step) or 1e-6
    t = np.clip((x * np.float32(step[0]) + y * np.float32(step[1])) / np.float32(squared), 0, 1)
    away = np.hypot(x - t * np.float32(step[0]), y - t * np.float32(step[1]))
    return np.asarray(away - (np.float32(radii[0]) + t * np.float32(radii[1] - radii[0])))


def convex(window: Window, corners: Plane, rounding_mm: float) -> FloatArray:
    """Signed distance from a convex outline, corners (N, 2) in the order AS, PS, PI, AI, rounded."""
    distance = line(corners[-1], corners[0], window)[0]
    for start, end in pairwise(corners):
        distance = smooth_maximum(distance, line(start, end, window)[0], rounding_mm)
    return distance


def between(value: float, low: float, high: float, softness: float) -> float:
    """1 where a lateral place lies within limits, falling to 0 over `softness` millimetres about them."""
    return float(np.clip(min(value - low, high - value) / softness + 0.5, 0, 1))
