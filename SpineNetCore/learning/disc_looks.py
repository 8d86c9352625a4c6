"""Random looks at discs: drawn as bytes by whoever has time, seen on the device that trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional

from SpineNetCore.disc_volume import CONTEXT_SHAPE, DISC_SHAPE
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.tensors import tensor_of
from SpineNetCore.views import RandomViewRanges, View, brightened, draw_view, slices_in_view, through_windows

_PLACES = np.arange(CONTEXT_SHAPE[0])
_MIDDLE = CONTEXT_SHAPE[0] // 2
_BLANK = -1
_DISCS_IN_CACHE = 4
"""More of them at once take a CPU twice as long."""

_SOFT_PX = 5
"""Width of the square whose mean stands for a softer picture."""

_NOISE_PLACES = 512
"""The noise of a slice is cut out of one tile at so many rows and columns."""


@dataclass(frozen=True)
class Quality:
    """How another scanner would have drawn the same disc.

    softness: share of a softer picture that is mixed in, below 0 taken away, which sharpens. noise: standard deviation
    of what is added, normal as Rician noise is where there is signal. places: (9, 2) where in the tile of noise each
    slice finds its own.
    """

    softness: float = 0.0
    noise: float = 0.0
    places: NDArray[np.int64] = field(default_factory=lambda: np.zeros((DISC_SHAPE[0], 2), dtype=np.int64))


@dataclass(frozen=True)
class SliceDraw:
    """What a draw makes of a context's 13 slices.

    sources: (13,) places in the example's own slices, -1 where blank. shifts: (13, 2) rows and columns by which each is
    rolled. gains: (13,) factors on intensities. exponent: of all intensities in [0, 1], before the gains. quality: of
    the whole look.
    """

    sources: NDArray[np.int64]
    shifts: NDArray[np.int64]
    gains: NDArray[np.float32]
    exponent: float = 1.0
    quality: Quality = field(default_factory=Quality)

    def shown(self, example: DiscExample, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Some of the context's slices, (n, 192, 320), 255 standing for 1."""
        out = np.zeros((len(places), *CONTEXT_SHAPE[1:]), dtype=np.uint8)
        for row, place in enumerate(places):
            if self.sources[place] != _BLANK:
                one = example.slices[self.sources[place]]
                moved = np.roll(one, self.shifts[place], axis=(0, 1)) if self.shifts[place].any() else one
                out[row] = self._contrast(place).take(moved)
        return out

    def _contrast(self, place: int) -> NDArray[np.uint8]:
        """(256,) what becomes of each intensity of a slice; a table costs a CPU a quarter of what powers do."""
        changed = np.linspace(0, 1, 256) ** self.exponent * self.gains[place]
        return np.asarray(np.rint(255 * changed.clip(max=1)), dtype=np.uint8)


@dataclass(frozen=True)
class DrawnLooks:
    """N looks yet to be taken.

    slices: uint8 (N, 9, 192, 320), those that each view shows, in its order, 255 standing for 1. qualities: N of them.
    """

    slices: Tensor
    qualities: tuple[Quality, ...]
    views: tuple[View, ...]

    def seen(self, device: torch.device) -> Tensor:
        """(N, 9, 112, 224) in [0, 1] on a device, channels last: each disc through its own view."""
        seen = torch.empty((len(self.views), *DISC_SHAPE), device=device, memory_format=torch.channels_last)
        few = _DISCS_IN_CACHE if device.type == "cpu" else len(self.views)
        for start in range(0, len(self.views), few):
            some = slice(start, start + few)
            windows = through_windows(self.slices[some].to(device).float(), self.views[some]) / 255
            looks = brightened(_of_quality(windows, self.qualities[some]), self.views[some])
            seen[some] = looks.contiguous(memory_format=torch.channels_last)  # quicker than in the copy to `seen`
        return seen


def draw_looks(
    rngs: Sequence[np.random.Generator], examples: Sequence[DiscExample], ranges: RandomViewRanges, varies_slices: bool
) -> DrawnLooks:
    """A look at each of N examples, drawn with its own generator."""
    slices, qualities, views = [], [], []
    for rng, example in zip(rngs, examples, strict=True):
        draw = draw_slices(rng, example) if varies_slices else _as_they_are(example)
        view = draw_view(rng, ranges)
        slices.append(tensor_of(draw.shown(example, slices_in_view(view))))
        qualities.append(draw.quality)
        views.append(view)
    return DrawnLooks(torch.stack(slices), tuple(qualities), tuple(views))


def draw_slices(rng: np.random.Generator, example: DiscExample) -> SliceDraw:
    """Another contrast and quality, and other slices: one slice repeated into several, or several blanked.

    The middle slice, or the only one, always stays, without shift or gain.
    """
    draw = replace(_as_they_are(example), exponent=float(np.exp(rng.normal(0, 0.12))), quality=_draw_quality(rng))
    half = int(rng.choice([0, 1, 2, 3, 4, 6], p=[0.15, 0.15, 0.15, 0.15, 0.2, 0.2]))
    if len(example.slices) == 1:
        _repeat(rng, draw, example.first, half if rng.random() < 0.6 else 0)
    elif rng.random() < 0.4:
        draw.sources[np.abs(_PLACES - _MIDDLE) > half] = _BLANK
    return draw


def _draw_quality(rng: np.random.Generator) -> Quality:
    """A third of looks softer or sharper, a third noisy."""
    softness = rng.uniform(-0.7, 1) if rng.random() < 1 / 3 else 0.0
    noise = rng.uniform(0, 0.06) if rng.random() < 1 / 3 else 0.0
    return Quality(softness, noise, rng.integers(_NOISE_PLACES, size=(DISC_SHAPE[0], 2)))


def _of_quality(seen: Tensor, qualities: Sequence[Quality]) -> Tensor:
    """(N, 9, 112, 224), changed in place: each with its softness and noise; a slice that is not there stays zero."""
    changed = [row for row, quality in enumerate(qualities) if quality.softness]
    noisy = [row for row, quality in enumerate(qualities) if quality.noise]
    if changed:
        sharp = seen[changed]
        seen[changed] = torch.lerp(sharp, _softened(sharp), _each([qualities[row].softness for row in changed], seen))
    if noisy:
        clean = seen[noisy]
        rows, columns = np.stack([qualities[row].places for row in noisy], axis=-1).transpose(1, 2, 0)
        noise = _noise_tile(seen.device)[rows, columns] * (clean.amax(dim=(2, 3), keepdim=True) > 0)
        seen[noisy] = clean + _each([qualities[row].noise for row in noisy], seen) * noise
    return seen


def _softened(sharp: Tensor) -> Tensor:
    """The mean of the square around each pixel; sums of shifted pictures take a CPU a fifth of what pooling does."""
    padded = functional.pad(sharp, (_SOFT_PX // 2,) * 4, mode="replicate")
    for axis in (2, 3):
        size = sharp.shape[axis]
        padded = torch.stack([padded.narrow(axis, start, size) for start in range(_SOFT_PX)]).sum(0)
    return padded / _SOFT_PX**2


def _each(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None, None, None]


@lru_cache
def _noise_tile(device: torch.device) -> Tensor:
    """(512, 512, 112, 224): from each place of a tile on, noise of standard deviation 1, about as fine as a scan's."""
    rows, columns = (size + _NOISE_PLACES - 1 for size in DISC_SHAPE[1:])
    tile = gaussian_filter(np.random.default_rng(0).standard_normal((rows, columns)), 1)
    fine = tensor_of(tile / tile.std()).to(device, torch.float32)
    return fine.unfold(0, DISC_SHAPE[1], 1).unfold(1, DISC_SHAPE[2], 1)


def _as_they_are(example: DiscExample) -> SliceDraw:
    own = _PLACES - example.first
    sources = np.where((own >= 0) & (own < len(example.slices)), own, _BLANK)
    return SliceDraw(sources, np.zeros((len(own), 2), dtype=np.int64), np.ones(len(own), dtype=np.float32))


def _repeat(rng: np.random.Generator, draw: SliceDraw, only: int, half: int) -> None:
    for place in range(max(only - half, 0), min(only + half + 1, len(_PLACES))):
        if place != only:
            draw.sources[place] = 0
            draw.shifts[place] = rng.integers(-2, 3, 2)
            draw.gains[place] = rng.uniform(0.92, 1.08)
