"""Batches of discs and of random looks at them, each decided by the seed and the step alone, whoever draws it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.disc_looks import DrawnLooks, draw_looks
from SpineNetCore.learning.grader_loss import LabelBatch, balancing_weights, labels_of
from SpineNetCore.learning.grader_recipe import GraderRecipe
from SpineNetCore.tensors import tensor_of
from SpineNetCore.views import FixedView, RandomViewRanges

_WHICH_DISCS = 0, 2
"""Sets the random numbers that choose discs apart from those of a look or a lesion of the same step."""

_DISCS_FOR_MEANS = 200


@dataclass(frozen=True)
class DiscPool:
    """Discs of one origin, phantoms or patients; a recipe says how many of a batch come from either."""

    examples: Sequence[DiscExample]
    is_simulated: bool = False

    def both_ways(self) -> DiscPool:
        """Every disc as it is and turned over; no picture is copied."""
        return replace(self, examples=[*self.examples, *(example.turned_over() for example in self.examples)])


@dataclass(frozen=True)
class DiscBatch:
    """Looks at discs, and what the discs' labels admit."""

    looks: DrawnLooks
    labels: LabelBatch


def count_discs(pools: Sequence[DiscPool]) -> int:
    """How many discs all pools have."""
    return sum(len(pool.examples) for pool in pools)


class DiscBatches:
    """Item k is the batch of step k + 1, or the part of it that one of several processes takes."""

    def __init__(self, pools: Sequence[DiscPool], recipe: GraderRecipe, rank: int = 0, processes: int = 1) -> None:
        self._recipe, self._rank, self._processes = recipe, rank, processes
        self._examples = [example for pool in pools for example in pool.examples]
        self._weights = np.concatenate([balancing_weights(pool.examples) for pool in pools])
        self._sizes = np.array([len(pool.examples) for pool in pools])
        self._shares = _shares(pools, recipe.phantoms)
        self._steps = recipe.all_steps(len(self._examples))

    def __getitem__(self, step: int) -> DiscBatch:
        ranges = RandomViewRanges().ramped(self._recipe.augmentation(step / self._steps))
        numbers = range(self._rank, self._recipe.batch, self._processes)
        rngs = [np.random.default_rng((self._recipe.seed, step, number)) for number in numbers]
        places = self._drawn(step)[self._rank :: self._processes]
        examples = [self._examples[place] for place in places]
        looks = draw_looks(rngs, examples, ranges, self._recipe.varies_slices)
        return DiscBatch(looks, labels_of(examples, self._weights[places]))

    def _drawn(self, step: int) -> list[int]:
        """Places of the whole batch's discs."""
        if self._recipe.epochs:
            return self._next_of_pass(step)
        rng = np.random.default_rng((self._recipe.seed, step, *_WHICH_DISCS))
        origins = rng.choice(len(self._sizes), self._recipe.batch, p=self._shares)
        starts = np.cumsum(self._sizes) - self._sizes
        return [int(starts[origin] + rng.integers(self._sizes[origin])) for origin in origins]

    def _next_of_pass(self, step: int) -> list[int]:
        discs, batch = len(self._examples), self._recipe.batch
        epoch, place = divmod(step, self._recipe.steps_per_epoch(discs))
        order = np.random.default_rng((self._recipe.seed, epoch, *_WHICH_DISCS)).permutation(discs)
        return np.resize(order, max(discs, batch))[place * batch : (place + 1) * batch].tolist()  # type: ignore[no-any-return]


def _shares(pools: Sequence[DiscPool], phantoms: float) -> NDArray[np.float64]:
    """Of a batch, by pool: those of either origin share alike what there is of it."""
    origins = [pool.is_simulated for pool in pools]
    shares = [(phantoms if simulated else 1 - phantoms) / origins.count(simulated) for simulated in origins]
    return np.array(shares) / sum(shares)


def slice_means(pools: Sequence[DiscPool]) -> Tensor:
    """(9,) mean intensity of each slice of the disc volume over some discs of each pool, where present (section 4)."""
    rng = np.random.default_rng(0)
    drawn = [pool.examples[k] for pool in pools for k in rng.permutation(len(pool.examples))[:_DISCS_FOR_MEANS]]
    volumes = (FixedView().cut(tensor_of(example.context())) for example in drawn)
    means = torch.stack([volume.mean(dim=(1, 2)) for volume in volumes])  # (discs, 9)
    return means.sum(dim=0) / (means > 0).sum(dim=0).clamp(min=1)


def data_digest(pools: Sequence[DiscPool]) -> str:
    """A few digits that change with the pools' discs, their labels or their origin."""
    parts = (f"{pool.is_simulated} {examples_digest(pool.examples)}" for pool in pools)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]


def examples_digest(examples: Sequence[DiscExample]) -> str:
    """A few digits that change with the discs or their labels."""
    digest = hashlib.sha256()
    for one in examples:
        digest.update(f"{one.patient} {one.level} {one.first} {one.marrow_changed}".encode())
        digest.update(one.admissible.tobytes() + one.slices[:, ::16, ::16].tobytes())
    return digest.hexdigest()[:12]
