"""What one step of a grader's training is made of: network and descent, and what a batch costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.checkpoints import Training
from SpineNetCore.learning.disc_batches import DiscPool, count_discs, data_digest, slice_means
from SpineNetCore.learning.grader_loss import LabelBatch, set_loss
from SpineNetCore.learning.grader_recipe import Descent, GraderRecipe
from SpineNetCore.learning.processes import Process
from SpineNetCore.network import GradingNetwork
from SpineNetCore.processor import trains_in_bfloat16

_MOMENTUM = 0.9

Learner = Callable[[Tensor], dict[Task, Tensor]]


def new_training(
    pools: Sequence[DiscPool], recipe: GraderRecipe, learned: GradingNetwork | None, process: Process
) -> Training:
    """A training at its start, on the process's device; learned: a network to train further, in place of a new one."""
    torch.manual_seed(recipe.seed)
    network = learned or GradingNetwork(recipe.network)
    if learned is None:
        network.slice_means.copy_(slice_means(pools))
    if process.count > 1 and process.device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    network.train().to(process.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser, schedule = _descent(network, recipe, recipe.all_steps(count_discs(pools)))
    facts = recipe.facts() | {"discs": data_digest(pools)}
    return Training(network, optimiser, schedule, {"losses": [], "rows": []}, facts)


def loss_of(learner: Learner, views: Tensor, labels: LabelBatch, recipe: GraderRecipe) -> Tensor:
    """What a network's grades of some views cost, all on one device."""
    enabled = recipe.mixed_precision and trains_in_bfloat16(views.device)
    with torch.autocast(views.device.type, dtype=torch.bfloat16, enabled=enabled):
        scores = learner(views)
    return set_loss(scores, labels)


def _descent(network: nn.Module, recipe: GraderRecipe, steps: int) -> tuple[torch.optim.Optimizer, LRScheduler]:
    weights = network.parameters()
    if recipe.descent is Descent.SGD_ON_PLATEAU:
        sgd = torch.optim.SGD(weights, recipe.rate, momentum=_MOMENTUM, weight_decay=recipe.weight_decay)
        return sgd, ReduceLROnPlateau(sgd, factor=0.1, patience=recipe.patience)
    adamw = torch.optim.AdamW(weights, recipe.rate, weight_decay=recipe.weight_decay)
    return adamw, OneCycleLR(adamw, recipe.rate, steps + 1, pct_start=0.15)
