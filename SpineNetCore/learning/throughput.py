"""How fast a grader's training is, and what loading and augmenting its batches adds to a step."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from SpineNetCore.learning.disc_batches import DiscBatch, DiscBatches, DiscPool
from SpineNetCore.learning.grader_batches import DRAWN_AHEAD, load_batches
from SpineNetCore.learning.grader_data import GraderData
from SpineNetCore.learning.grader_loss import LabelBatch
from SpineNetCore.learning.grader_recipe import GraderRecipe
from SpineNetCore.learning.grader_steps import loss_of, new_training
from SpineNetCore.learning.processes import Process

_TURN = 5
"""Steps of one kind that are timed in a row: both kinds take turns, so that a machine that slows down slows both."""


@dataclass(frozen=True)
class Throughput:
    """Median seconds of a step on a batch that is there already, and on batches as training has them."""

    alone_s: float
    fed_s: float

    @property
    def overhead(self) -> float:
        """What loading and augmentation add, as a share of a step without them."""
        return self.fed_s / self.alone_s - 1


def measure_throughput(pools: Sequence[DiscPool], recipe: GraderRecipe, process: Process, steps: int) -> Throughput:
    """Time so many steps of either kind, forward, backward and descent, from half-way through the recipe's training."""
    training = new_training(pools, recipe, None, process)
    data = GraderData(pools)
    all_steps = recipe.all_steps(data.discs)
    middle = all_steps // 2

    def learn(views: Tensor, labels: LabelBatch) -> None:
        loss = loss_of(training.network, views, labels, recipe)
        training.step(loss)
        loss.item()  # waits for a GPU

    def seen(batch: DiscBatch) -> tuple[Tensor, LabelBatch]:
        return batch.looks.seen(process.device), batch.labels.to(process.device)

    ready = seen(DiscBatches(pools, recipe, process.rank, process.count)[middle])
    batches = iter(load_batches(data, recipe, process, range(middle, all_steps)))
    warm_up = DRAWN_AHEAD * process.loaders + 1  # past the batches that lie ready before the first step
    alone_s: list[float] = []
    fed_s: list[float] = []
    for start in range(0, steps, _TURN):
        turn = min(_TURN, steps - start)
        alone_s += _seconds(lambda: learn(*ready), turn, warm_up)
        fed_s += _seconds(lambda: learn(*seen(next(batches).discs)), turn, warm_up)
    return Throughput(statistics.median(alone_s), statistics.median(fed_s))


def _seconds(step: Callable[[], None], steps: int, warm_up: int) -> list[float]:
    for _ in range(warm_up):
        step()
    seconds = []
    for _ in range(steps):
        began = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - began)
    return seconds
