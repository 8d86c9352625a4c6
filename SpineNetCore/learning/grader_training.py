"""Training of the grading network, resumable to the bit, alone or by several processes together."""

from __future__ import annotations

import logging
from pathlib import Path
from time import monotonic

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from SpineNetCore.errors import InputError
from SpineNetCore.learning.checkpoints import Training, resumed, save_checkpoint
from SpineNetCore.learning.evidence_guidance import LesionLooks, guidance_loss, lesions_digest
from SpineNetCore.learning.grader_batches import load_batches
from SpineNetCore.learning.grader_data import GraderData
from SpineNetCore.learning.grader_recipe import Descent, GraderRecipe
from SpineNetCore.learning.grader_steps import loss_of, new_training
from SpineNetCore.learning.processes import Process
from SpineNetCore.learning.training_log import draw_curves, write_log
from SpineNetCore.learning.validation import validated
from SpineNetCore.model_files import weights_digest
from SpineNetCore.network import GradingNetwork, NetworkConfig

log = logging.getLogger(__name__)

_VALIDATIONS_PER_CHECKPOINT = 10

_LONGEST_UNSAVED_S = 300.0
"""ours: how much work may be lost to whatever stops a slow machine."""


def train_grader(
    data: GraderData,
    recipe: GraderRecipe,
    checkpoint: Path,
    learned: GradingNetwork | None = None,
    *,
    process: Process | None = None,
) -> GradingNetwork:
    """Train on random views of the pools' discs; goes on from `checkpoint` where there is one.

    A log and a picture of its curves lie beside the checkpoint. learned: the network of an earlier round or of a file,
    which is trained further; a new one otherwise. process: this one of several that share every batch; without
    synchronised batch normalisation (only GPUs have it) each normalises its own part. Raises InputError where the
    recipe does not fit the data, the processes or the checkpoint, or where the disk is full.
    """
    process = process or Process()
    data = data.both_ways() if recipe.turns_over else data
    steps = recipe.all_steps(data.discs)
    _check(data, recipe, process)
    facts = _facts(data, recipe, learned)  # before the weights of `learned` are trained in place
    training = new_training(data.pools, recipe, learned, process)
    training.facts.update(facts)
    start = resumed(training, checkpoint)
    learner = DistributedDataParallel(training.network) if process.count > 1 else training.network
    every = recipe.validate_every or recipe.steps_per_epoch(data.discs)
    if process.is_first:
        log.info("%d steps of %d discs, from step %d on; a line follows every %d", steps, recipe.batch, start, every)
    loader, saved_s = load_batches(data, recipe, process, range(start, steps)), monotonic()
    for step, batch in enumerate(tqdm(loader, "training", steps, initial=start, disable=_quiet(process)), start + 1):
        torch.manual_seed(recipe.seed + step + process.rank * steps)  # dropout, too, depends on seed and step alone
        views, labels = batch.discs.looks.seen(process.device), batch.discs.labels.to(process.device)
        loss = loss_of(learner, views, labels, recipe)
        training.step(loss + _guidance(training.network, batch.lesions, recipe, process))
        training.memory["losses"].append(process.mean(loss.item()))
        if _is_due(step, every, steps):
            _validate(training, data, recipe, step, process)
            if process.is_first:
                write_log(training.memory["rows"], checkpoint.with_suffix(".csv"))
        is_due = _is_due(step, recipe.checkpoint_every or _VALIDATIONS_PER_CHECKPOINT * every, steps)
        if process.is_first and (is_due or monotonic() - saved_s > _LONGEST_UNSAVED_S):
            saved_s = _saved(training, step, checkpoint)
    return _plain(training.network, recipe.network).eval()


def _check(data: GraderData, recipe: GraderRecipe, process: Process) -> None:
    if data.discs == 0:
        raise InputError("There is no disc to learn from: give graded scans of training patients, or phantoms.")
    if recipe.batch % process.count:
        raise InputError(
            f"A batch of {recipe.batch} discs cannot be shared evenly by {process.count} processes: start a number "
            "that divides it."
        )
    if data.guides(recipe) and recipe.guided % process.count:
        raise InputError(
            f"{recipe.guided} lesions a batch cannot be shared evenly by {process.count} processes: start a number "
            "that divides it."
        )
    if recipe.descent is Descent.SGD_ON_PLATEAU and not data.validation:
        raise InputError(
            "The rate falls when the validation loss no longer does, but no patient is there for validation: give at "
            "least three patients, or mark some with 'validation' in the manifest's column split."
        )


def _facts(data: GraderData, recipe: GraderRecipe, learned: GradingNetwork | None) -> dict[str, str]:
    """What a checkpoint must agree on besides recipe and discs: lesions and the weights it began with."""
    lesions = {"lesions": lesions_digest(data.lesions)} if data.guides(recipe) else {}
    return lesions | ({"starting weights": weights_digest(learned)} if learned else {})


def _guidance(
    network: nn.Module, lesions: LesionLooks | None, recipe: GraderRecipe, process: Process
) -> Tensor | float:
    """What is added to a step's loss for evidence outside of lesions."""
    if lesions is None:
        return 0.0
    assert isinstance(network, GradingNetwork)
    return recipe.guidance * guidance_loss(network, lesions.to(process.device), recipe.mixed_precision)


def _quiet(process: Process) -> bool | None:
    """None leaves it to tqdm whether there is a terminal."""
    return None if process.is_first else True


def _saved(training: Training, step: int, checkpoint: Path) -> float:
    """When a training was saved, on the clock of `monotonic`."""
    save_checkpoint(training, step, checkpoint)
    draw_curves(training.memory["rows"], checkpoint.with_suffix(".png"))
    return monotonic()


def _is_due(step: int, every: int, steps: int) -> bool:
    return step % every == 0 or step == steps


def _validate(training: Training, data: GraderData, recipe: GraderRecipe, step: int, process: Process) -> None:
    """Add a row to the log, and let the rate fall where it waits for a plateau."""
    losses = training.memory["losses"]
    row = {
        "step": float(step),
        "epoch": step / recipe.steps_per_epoch(data.discs),
        "rate": training.optimiser.param_groups[0]["lr"],
        "training_loss": sum(losses) / len(losses),
    }
    losses.clear()
    if data.validation:
        loss = torch.nan
        if process.is_first:
            assert isinstance(training.network, GradingNetwork)
            found = validated(training.network, data.validation, process.device)
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
