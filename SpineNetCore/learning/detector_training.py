"""Training of the vertebra detector, resumable to the bit."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from SpineNetCore.learning.checkpoints import Training, resumed, save_checkpoint
from SpineNetCore.learning.slice_augmentation import draw_target
from SpineNetCore.learning.slice_examples import UNKNOWN, SliceExample
from SpineNetCore.processor import has_native_bfloat16
from SpineNetCore.tensors import tensor_of
from SpineNetCore.vertebra_network import Tissue, VertebraMaps, VertebraNetwork

log = logging.getLogger(__name__)

Batch = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class DetectorRecipe:
    """How long and how fast to learn; corner_weight balances the corners' loss against the tissue's."""

    steps: int = 2000
    batch: int = 8
    rate: float = 3e-3
    weight_decay: float = 1e-4
    corner_weight: float = 1.0
    seed: int = 0
    checkpoint_every: int = 100

    def facts(self) -> dict[str, str]:
        """By name, all that two trainings must share for one to go on from the other's checkpoint."""
        return {name: str(value) for name, value in asdict(self).items() if name != "checkpoint_every"}


@dataclass(frozen=True)
class ExamplePool:
    """Examples of one origin and the share of every batch that comes from them."""

    examples: Sequence[SliceExample]
    share: float


def train_detector(
    network: VertebraNetwork, pools: Sequence[ExamplePool], recipe: DetectorRecipe, checkpoint: Path
) -> VertebraNetwork:
    """Train a network on random looks at the pools' examples; goes on from `checkpoint` where there is one.

    Raises InputError where that one is broken or was made by another recipe or from other examples, or where the disk
    is full.
    """
    torch.manual_seed(recipe.seed)
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, recipe.steps + 1, pct_start=0.1)
    facts = recipe.facts() | {"examples": _digest(pools)}
    training = Training(network, optimiser, schedule, facts=facts)
    start = resumed(training, checkpoint)
    loader = DataLoader(_Looks(pools, recipe, start), batch_size=None, num_workers=1, prefetch_factor=6)
    began = time.monotonic()
    for step, batch in enumerate(loader, start=start + 1):
        loss = _loss(network, batch, recipe.corner_weight)
        training.step(loss)
        if step % recipe.checkpoint_every == 0 or step == recipe.steps:
            log.info("step %d of %d: loss %.3f, %.0f s", step, recipe.steps, loss.item(), time.monotonic() - began)
            save_checkpoint(training, step, checkpoint)
    return network.eval()


def _digest(pools: Sequence[ExamplePool]) -> str:
    """A few digits that change with the examples or their shares."""
    digest = hashlib.sha256()
    for pool in pools:
        digest.update(f"{pool.share} {len(pool.examples)}".encode())
        for example in pool.examples:
            digest.update(example.image[::16, ::16].tobytes() + example.tissue[::4, ::4].tobytes())
    return digest.hexdigest()[:12]


class _Looks(IterableDataset[Batch]):
    """Batches drawn from the pools; a step's batch depends on the seed and the step alone."""

    def __init__(self, pools: Sequence[ExamplePool], recipe: DetectorRecipe, start: int) -> None:
        self.pools, self.recipe, self.start = pools, recipe, start

    def __iter__(self) -> Iterator[Batch]:
        for step in range(self.start, self.recipe.steps):
            yield self._batch(np.random.default_rng((self.recipe.seed, step)))

    def _batch(self, rng: np.random.Generator) -> Batch:
        shares = np.array([pool.share for pool in self.pools])
        origins = rng.choice(len(self.pools), self.recipe.batch, p=shares / shares.sum())
        pools = [self.pools[origin].examples for origin in origins]
        looks = [draw_target(rng, pool[rng.integers(len(pool))]) for pool in pools]
        image, tissue, corners = (
            np.stack(list(part)) for part in zip(*((x.image, x.tissue, x.corners) for x in looks), strict=True)
        )
        return tensor_of(image)[:, None], tensor_of(tissue), tensor_of(corners)


def _loss(network: VertebraNetwork, batch: Batch, corner_weight: float) -> Tensor:
    image, tissue, corners = batch
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_native_bfloat16(torch.device("cpu"))):
        maps = network(image.to(memory_format=torch.channels_last))
    scores = maps.tissue.float()
    cross_entropy = torch.nn.functional.cross_entropy(scores, tissue, ignore_index=UNKNOWN)
    return cross_entropy + _dice_loss(scores, tissue) + corner_weight * _corner_loss(maps, corners)


def _dice_loss(scores: Tensor, tissue: Tensor) -> Tensor:
    known = (tissue != UNKNOWN)[:, None]
    truth = torch.nn.functional.one_hot(tissue.clamp(max=len(Tissue) - 1), len(Tissue)).permute(0, 3, 1, 2) * known
    chance = scores.softmax(dim=1) * known
    overlap = (chance * truth).sum(dim=(0, 2, 3))
    dice = (2 * overlap + 1) / (chance.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3)) + 1)
    return 1 - dice[1:].mean()


def _corner_loss(maps: VertebraMaps, corners: Tensor) -> Tensor:
    """0 where no pixel is asked for a corner."""
    asked = corners.isfinite()
    loss = torch.nn.functional.smooth_l1_loss(maps.corners.float()[asked], corners[asked], beta=0.1, reduction="sum")
    return loss / asked.sum().clamp(min=1)
