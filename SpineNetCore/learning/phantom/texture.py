"""Noise to paint with, at any grain."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from SpineNetCore.anatomy import FloatArray

_TILE = 1280
_GRAINS = (0.0, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0, 11.3, 16.0, 22.6, 32.0, 45.0, 64.0)


def texture(rng: np.random.Generator, shape: tuple[int, ...], grain_px: float) -> FloatArray:
    """Smooth standard-normal noise, float32 of a two-dimensional shape, whose blobs are about `grain_px` wide.

    A piece of a fixed tile at a random place and turn: as random as that, and a hundred times faster than fresh noise.
    """
    index = int(np.argmin(np.abs(np.asarray(_GRAINS) - grain_px)))
    return _piece(rng, _tile(index, index), shape)


def streaks(rng: np.random.Generator, shape: tuple[int, ...], length_px: float, width_px: float) -> FloatArray:
    """The same, drawn out along the rows' direction (downwards): for fibres and strands."""
    grains = np.asarray(_GRAINS)
    along, across = int(np.argmin(np.abs(grains - length_px))), int(np.argmin(np.abs(grains - width_px)))
    return _piece(rng, _tile(along, across), shape)


@cache
def _tile(along: int, across: int) -> FloatArray:
    """The seed is fixed so that a phantom depends on its own generator alone, which chooses the piece."""
    rng = np.random.default_rng((along, across))
    white = rng.standard_normal((_TILE, _TILE), dtype=np.float32)
    rows, columns = np.fft.fftfreq(_TILE)[:, None] * _GRAINS[along], np.fft.rfftfreq(_TILE)[None, :] * _GRAINS[across]
    blur = np.exp(-2 * np.pi**2 * (rows**2 + columns**2)).astype(np.float32)
    smooth = fft.irfft2(fft.rfft2(white) * blur, s=white.shape)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), dtype=np.float32)


def _piece(rng: np.random.Generator, tile: NDArray[np.float32], shape: tuple[int, ...]) -> FloatArray:
    rows, columns = shape
    turned = tile[:: int(rng.choice((-1, 1))), :: int(rng.choice((-1, 1)))]
    if rows > _TILE or columns > _TILE:
        turned = np.tile(turned, (1 + rows // _TILE, 1 + columns // _TILE))
    top, left = rng.integers(0, turned.shape[0] - rows + 1), rng.integers(0, turned.shape[1] - columns + 1)
    return turned[top : top + rows, left : left + columns]
