"""One slice being painted: signal, tissue labels, and the places of its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.phantom.field_of_view import FieldOfView
from SpineNetCore.learning.phantom.shapes import Plane

Mask = NDArray[np.bool_]
Field = NDArray[np.floating[Any]]
Signal = Field | float


class PhantomLabel(IntEnum):
    """What a voxel of a phantom's label map is."""

    BACKGROUND = 0
    BODY = 1
    S1 = 2
    LOWER_SACRUM = 3
    DISC = 4
    CANAL = 5
    SACRAL_DISC = 6
    POSTERIOR_ELEMENTS = 7


@dataclass(frozen=True)
class Window:
    """A rectangle of a canvas.

    rows, columns: slices into it. posterior_mm: (1, w); inferior_mm: (h, 1): places of its pixels.
    """

    rows: slice
    columns: slice
    posterior_mm: FloatArray
    inferior_mm: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        return self.inferior_mm.shape[0], self.posterior_mm.shape[1]


class Canvas:
    """signal: float32 [row, column]. labels: uint8 [row, column]. Painting goes from the back to the front."""

    def __init__(self, view: FieldOfView, lateral_mm: float) -> None:
        self.pixel_mm = view.pixel_mm
        self.lateral_mm = lateral_mm
        self.posterior_mm = view.posterior_mm
        self.inferior_mm = view.inferior_mm
        self.signal = np.zeros((view.rows, view.columns), dtype=np.float32)
        self.labels = np.zeros((view.rows, view.columns), dtype=np.uint8)

    @property
    def whole(self) -> Window:
        return Window(slice(None), slice(None), self.posterior_mm[None, :], self.inferior_mm[:, None])

    def around(self, points: Plane, margin_mm: float) -> Window | None:
        """The rectangle about plane points (N, 2), or None where it lies outside the picture."""
        low, high = points.min(axis=0) - margin_mm, points.max(axis=0) + margin_mm
        columns = slice(*np.searchsorted(self.posterior_mm, (low[0], high[0])).tolist())
        rows = slice(*np.searchsorted(self.inferior_mm, (low[1], high[1])).tolist())
        if columns.start >= columns.stop or rows.start >= rows.stop:
            return None
        return Window(rows, columns, self.posterior_mm[None, columns], self.inferior_mm[rows, None])

    def coverage(self, distance_mm: Field, opacity: float = 1.0) -> FloatArray:
        """How much of each pixel lies inside (negative distance), softened over a pixel's width."""
        return np.asarray(np.clip(0.5 - distance_mm / max(self.pixel_mm, 0.4), 0, 1) * np.float32(opacity))

    def paint(self, window: Window, coverage: Field, signal: Signal) -> None:
        """Lay a tissue over what is there."""
        under = self.signal[window.rows, window.columns]
        under += coverage * (signal - under)

    def scale(self, window: Window, coverage: Field, factor: float) -> None:
        """Brighten or darken what is there."""
        self.signal[window.rows, window.columns] *= 1 + coverage * np.float32(factor - 1)

    def mark(self, window: Window, inside: Mask, label: PhantomLabel) -> None:
        """Label pixels, over what they were."""
        self.labels[window.rows, window.columns][inside] = label
