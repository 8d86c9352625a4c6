"""What the detector learns from: sagittal slices with a tissue per pixel and the corners of every body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.detection import scaled_intensities
from SpineNetCore.learning.datasets.spider import MASK_CANAL, MASK_DISC, MASK_VERTEBRA, Slab
from SpineNetCore.mask_corners import diagonal_corners
from SpineNetCore.vertebra_network import Tissue

UNKNOWN = 255
"""Tissue of pixels that nobody labelled: they teach nothing."""

_S1_DEPTH, _S1_TAPER = 0.75, 0.7
_S1_END = 1.1
"""Depth, in those of S1, from which nothing is unknown any more: a disc further down is background. ours."""
_SMALLEST_DISC_MM2, _SMALLEST_BODY_MM2 = 60.0, 250.0
_SPECK_VOXELS = 500
_OPENED_PIXELS = 2
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SliceExample:
    """One slice with its truth.

    image: float32 [row, column] in [0, 1]. tissue: uint8 [row, column], `Tissue` or `UNKNOWN`. body: uint8
    [row, column], 0 or 1 + the index of the vertebral body in `corners`. corners: (B, 4, 2) in pixels (row, column),
    anterior-superior, posterior-superior, posterior-inferior, anterior-inferior; NaN where a corner is not known.
    spacing_mm: (row, column).
    """

    image: FloatArray
    tissue: NDArray[np.uint8]
    body: NDArray[np.uint8]
    corners: NDArray[np.float64]
    spacing_mm: tuple[float, float]


def examples_from_slab(slab: Slab) -> list[SliceExample]:
    """Every slice of a SPIDER slab in which the canal and at least three discs are labelled, from right to left.

    Bodies are told from posterior elements by the canal behind them; the lowest labelled disc is L5-S1. SPIDER leaves
    the sacrum out: S1's upper corners come from the disc above it, its lower ones stay unknown.
    """
    lowest = _lowest_disc(slab.mask == MASK_DISC)
    spacing = slab.scan.spacing_mm[1:]
    image = scaled_intensities(slab.scan.voxels)
    found = (_example(image[k], slab.mask[k], lowest[k], spacing) for k in range(len(image)))
    return [example for example in found if example is not None]


def _lowest_disc(discs: Mask) -> Mask:
    """The lowest of a slab's discs [slice, row, column], specks left aside; nowhere where there is none."""
    labels, count = ndimage.label(discs)
    sizes = np.bincount(labels.ravel())
    mean_row = {k: np.nonzero(labels == k)[1].mean() for k in range(1, count + 1) if sizes[k] > _SPECK_VOXELS}
    return np.asarray(labels == max(mean_row, key=mean_row.__getitem__)) if mean_row else np.zeros_like(discs)


def _example(
    image: FloatArray, mask: NDArray[np.uint8], lowest: Mask, spacing_mm: tuple[float, float]
) -> SliceExample | None:
    discs = _pieces(mask == MASK_DISC, _SMALLEST_DISC_MM2, spacing_mm)
    canal = mask == MASK_CANAL
    if len(discs) < 3 or not canal.any():
        return None
    course = _course(discs, spacing_mm)
    bone = (mask == MASK_VERTEBRA) & _in_front_of(canal)
    tissue, body = _soft_tissue(mask, lowest), np.zeros(mask.shape, dtype=np.uint8)
    corners = []
    for piece in _pieces(bone, _SMALLEST_BODY_MM2, spacing_mm):
        corners.append(_body_corners(piece, course.down_at(_mean_row(piece) * spacing_mm[0]), spacing_mm))
        tissue[piece], body[piece] = Tissue.BODY, len(corners)
    tissue[bone & (tissue == Tissue.BACKGROUND)] = UNKNOWN
    if _area_mm2(lowest, spacing_mm) > _SMALLEST_DISC_MM2:
        corners.append(_paint_s1(tissue, body, lowest, spacing_mm))
    return SliceExample(image, tissue, body, np.array(corners).reshape(-1, 4, 2), spacing_mm)


def _pieces(mask: Mask, smallest_mm2: float, spacing_mm: tuple[float, float]) -> list[Mask]:
    """Connected parts of a mask, told apart where only a thin bridge joins them; each keeps its own sharp corners."""
    labels, count = ndimage.label(ndimage.binary_opening(mask, iterations=_OPENED_PIXELS))
    regrown = (ndimage.binary_dilation(labels == k, iterations=_OPENED_PIXELS + 1) for k in range(1, count + 1))
    pieces = [piece & mask for piece in regrown]
    return [piece for piece in pieces if _area_mm2(piece, spacing_mm) > smallest_mm2]


def _area_mm2(mask: Mask, spacing_mm: tuple[float, float]) -> float:
    return float(mask.sum() * np.prod(spacing_mm))


@dataclass(frozen=True)
class _Course:
    """How the spine runs on a slice: rows_mm (D,) of the discs' centres, and unit vectors (D, 2) down the spine."""

    rows_mm: NDArray[np.float64]
    down: NDArray[np.float64]

    def down_at(self, row_mm: float) -> NDArray[np.float64]:
        vector = np.array([np.interp(row_mm, self.rows_mm, self.down[:, axis]) for axis in (0, 1)])
        return np.asarray(vector / np.linalg.norm(vector))


def _course(discs: list[Mask], spacing_mm: tuple[float, float]) -> _Course:
    centres = np.array(sorted(tuple(np.argwhere(disc).mean(axis=0)) for disc in discs)) * np.array(spacing_mm)
    steps = np.gradient(centres, axis=0)
    return _Course(centres[:, 0], steps / np.linalg.norm(steps, axis=1, keepdims=True))


def _in_front_of(canal: Mask) -> Mask:
    """Pixels in front of the canal's anterior border, the border carried on straight above and below."""
    rows = np.nonzero(canal.any(axis=1))[0]
    border = ndimage.median_filter(canal[rows].argmax(axis=1), 9, mode="nearest")
    first = np.interp(np.arange(canal.shape[0]), rows, border)
    return np.asarray(np.arange(canal.shape[1])[None] < first[:, None])


def _soft_tissue(mask: NDArray[np.uint8], lowest: Mask) -> NDArray[np.uint8]:
    tissue = np.zeros(mask.shape, dtype=np.uint8)
    tissue[mask == MASK_CANAL] = Tissue.CANAL
    tissue[mask == MASK_DISC] = Tissue.DISC
    tissue[lowest] = Tissue.LOWEST_DISC
    return tissue


def _mean_row(mask: Mask) -> float:
    return float(np.nonzero(mask)[0].mean())


def _body_corners(piece: Mask, down: NDArray[np.float64], spacing_mm: tuple[float, float]) -> NDArray[np.float64]:
    """(4, 2) in pixels; all unknown for a body that the slice's border may have cut off."""
    inner = np.zeros_like(piece)
    inner[3:-3, 3:-3] = True
    return diagonal_corners(piece, down, spacing_mm) if inner[piece].all() else np.full((4, 2), np.nan)


def _paint_s1(
    tissue: NDArray[np.uint8], body: NDArray[np.uint8], lowest: Mask, spacing_mm: tuple[float, float]
) -> NDArray[np.float64]:
    """Mark S1's core below the lowest disc as the last body, and what may be S1 as unknown; its corners, (4, 2)."""
    front, rear, wall = _s1_frame(lowest, spacing_mm)
    scale = np.array(spacing_mm)
    place = np.moveaxis(np.indices(tissue.shape), 0, -1) * scale - front
    depth = place @ wall / (wall @ wall)
    along = place @ (rear - front) / ((rear - front) @ (rear - front))
    margin = (1 - _S1_TAPER) / 2 * depth
    free = tissue == Tissue.BACKGROUND
    around = (depth > -0.1) & (depth < _S1_END) & (along > -0.25) & (along < 1.35) & free
    core = (depth > 0.03) & (depth < 0.75) & (along > margin + 0.05) & (along < 0.95 - margin) & free
    tissue[around] = UNKNOWN
    tissue[core], body[core] = Tissue.SACRUM, body.max() + 1
    return np.array([front / scale, rear / scale, [np.nan, np.nan], [np.nan, np.nan]])


def _s1_frame(
    lowest: Mask, spacing_mm: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """S1's upper corners, front and rear, and the vector down its front wall, all (2,) in millimetres."""
    scale = np.array(spacing_mm)
    points = np.argwhere(lowest) * scale
    axis = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][0]
    back = axis * np.sign(axis[1])
    down = np.array([back[1], -back[0]])
    disc = diagonal_corners(lowest, down, spacing_mm) * scale
    front, rear = disc[3] + down, disc[2] + down
    return front, rear, _S1_DEPTH * np.linalg.norm(rear - front) * down
