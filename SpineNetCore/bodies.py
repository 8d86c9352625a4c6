"""The same body seen on neighbouring slices becomes one body in space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.detection import BodyDetection
from SpineNetCore.scan import Scan, mapped

_NEAR_MM = 9.0
_LONGEST_STEP = 2
"""From a slice that shows a body to the next that does: one between them may have missed it."""


@dataclass(frozen=True)
class Body:
    """One vertebral body, not yet named, as its detections from right to left."""

    detections: tuple[BodyDetection, ...]

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        return np.array([d.confidence * d.area_mm2 for d in self.detections])

    @cached_property
    def middle_slice(self) -> float:
        """Its own mid-sagittal plane, as a fractional slice index."""
        return float(np.average([d.slice_index for d in self.detections], weights=self._weights))

    def corners_mm(self, slice_mm: float) -> NDArray[np.float64]:
        """(4, 2) in-plane corners on its middle plane: a line through those of the detections within `_NEAR_MM` of it,
        by the median of slopes (Theil 1950), so that a slice gone wrong does not matter.
        """
        offsets = (np.array([d.slice_index for d in self.detections]) - self.middle_slice) * slice_mm
        near = np.abs(offsets) <= max(_NEAR_MM, float(np.abs(offsets).min()))
        corners = np.array([d.corners_mm for d in self.detections])[near]
        return np.asarray(np.median(corners - _slopes(offsets[near], corners) * offsets[near, None, None], axis=0))

    @property
    def slice_count(self) -> int:
        return self.detections[-1].slice_index - self.detections[0].slice_index + 1

    def mean(self, quality: Callable[[BodyDetection], float]) -> float:
        """Average of one of the detections' probabilities over its slices."""
        return float(np.average([quality(d) for d in self.detections], weights=self._weights))


def group_bodies(detections: list[BodyDetection], slices: int) -> list[Body]:
    """Join detections of neighbouring slices whose centres lie within a third of a body's height of each other.

    slices: how many the scan has; in a scan of five or more, what is seen on a single slice only is left out.
    Returns bodies from the head downwards.
    """
    groups: list[list[BodyDetection]] = []
    for detection in sorted(detections, key=lambda d: d.slice_index):
        continued = _nearest_group(groups, detection)
        if continued is None:
            groups.append([detection])
        else:
            continued.append(detection)
    fewest = 2 if slices >= 5 else 1
    bodies = [Body(tuple(group)) for group in groups if len(group) >= fewest]
    return sorted(bodies, key=lambda body: float(body.corners_mm(1.0)[:, 0].mean()))


def corners_in_space(body: Body, scan: Scan) -> NDArray[np.float64]:
    """(4, 3) RAS millimetres of a body's corners on its own mid-sagittal plane."""
    slice_mm, row_mm, column_mm = scan.spacing_mm
    in_plane = body.corners_mm(slice_mm) / np.array([row_mm, column_mm])
    ijk = np.column_stack([np.full(4, body.middle_slice), in_plane])
    return mapped(scan.ras_from_ijk, ijk)


def _slopes(offsets: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 2) median change of corners (n, 4, 2) per millimetre of offset (n,); 0 where fewer than four tell."""
    if len(offsets) < 4:
        return np.zeros(corners.shape[1:])
    first, second = np.triu_indices(len(offsets), 1)
    steps = (offsets[second] - offsets[first])[:, None, None]
    return np.asarray(np.median((corners[second] - corners[first]) / steps, axis=0))


def _nearest_group(groups: list[list[BodyDetection]], detection: BodyDetection) -> list[BodyDetection] | None:
    def distance(group: list[BodyDetection]) -> float:
        return float(np.linalg.norm(group[-1].centre_mm - detection.centre_mm))

    open_groups = [g for g in groups if 0 < detection.slice_index - g[-1].slice_index <= _LONGEST_STEP]
    best = min(open_groups, key=distance, default=None)
    return best if best is not None and distance(best) < detection.height_mm / 3 else None
