"""A spine of tidy quadrilaterals, and what a perfect detector says of it, for the tests of localisation and cutting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from SpineNetCore.anatomy import Vertebra
from SpineNetCore.bodies import Body
from SpineNetCore.detection import BodyDetection
from SpineNetCore.models import BUNDLED_MODELS, load_models
from SpineNetCore.scan import Scan, mapped
from SpineNetCore.vertebra_network import CORNER_UNIT_MM, PIXEL_MM, Tissue, VertebraMaps, VertebraNetwork

LUMBAR = ("T12", "L1", "L2", "L3", "L4", "L5", "S1")
TILT_DEG = {"T11": 12, "T12": 10, "L1": 8, "L2": 3, "L3": -2, "L4": -8, "L5": -18, "S1": -36}
"""How far each body leans, lordosis included; a negative one lifts the rear of its endplates."""
WIDTH_MM, HEIGHT_MM, GAP_MM = 35.0, 26.0, 8.0
PICTURE_MM = (260.0, 150.0)
SHARE = 0.96
"""What a sure detector gives the true class; the other classes share the rest."""


@dataclass(frozen=True)
class Shape:
    """One body in the plane: corners_mm (4, 2) rows and columns from the first pixel, in the project's corner order."""

    level: str
    corners_mm: np.ndarray

    def moved(self, down_mm: float = 0.0, back_mm: float = 0.0) -> Shape:
        return Shape(self.level, self.corners_mm + np.array([down_mm, back_mm]))


def a_column(levels: Sequence[str] = LUMBAR, top_mm: tuple[float, float] = (8.3, 62.4)) -> list[Shape]:
    """Bodies stacked from the head downwards, `GAP_MM` apart along the middle."""
    shapes, place = [], np.array(top_mm)
    for k, level in enumerate(levels):
        backwards, down = _directions(TILT_DEG[level])
        front, rear = place - backwards * WIDTH_MM / 2, place + backwards * WIDTH_MM / 2
        shapes.append(Shape(level, np.array([front, rear, rear + down * HEIGHT_MM, front + down * HEIGHT_MM])))
        next_tilt = TILT_DEG[levels[min(k + 1, len(levels) - 1)]]
        place = place + down * HEIGHT_MM + GAP_MM * _directions((TILT_DEG[level] + next_tilt) / 2)[1]
    return shapes


def detected(shape: Shape, slice_index: int = 0, **changes: float) -> BodyDetection:
    """What a sure detector says of one body on one slice, but for some changes."""
    qualities = {
        "area_mm2": WIDTH_MM * HEIGHT_MM,
        "confidence": 0.95,
        "sacrum": 0.95 if shape.level == "S1" else 0.04,
        "lowest_disc_above": 0.95 if shape.level == "S1" else 0.04,
        "lowest_disc_below": 0.95 if shape.level == "L5" else 0.04,
        "disc_below": 0.04 if shape.level == "S1" else 0.95,
    }
    return BodyDetection(slice_index, shape.corners_mm, **(qualities | changes))


def a_body(shape: Shape, slices: Sequence[int] = (0,), **changes: float) -> Body:
    return Body(tuple(detected(shape, k, **changes) for k in slices))


def perfect_maps(shapes: Sequence[Shape], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Tissue probabilities (6, H, W), and corners (4, 2, H, W) in millimetres, as `read_slice` would return them."""
    tissue = np.full((len(Tissue), *size), (1 - SHARE) / (len(Tissue) - 1), np.float32)
    kinds = np.full(size, Tissue.BACKGROUND)
    corners = np.zeros((4, 2, *size))
    for upper, lower in pairwise(shapes):
        gap = np.concatenate([upper.corners_mm[[3, 2]], lower.corners_mm[[1, 0]]])
        kinds[inside(gap, size)] = Tissue.LOWEST_DISC if lower.level == "S1" else Tissue.DISC
    if shapes and shapes[-1].level == "L5":  # S1 is out of view, its disc is not
        front, rear = shapes[-1].corners_mm[[3, 2]]
        down = (front - shapes[-1].corners_mm[0]) * GAP_MM / HEIGHT_MM
        kinds[inside(np.array([front, rear, rear + down, front + down]), size)] = Tissue.LOWEST_DISC
    for shape in shapes:
        own = inside(shape.corners_mm, size)
        kinds[own] = Tissue.SACRUM if shape.level == "S1" else Tissue.BODY
        corners[:, :, own] = shape.corners_mm[:, :, None]
    np.put_along_axis(tissue, kinds[None], SHARE, axis=0)
    return tissue, corners


def inside(corners: np.ndarray, size: tuple[int, int], spacing_mm: tuple[float, float] = (PIXEL_MM, PIXEL_MM)):
    """Pixels (H, W) whose centres lie in a convex quadrilateral given in millimetres, clockwise on the picture."""
    points = np.moveaxis(np.indices(size), 0, -1) * np.array(spacing_mm)
    out = np.ones(size, bool)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        out &= (b[1] - a[1]) * (points[..., 0] - a[0]) >= (b[0] - a[0]) * (points[..., 1] - a[1])
    return out


class PerfectNetwork(nn.Module):
    """Stands in for the detector: knows the bodies on each slice, and is shown the slices in their order.

    Whatever it is shown after them, such as slices turned over, is empty to it.
    """

    stride = 32

    def __init__(self, slices: Sequence[Sequence[Shape]]) -> None:
        super().__init__()
        self.slices = iter(slices)

    def forward(self, x: Tensor) -> VertebraMaps:
        size = (x.shape[2], x.shape[3])
        assert size[0] % self.stride == size[1] % self.stride == 0
        tissue, corners = perfect_maps(next(self.slices, ()), size)
        offsets = (corners - np.indices(size) * PIXEL_MM) / CORNER_UNIT_MM
        return VertebraMaps(
            torch.from_numpy(np.log(tissue))[None], torch.from_numpy(offsets.reshape(8, *size)).float()[None]
        )


def an_empty_scan(
    slices: int = 5,
    spacing_mm: tuple[float, float, float] = (4.0, 0.9, 0.9),
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0),
    picture_mm: tuple[float, float] = PICTURE_MM,
) -> Scan:
    """A scan of nothing, turned about the patient's three axes."""
    rows, columns = (int(length / step) for length, step in zip(picture_mm, spacing_mm[1:], strict=True))
    to_left_feet_back = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, -1.0, 0.0]])
    place = np.eye(4)
    place[:3, :3] = _turn(turn_deg) @ to_left_feet_back * np.array(spacing_mm)
    place[:3, 3] = (21.0, 64.0, 130.0)
    return Scan(np.zeros((slices, rows, columns), np.float32), place, "a scan")


def in_space(scan: Scan, corners_mm: np.ndarray, slice_place: float) -> np.ndarray:
    """RAS millimetres of (P, 2) in-plane millimetres on a perhaps fractional slice."""
    in_plane = corners_mm / np.array(scan.spacing_mm[1:])
    return mapped(scan.ras_from_ijk, np.column_stack([np.full(len(in_plane), slice_place), in_plane]))


def vertebrae_of(scan: Scan, column: Sequence[Shape]) -> tuple[Vertebra, ...]:
    """The true vertebrae of a column that stands straight in the middle of a scan."""
    middle = (scan.voxels.shape[0] - 1) / 2
    return tuple(Vertebra(shape.level, in_space(scan, shape.corners_mm, middle), 20.0, 0.95) for shape in column)


def _directions(tilt_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """(row, column) towards the back along an endplate, and towards the feet across it."""
    sine, cosine = np.sin(np.deg2rad(tilt_deg)), np.cos(np.deg2rad(tilt_deg))
    return np.array([sine, cosine]), np.array([cosine, -sine])


def _turn(angles_deg: tuple[float, float, float]) -> np.ndarray:
    out = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(angles_deg)):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        step = np.eye(3)
        step[a, a] = step[b, b] = np.cos(angle)
        step[a, b], step[b, a] = -np.sin(angle), np.sin(angle)
        out = out @ step
    return out


def some_slices(scan: Scan, first: int, stop: int) -> Scan:
    """Some of a scan's slices where they are."""
    ras_from_ijk = scan.ras_from_ijk.copy()
    ras_from_ijk[:3, 3] = mapped(scan.ras_from_ijk, np.array([first, 0.0, 0.0]))
    return replace(scan, voxels=scan.voxels[first:stop], ras_from_ijk=ras_from_ijk)


@cache
def bundled_detector() -> VertebraNetwork:
    """The one that analyses use."""
    return load_models(BUNDLED_MODELS).detector
