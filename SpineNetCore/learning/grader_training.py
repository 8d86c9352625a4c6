"""Training of the grading network, resumable to the bit, alone or by several processes together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.checkpoints import Training, resumed, save_checkpoint
from SpineNetCore.learning.disc_batches import DiscBatch, DiscBatches, DiscPool, data_digest, slice_means
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.grader_loss import set_loss
from SpineNetCore.learning.grader_recipe import Descent, GraderRecipe
from SpineNetCore.learning.processes import Process
from SpineNetCore.learning.training_log import draw_curves, write_log
from SpineNetCore.learning.validation import validated
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.processor import trains_in_bfloat16

log = logging.getLogger(__name__)

_MOMENTUM = 0.9
_EPOCHS_PER_CHECKPOINT = 10


@dataclass(frozen=True)
class GraderData:
    """What a grader learns from, and the discs of other patients that tell how far it is."""

    pools: Sequence[DiscPool]
    validation: Sequence[DiscExample] = ()

    @property
    def discs(self) -> int:
        """How many it learns from."""
        return sum(len(pool.examples) for pool in self.pools)

    def both_ways(self) -> GraderData:
        """The same with every disc to learn from also turned over."""
        return replace(self, pools=[pool.both_ways() for pool in self.pools])


def train_grader(
    data: GraderData,
    recipe: GraderRecipe,
    checkpoint: Path,
    learned: GradingNetwork | None = None,
    *,
    process: Process | None = None,
) -> GradingNetwork:
    """Train on random views of the pools' discs; goes on from `checkpoint` where there is one.

    A log and a picture of its curves lie beside the checkpoint. learned: the network of an earlier round, which is
    trained further; a new one otherwise. process: this one of several that share every batch; without synchronised
    batch normalisation (only GPUs have it) each normalises its own part. Raises InputError where the recipe does not
    fit the data, the processes or the checkpoint, or where the disk is full.
    """
    process = process or Process()
    data = data.both_ways() if recipe.turns_over else data
    steps = recipe.all_steps(data.discs)
    _check(data, recipe, process)
    training = _new_training(data, recipe, learned, process)
    start = resumed(training, checkpoint)
    learner = _shared(training.network, process)
    loader = _loader(data, recipe, process, range(start, steps))
    for step, batch in enumerate(tqdm(loader, "training", steps, initial=start, disable=_quiet(process)), start + 1):
        torch.manual_seed(recipe.seed + step + process.rank * steps)  # dropout, too, depends on seed and step alone
        loss = _loss(learner, batch, recipe, process.device)
        training.step(loss)
        training.memory["losses"].append(loss.item())
        if _is_due(step, recipe.validate_every or recipe.steps_per_epoch(data.discs), steps):
            _validate(training, data, recipe, step, process)
            if process.is_first:
                write_log(training.memory["rows"], checkpoint.with_suffix(".csv"))
        every = recipe.checkpoint_every or _EPOCHS_PER_CHECKPOINT * recipe.steps_per_epoch(data.discs)
        if process.is_first and _is_due(step, every, steps):
            save_checkpoint(training, step, checkpoint)
            draw_curves(training.memory["rows"], checkpoint.with_suffix(".png"))
    return _plain(training.result, recipe.network).eval()


def _check(data: GraderData, recipe: GraderRecipe, process: Process) -> None:
    if data.discs == 0:
        raise InputError("There is no disc to learn from: give graded scans of training patients, or phantoms.")
    if recipe.batch % process.count:
        raise InputError(
            f"A batch of {recipe.batch} discs cannot be shared evenly by {process.count} processes: start a number "
            "that divides it."
        )
    if recipe.descent is Descent.SGD_ON_PLATEAU and not data.validation:
        raise InputError(
            "The rate falls when the validation loss no longer does, but no patient is there for validation: give at "
            "least three patients, or mark some with 'validation' in the manifest's column split."
        )


def _new_training(data: GraderData, recipe: GraderRecipe, learned: GradingNetwork | None, process: Process) -> Training:
    torch.manual_seed(recipe.seed)
    network = learned or GradingNetwork(recipe.network)
    if learned is None:
        network.slice_means.copy_(slice_means(data.pools))
    if process.count > 1 and process.device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    network.train().to(process.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser, schedule = _descent(network, recipe, recipe.all_steps(data.discs))
    facts = recipe.facts() | {"discs": data_digest(data.pools)}
    return Training(network, optimiser, schedule, {"losses": [], "rows": []}, facts, _average(network, recipe))


def _average(network: nn.Module, recipe: GraderRecipe) -> AveragedModel | None:
    """Buffers are averaged too, so that batch normalisation fits the averaged weights."""
    if not recipe.averaging:
        return None
    follow = get_ema_multi_avg_fn(recipe.averaging)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=follow, use_buffers=True)


def _descent(network: nn.Module, recipe: GraderRecipe, steps: int) -> tuple[torch.optim.Optimizer, LRScheduler]:
    weights = network.parameters()
    if recipe.descent is Descent.SGD_ON_PLATEAU:
        sgd = torch.optim.SGD(weights, recipe.rate, momentum=_MOMENTUM, weight_decay=recipe.weight_decay)
        return sgd, ReduceLROnPlateau(sgd, factor=0.1, patience=recipe.patience)
    adamw = torch.optim.AdamW(weights, recipe.rate, weight_decay=recipe.weight_decay)
    return adamw, OneCycleLR(adamw, recipe.rate, steps + 1, pct_start=0.15)


def _shared(network: nn.Module, process: Process) -> Callable[[Tensor], dict[Task, Tensor]]:
    return DistributedDataParallel(network) if process.count > 1 else network


def _loader(data: GraderData, recipe: GraderRecipe, process: Process, steps: range) -> DataLoader[DiscBatch]:
    batches = DiscBatches(data.pools, recipe, process.rank, process.count)
    ahead = 2 if process.loaders else None
    return DataLoader(batches, batch_size=None, sampler=steps, num_workers=process.loaders, prefetch_factor=ahead)


def _quiet(process: Process) -> bool | None:
    """None leaves it to tqdm whether there is a terminal."""
    return None if process.is_first else True


def _is_due(step: int, every: int, steps: int) -> bool:
    return step % every == 0 or step == steps


def _loss(
    learner: Callable[[Tensor], dict[Task, Tensor]], batch: DiscBatch, recipe: GraderRecipe, device: torch.device
) -> Tensor:
    views = batch.looks.seen(device)
    enabled = recipe.mixed_precision and trains_in_bfloat16(device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled):
        scores = learner(views)
    return set_loss(scores, batch.labels.to(device))


def _validate(training: Training, data: GraderData, recipe: GraderRecipe, step: int, process: Process) -> None:
    """Add a row to the log, and let the rate fall where it waits for a plateau."""
    losses = training.memory["losses"]
    row = {
        "step": float(step),
        "epoch": step / recipe.steps_per_epoch(data.discs),
        "rate": training.optimiser.param_groups[0]["lr"],
        "training_loss": process.mean(sum(losses) / len(losses)),
    }
    losses.clear()
    if data.validation:
        loss = torch.nan
        if process.is_first:
            assert isinstance(training.result, GradingNetwork)
            found = validated(training.result, data.validation, process.device)
            loss = found.loss
            row |= {"validation_loss": loss} | {task.value: value for task, value in found.accuracies.items()}
        training.judge(process.from_first(loss))
    training.memory["rows"].append(row)
    if process.is_first:
        log.info("step %d: %s", step, ", ".join(f"{name} {value:.3f}" for name, value in list(row.items())[3:]))


def _plain(network: nn.Module, config: NetworkConfig) -> GradingNetwork:
    """The same weights on the CPU, in a network that knows of no other process."""
    plain = GradingNetwork(config)
    plain.load_state_dict(network.state_dict())
    return plain
