"""Training of the grading network on discs whose labels may be missing, partial or sets."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE
from SpineNetCore.learning.checkpoints import Training, resumed, save_checkpoint
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.processor import has_native_bfloat16
from SpineNetCore.views import FixedView, RandomViewRanges, draw_view, look

log = logging.getLogger(__name__)

_TASKS = tuple(Task)
_MARROW = [_TASKS.index(Task.UPPER_MARROW), _TASKS.index(Task.LOWER_MARROW)]


@dataclass(frozen=True)
class GraderRecipe:
    """ours: quicker than the paper's. AdamW on a one-cycle rate, batch normalisation (folded away afterwards), the
    paper's augmentation reached by degrees over the first `ramp` of the steps, slices blanked and repeated at random.
    """

    network: NetworkConfig = field(default_factory=lambda: NetworkConfig(fc6=48, fc7=48, batch_norm=True))
    steps: int = 2400
    batch: int = 64
    rate: float = 2e-3
    weight_decay: float = 0.02
    ramp: float = 0.5
    seed: int = 0
    checkpoint_every: int = 100


@dataclass(frozen=True)
class DiscPool:
    """Discs of one origin and the share of every batch that comes from them."""

    examples: Sequence[DiscExample]
    share: float


@dataclass(frozen=True)
class DiscBatch:
    """views: (N, 9, 112, 224) in [0, 1]. admissible: bool (N, 6, 5). weights: (N, 6). marrow_changed: bool (N,), where
    marrow is known to have changed on one side or both, but not on which.
    """

    views: Tensor
    admissible: Tensor
    weights: Tensor
    marrow_changed: Tensor


def train_grader(
    pools: Sequence[DiscPool], recipe: GraderRecipe, checkpoint: Path, learned: GradingNetwork | None = None
) -> GradingNetwork:
    """Train on random views of the pools' discs; goes on from `checkpoint` where there is one.

    learned: the network of an earlier round, which is trained further; a new one otherwise.
    """
    torch.manual_seed(recipe.seed)
    network = learned or _new_network(pools, recipe.network)
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, recipe.steps + 1, pct_start=0.15)
    training = Training(network, optimiser, schedule)
    start = resumed(training, checkpoint)
    loader = DataLoader(_Looks(pools, recipe, start), batch_size=None, num_workers=1, prefetch_factor=4)
    began = time.monotonic()
    for step, batch in enumerate(loader, start=start + 1):
        torch.manual_seed(recipe.seed + step)  # so that dropout, too, depends on the seed and the step alone
        loss = _loss(network, batch)
        training.step(loss)
        if step % recipe.checkpoint_every == 0 or step == recipe.steps:
            log.info("step %d of %d: loss %.3f, %.0f s", step, recipe.steps, loss.item(), time.monotonic() - began)
            save_checkpoint(training, step, checkpoint)
    return network.eval()


def _new_network(pools: Sequence[DiscPool], config: NetworkConfig) -> GradingNetwork:
    network = GradingNetwork(config)
    network.slice_means.copy_(_slice_means(pools))
    return network


def set_loss(scores: dict[Task, Tensor], batch: DiscBatch) -> Tensor:
    """Mean over discs of minus the log of the probability of all admissible grades, summed over tasks.

    A marrow change on an unknown side asks that not both sides be normal. Class weights balance each task.
    """
    log_chances = {task: scores[task].float().log_softmax(dim=1) for task in Task}
    total = torch.zeros((), device=batch.views.device)
    for row, task in enumerate(Task):
        admitted = batch.admissible[:, row, : len(task.grades)]
        is_known = admitted.any(dim=1)
        log_sets = log_chances[task].masked_fill(~admitted, -torch.inf)[is_known].logsumexp(dim=1)
        total = total - (log_sets * batch.weights[is_known, row]).sum()
    both_normal = log_chances[Task.UPPER_MARROW][:, 0] + log_chances[Task.LOWER_MARROW][:, 0]
    log_either = torch.log1p(-torch.exp(both_normal.clamp(max=-1e-4)))
    total = total - (log_either * batch.weights[:, _MARROW].sum(dim=1))[batch.marrow_changed].sum()
    return total / len(batch.views)


def balancing_weights(examples: Sequence[DiscExample]) -> NDArray[np.float32]:
    """(N, 6) inverse frequencies of each example's label, mean 1 over a task's labelled examples (section 2)."""
    weights = np.zeros((len(examples), len(Task)), dtype=np.float32)
    for row in range(len(Task)):
        labels = [_label(example, row) for example in examples]
        counts = Counter(label for label in labels if label)
        for place, label in enumerate(labels):
            weights[place, row] = counts.total() / (len(counts) * counts[label]) if label else 0
    return weights


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


def _slice_means(pools: Sequence[DiscPool], discs: int = 200) -> Tensor:
    """(9,) mean intensity of each slice of the disc volume over some discs of each pool, where present (section 4)."""
    rng = np.random.default_rng(0)
    drawn = [pool.examples[k] for pool in pools for k in rng.permutation(len(pool.examples))[:discs]]
    volumes = (FixedView().cut(torch.from_numpy(example.context())) for example in drawn)
    means = torch.stack([volume.mean(dim=(1, 2)) for volume in volumes])  # (discs, 9)
    return means.sum(dim=0) / (means > 0).sum(dim=0).clamp(min=1)


class _Looks(IterableDataset[DiscBatch]):
    """Batches drawn from the pools; a step's batch depends on the seed and the step alone."""

    def __init__(self, pools: Sequence[DiscPool], recipe: GraderRecipe, start: int) -> None:
        self.pools, self.recipe, self.start = pools, recipe, start
        self.weights = [balancing_weights(pool.examples) for pool in pools]

    def __iter__(self) -> Iterator[DiscBatch]:
        for step in range(self.start, self.recipe.steps):
            fraction = min(1.0, 0.2 + 0.8 * step / (self.recipe.ramp * self.recipe.steps))
            yield self._batch(np.random.default_rng((self.recipe.seed, step)), RandomViewRanges().ramped(fraction))

    def _batch(self, rng: np.random.Generator, ranges: RandomViewRanges) -> DiscBatch:
        shares = np.array([pool.share for pool in self.pools])
        origins = rng.choice(len(self.pools), self.recipe.batch, p=shares / shares.sum())
        drawn = [(origin, int(rng.integers(len(self.pools[origin].examples)))) for origin in origins]
        examples = [self.pools[origin].examples[place] for origin, place in drawn]
        contexts = torch.from_numpy(np.stack([draw_context(rng, example) for example in examples]))
        return DiscBatch(
            look(contexts, [draw_view(rng, ranges) for _ in examples]),
            torch.from_numpy(np.stack([example.admissible for example in examples])),
            torch.from_numpy(np.stack([self.weights[origin][place] for origin, place in drawn])),
            torch.tensor([_side_unknown(example) for example in examples]),
        )


def _side_unknown(example: DiscExample) -> bool:
    return example.marrow_changed and not example.admissible[_MARROW].any()


def _repeated(rng: np.random.Generator, context: FloatArray, only: int, half: int) -> FloatArray:
    out = np.zeros_like(context)
    for place in range(max(only - half, 0), min(only + half + 1, len(context))):
        shift = rng.integers(-2, 3, 2) if place != only else (0, 0)
        gain = np.float32(rng.uniform(0.92, 1.08)) if place != only else np.float32(1)
        out[place] = np.clip(np.roll(context[only], shift, axis=(0, 1)) * gain, 0, 1)
    return out


def _loss(network: GradingNetwork, batch: DiscBatch) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_native_bfloat16(torch.device("cpu"))):
        scores = network(batch.views.contiguous(memory_format=torch.channels_last))
    return set_loss(scores, batch)


def _label(example: DiscExample, row: int) -> tuple[bool, ...] | None:
    """What an example says of a task, as something to count; None where it says nothing."""
    if example.admissible[row].any():
        return tuple(example.admissible[row].tolist())
    return (True,) if row in _MARROW and example.marrow_changed else None
