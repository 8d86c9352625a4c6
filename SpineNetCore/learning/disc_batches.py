"""Batches of random looks at discs, each decided by the seed and the step alone, whoever draws it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.disc_volume import CONTEXT_SHAPE
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.grader_loss import DiscBatch, a_batch, balancing_weights
from SpineNetCore.learning.grader_recipe import GraderRecipe
from SpineNetCore.views import FixedView, RandomViewRanges, draw_view, look

_CHUNK = 32


@dataclass(frozen=True)
class DiscPool:
    """Discs of one origin and the share of every batch that comes from them."""

    examples: Sequence[DiscExample]
    share: float

    def both_ways(self) -> DiscPool:
        """Every disc as it is and turned over; no picture is copied."""
        return DiscPool([*self.examples, *(example.turned_over() for example in self.examples)], self.share)


class Looks(Dataset[DiscBatch]):
    """Item k is the batch of step k + 1, or the part of it that one of several processes takes."""

    def __init__(self, pools: Sequence[DiscPool], recipe: GraderRecipe, rank: int = 0, processes: int = 1) -> None:
        self._recipe, self._rank, self._processes = recipe, rank, processes
        self._examples = [example for pool in pools for example in pool.examples]
        self._weights = np.concatenate([balancing_weights(pool.examples) for pool in pools])
        self._sizes = np.array([len(pool.examples) for pool in pools])
        self._shares = np.array([pool.share for pool in pools]) / sum(pool.share for pool in pools)
        self._steps = recipe.all_steps(len(self._examples))

    def __getitem__(self, step: int) -> DiscBatch:
        ranges = RandomViewRanges().ramped(self._recipe.augmentation(step / self._steps))
        drawn = list(enumerate(self._drawn(step)))[self._rank :: self._processes]
        views = [self._views(step, drawn[k : k + _CHUNK], ranges) for k in range(0, len(drawn), _CHUNK)]
        places = [place for _, place in drawn]
        return a_batch(torch.cat(views), [self._examples[place] for place in places], self._weights[places])

    def _drawn(self, step: int) -> list[int]:
        """Places of the whole batch's discs."""
        if self._recipe.epochs:
            return self._next_of_pass(step)
        rng = np.random.default_rng((self._recipe.seed, step))
        origins = rng.choice(len(self._sizes), self._recipe.batch, p=self._shares)
        starts = np.cumsum(self._sizes) - self._sizes
        return [int(starts[origin] + rng.integers(self._sizes[origin])) for origin in origins]

    def _next_of_pass(self, step: int) -> list[int]:
        discs, batch = len(self._examples), self._recipe.batch
        epoch, place = divmod(step, self._recipe.steps_per_epoch(discs))
        order = np.random.default_rng((self._recipe.seed, epoch)).permutation(discs)
        return np.resize(order, max(discs, batch))[place * batch : (place + 1) * batch].tolist()  # type: ignore[no-any-return]

    def _views(self, step: int, drawn: Sequence[tuple[int, int]], ranges: RandomViewRanges) -> Tensor:
        contexts, views = [], []
        for number, place in drawn:
            rng = np.random.default_rng((self._recipe.seed, step, number))
            example = self._examples[place]
            contexts.append(draw_context(rng, example) if self._recipe.varies_slices else example.context())
            views.append(draw_view(rng, ranges))
        return look(torch.from_numpy(np.stack(contexts)), views)


def draw_context(rng: np.random.Generator, example: DiscExample) -> FloatArray:
    """The context with another contrast, and with other slices: one slice repeated into several, or several blanked.

    Float32 (13, 192, 320) in [0, 1]; the middle slice, or the only one, is always kept as it is.
    """
    context = example.context() ** np.float32(np.exp(rng.normal(0, 0.12)))
    half = int(rng.choice([0, 1, 2, 3, 4, 6], p=[0.15, 0.15, 0.15, 0.15, 0.2, 0.2]))
    middle = CONTEXT_SHAPE[0] // 2
    if len(example.slices) == 1:
        return _repeated(rng, context, example.first, half if rng.random() < 0.6 else 0)
    if rng.random() < 0.4:
        context[: middle - half] = 0
        context[middle + half + 1 :] = 0
    return context


def slice_means(pools: Sequence[DiscPool], discs: int = 200) -> Tensor:
    """(9,) mean intensity of each slice of the disc volume over some discs of each pool, where present (section 4)."""
    rng = np.random.default_rng(0)
    drawn = [pool.examples[k] for pool in pools for k in rng.permutation(len(pool.examples))[:discs]]
    volumes = (FixedView().cut(torch.from_numpy(example.context())) for example in drawn)
    means = torch.stack([volume.mean(dim=(1, 2)) for volume in volumes])  # (discs, 9)
    return means.sum(dim=0) / (means > 0).sum(dim=0).clamp(min=1)


def data_digest(pools: Sequence[DiscPool]) -> str:
    """A few digits that change with the pools' discs, their labels or their shares."""
    parts = (f"{pool.share} {examples_digest(pool.examples)}" for pool in pools)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]


def examples_digest(examples: Sequence[DiscExample]) -> str:
    """A few digits that change with the discs or their labels."""
    digest = hashlib.sha256()
    for one in examples:
        digest.update(f"{one.patient} {one.level} {one.first} {one.marrow_changed}".encode())
        digest.update(one.admissible.tobytes() + one.slices[:, ::16, ::16].tobytes())
    return digest.hexdigest()[:12]


def _repeated(rng: np.random.Generator, context: FloatArray, only: int, half: int) -> FloatArray:
    out = np.zeros_like(context)
    for place in range(max(only - half, 0), min(only + half + 1, len(context))):
        shift = rng.integers(-2, 3, 2) if place != only else (0, 0)
        gain = np.float32(rng.uniform(0.92, 1.08)) if place != only else np.float32(1)
        out[place] = np.clip(np.roll(context[only], shift, axis=(0, 1)) * gain, 0, 1)
    return out
