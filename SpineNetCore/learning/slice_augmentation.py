"""Random looks at a slice: other positions, resolutions, coils, contrasts and noise, with the truth carried along."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.slice_examples import UNKNOWN, SliceExample
from SpineNetCore.vertebra_network import CORNER_UNIT_MM, PIXEL_MM, Tissue

_LIES = 0.06
"""Share of looks that are turned over. ours."""


@dataclass(frozen=True)
class DetectorTarget:
    """What the detector is shown and asked, at `PIXEL_MM` a pixel.

    image: float32 (H, W) in [0, 1]. tissue: int64 (H, W), `UNKNOWN` where nothing is asked. corners: float32 (8, H, W)
    as in `VertebraMaps`, NaN where nothing is asked.
    """

    image: FloatArray
    tissue: NDArray[np.int64]
    corners: FloatArray


@dataclass(frozen=True)
class _Placement:
    """From output pixels (row, column) to the example's pixels: `matrix @ output + offset + bend` at that output pixel.

    bend: (2, H, W), a smooth field of a few pixels.
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    bend: NDArray[np.float64]

    @cached_property
    def source(self) -> NDArray[np.float64]:
        """(2, H, W) pixels of the example, one per output pixel."""
        grid = np.indices(self.bend.shape[1:]).reshape(2, -1)
        return (self.matrix @ grid + self.offset[:, None]).reshape(self.bend.shape) + self.bend

    def output_from_example(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Undo the placement for points (..., 2) of the example; unknown points (NaN) stay so."""
        back = np.linalg.inv(self.matrix).T
        output = (points - self.offset) @ back
        for _ in range(3):  # the field is smooth: what it adds there and back soon agrees
            places = np.nan_to_num(np.moveaxis(output, -1, 0), nan=-1.0)
            bend = [ndimage.map_coordinates(part, places, order=1, mode="nearest") for part in self.bend]
            output = (points - self.offset - np.stack(bend, axis=-1)) @ back
        return np.asarray(output)


def draw_target(
    rng: np.random.Generator, example: SliceExample, shape: tuple[int, int] = (224, 160), lies: float = _LIES
) -> DetectorTarget:
    """One random look at a slice, `shape` rows and columns of it; a share of `lies` is turned over."""
    placement = _draw_placement(rng, example, shape)
    tissue, body = (_nearest(labels, placement) for labels in (example.tissue, example.body))
    smooth = ndimage.gaussian_filter(example.image, 0.35 * PIXEL_MM / np.array(example.spacing_mm))
    image = ndimage.map_coordinates(smooth, placement.source, order=1)
    corners = _corner_maps(body, placement.output_from_example(example.corners))
    seen = _draw_field_of_view(rng, shape)
    image, tissue = np.where(seen, image, 0), np.where(seen, tissue, np.uint8(Tissue.BACKGROUND))
    corners = np.where(seen, corners, np.nan)
    image = _draw_contrast(rng, image)
    if rng.random() < lies:
        image, tissue, corners = _turned_over(rng, image, tissue, corners)
    return DetectorTarget(image, tissue.astype(np.int64), corners.astype(np.float32))


def _draw_placement(rng: np.random.Generator, example: SliceExample, shape: tuple[int, int]) -> _Placement:
    angle = np.deg2rad(rng.normal(0, 9))
    scale = np.exp(rng.uniform(-0.3, 0.3))
    stretch = np.exp(rng.normal(0, 0.05))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.diag(PIXEL_MM / np.array(example.spacing_mm)) @ rotation @ np.diag([scale * stretch, scale / stretch])
    spine = np.argwhere((example.tissue > 0) & (example.tissue != UNKNOWN)).mean(axis=0)
    centre = np.array(shape) / 2 + rng.uniform(-0.25, 0.25, 2) * shape
    coarse = rng.normal(0, rng.uniform(0, 1.2), (2, 6, 5)) / np.reshape(example.spacing_mm, (2, 1, 1))
    return _Placement(matrix, spine - matrix @ centre, _smooth(coarse, shape))


def _nearest(labels: NDArray[np.uint8], placement: _Placement) -> NDArray[np.uint8]:
    """Labels at the nearest pixels, 0 outside."""
    rows, columns = np.rint(placement.source).astype(np.intp)
    inside = (rows >= 0) & (rows < labels.shape[0]) & (columns >= 0) & (columns < labels.shape[1])
    return np.where(inside, labels[rows * inside, columns * inside], 0).astype(np.uint8)


def _corner_maps(body: NDArray[np.uint8], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(8, H, W) offsets from each body pixel to its body's corners, NaN elsewhere; corners (B, 4, 2) in pixels."""
    table = np.concatenate([np.full((1, 8), np.nan), corners.reshape(-1, 8)])
    rows, columns = np.indices(body.shape)
    here = np.stack([rows, columns] * 4)
    offsets = table.T[:, body] - here  # (8, H, W)
    return np.asarray(offsets * PIXEL_MM / CORNER_UNIT_MM)


def _draw_field_of_view(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Sometimes the picture ends early above, below or in front."""
    above, below, front = (
        int(rng.uniform(0.05, 0.4) * shape[0]) if rng.random() < chance else 0 for chance in (0.2, 0.2, 0.1)
    )
    seen = np.zeros(shape, dtype=bool)
    seen[above : shape[0] - below, front:] = True
    return seen


def _turned_over(
    rng: np.random.Generator, image: FloatArray, tissue: NDArray[np.uint8], corners: NDArray[np.float64]
) -> tuple[FloatArray, NDArray[np.uint8], NDArray[np.float64]]:
    """The look upside down, back to front, or both, as under a header that lies: nothing in it is S1 or L5-S1."""
    axes = ((0,), (1,), (0, 1))[rng.integers(3)]
    plain = np.where(tissue == Tissue.LOWEST_DISC, np.uint8(Tissue.DISC), tissue)
    plain = np.where(tissue == Tissue.SACRUM, np.uint8(UNKNOWN), plain)
    unasked = np.full_like(corners, np.nan)
    return np.flip(image, axes).copy(), np.flip(plain, axes), unasked


def _draw_contrast(rng: np.random.Generator, image: NDArray[np.generic]) -> FloatArray:
    """Another coil, contrast, sharpness and noise; values stay in [0, 1]."""
    out = image.astype(np.float64) * _draw_coil(rng, image.shape)
    out = np.clip(out * np.exp(rng.normal(0.1, 0.35)), 0, 1) ** np.exp(rng.normal(-0.1, 0.4))
    if rng.random() < 0.25:
        knots = np.concatenate([[0], rng.random(5)])
        out = np.interp(out, np.linspace(0, 1, 6), knots)
    if rng.random() < 0.4:
        out = ndimage.gaussian_filter(out, rng.uniform(0, 1.2, 2))
    if rng.random() < 0.08:
        out = out * _draw_void(rng, image.shape)
    noise = rng.normal(0, rng.choice([0.005, 0.02, 0.06]), (2, *image.shape))
    return np.asarray(np.clip(np.hypot(out + noise[0], noise[1]), 0, 1), dtype=np.float32)


def _draw_void(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(H, W) 0 around a piece of metal, 1 elsewhere."""
    centre, radius = rng.uniform(0.2, 0.8, 2) * shape, rng.uniform(4, 18, 2) / PIXEL_MM
    rows, columns = np.indices(shape)
    away = np.hypot((rows - centre[0]) / radius[0], (columns - centre[1]) / radius[1])
    return np.asarray(np.clip((away - 1) * 3, 0, 1))


def _draw_coil(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A smooth positive field, (H, W): a random coarse grid, interpolated."""
    return np.asarray(np.exp(_smooth(rng.normal(0, rng.uniform(0, 0.5), (4, 4)), shape)))


def _smooth(coarse: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Coarse grids (..., h, w) as smooth fields (..., H, W)."""
    return np.asarray(_spline(shape[0], coarse.shape[-2]) @ coarse @ _spline(shape[1], coarse.shape[-1]).T)


@lru_cache
def _spline(fine: int, coarse: int) -> NDArray[np.float64]:
    """(fine, coarse) weights of cubic interpolation."""
    return np.asarray(ndimage.zoom(np.eye(coarse), (fine / coarse, 1), order=3))
