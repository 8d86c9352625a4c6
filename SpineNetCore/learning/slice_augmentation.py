"""Random looks at a slice: other positions, resolutions, coils, contrasts and noise, with the truth carried along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.slice_examples import UNKNOWN, SliceExample
from SpineNetCore.vertebra_network import CORNER_UNIT_MM, PIXEL_MM, Tissue


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
    """Affine from output pixels (row, column) to the example's pixels: `matrix @ output + offset`."""

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]

    def output_from_example(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((points - self.offset) @ np.linalg.inv(self.matrix).T)


def draw_target(rng: np.random.Generator, example: SliceExample, side: int = 256) -> DetectorTarget:
    """One random look at a slice, `side` pixels high and wide."""
    placement = _draw_placement(rng, example, side)
    shape = (side, side)
    tissue = _warped(example.tissue, placement, shape, order=0)
    body = _warped(example.body, placement, shape, order=0)
    smooth = ndimage.gaussian_filter(example.image, 0.35 * PIXEL_MM / np.array(example.spacing_mm))
    image = _warped(smooth, placement, shape, order=1)
    corners = _corner_maps(body, placement.output_from_example(example.corners))
    seen = _draw_field_of_view(rng, shape)
    image, tissue = np.where(seen, image, 0), np.where(seen, tissue, Tissue.BACKGROUND)
    corners = np.where(seen, corners, np.nan)
    return DetectorTarget(_draw_contrast(rng, image), tissue.astype(np.int64), corners.astype(np.float32))


def _draw_placement(rng: np.random.Generator, example: SliceExample, side: int) -> _Placement:
    angle = np.deg2rad(rng.normal(0, 9))
    scale = np.exp(rng.uniform(-0.3, 0.3))
    stretch = np.exp(rng.normal(0, 0.05))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.diag(PIXEL_MM / np.array(example.spacing_mm)) @ rotation @ np.diag([scale * stretch, scale / stretch])
    spine = np.argwhere((example.tissue > 0) & (example.tissue != UNKNOWN)).mean(axis=0)
    centre = side / 2 + rng.uniform(-0.2, 0.2, 2) * side
    return _Placement(matrix, spine - matrix @ centre)


def _warped(
    array: NDArray[np.generic], placement: _Placement, shape: tuple[int, int], order: int
) -> NDArray[np.generic]:
    return np.asarray(ndimage.affine_transform(array, placement.matrix, placement.offset, shape, order=order))


def _corner_maps(body: NDArray[np.generic], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(8, H, W) offsets from each body pixel to its body's corners, NaN elsewhere; corners (B, 4, 2) in pixels."""
    table = np.concatenate([np.full((1, 8), np.nan), corners.reshape(-1, 8)])
    rows, columns = np.indices(body.shape)
    here = np.stack([rows, columns] * 4)
    offsets = table[body.astype(int)].transpose(2, 0, 1) - here  # (8, H, W)
    return np.asarray(offsets * PIXEL_MM / CORNER_UNIT_MM)


def _draw_field_of_view(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Sometimes the picture ends early above, below or in front."""
    above, below, front = (
        int(rng.uniform(0.05, 0.4) * shape[0]) if rng.random() < chance else 0 for chance in (0.2, 0.2, 0.1)
    )
    seen = np.zeros(shape, dtype=bool)
    seen[above : shape[0] - below, front:] = True
    return seen


def _draw_contrast(rng: np.random.Generator, image: NDArray[np.generic]) -> FloatArray:
    """Another coil, contrast, sharpness and noise; values stay in [0, 1]."""
    out = image.astype(np.float64) * _draw_coil(rng, image.shape)
    out = np.clip(out * np.exp(rng.normal(0.1, 0.35)), 0, 1) ** np.exp(rng.normal(-0.1, 0.4))
    if rng.random() < 0.25:
        knots = np.concatenate([[0], rng.random(5)])
        out = np.interp(out, np.linspace(0, 1, 6), knots)
    if rng.random() < 0.4:
        out = ndimage.gaussian_filter(out, rng.uniform(0, 1.2, 2))
    noise = rng.normal(0, rng.choice([0.005, 0.02, 0.06]), (2, *image.shape))
    return np.asarray(np.clip(np.hypot(out + noise[0], noise[1]), 0, 1), dtype=np.float32)


def _draw_coil(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A smooth positive field, (H, W): a random coarse grid, interpolated."""
    coarse = rng.normal(0, rng.uniform(0, 0.5), (4, 4))
    zoomed = ndimage.zoom(coarse, (shape[0] / 4, shape[1] / 4), order=3)
    return np.asarray(np.exp(zoomed))
