"""The corners of a drawn body or disc."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_CORNER_MARGIN_MM = 0.7


def diagonal_corners(mask: Mask, down: NDArray[np.float64], spacing_mm: tuple[float, float]) -> NDArray[np.float64]:
    """The four corners of a roughly rectangular mask, (4, 2) in pixels, as its extremes along its own diagonals.

    down: unit vector (row, column) in millimetres from its upper to its lower side. Masks have rounded corners, and
    the mean of a few pixels lies inside: the extremes are moved outwards by what phantoms, which know, lack on average.
    """
    points = np.argwhere(mask) * np.array(spacing_mm)
    back = np.array([-down[1], down[0]])
    along_down, along_back = (points - points.mean(axis=0)) @ down, (points - points.mean(axis=0)) @ back
    along_down /= max(np.percentile(along_down, 98) - np.percentile(along_down, 2), 1.0)
    along_back /= max(np.percentile(along_back, 98) - np.percentile(along_back, 2), 1.0)
    signs = ((-1, -1), (-1, 1), (1, 1), (1, -1))
    extremes = [
        _mean_of_farthest(points, d * along_down + b * along_back) + _CORNER_MARGIN_MM * (d * down + b * back)
        for d, b in signs
    ]
    return np.asarray(np.array(extremes) / np.array(spacing_mm))


def _mean_of_farthest(points: NDArray[np.float64], reach: NDArray[np.float64]) -> NDArray[np.float64]:
    count = min(len(reach), 4)
    return np.asarray(points[np.argpartition(reach, -count)[-count:]].mean(axis=0))
