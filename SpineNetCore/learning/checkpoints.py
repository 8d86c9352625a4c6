"""A training that can be killed at any moment and goes on from where it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


@dataclass(frozen=True)
class Training:
    """What changes while a network learns."""

    network: nn.Module
    optimiser: Optimizer
    schedule: LRScheduler

    def step(self, loss: Tensor) -> None:
        """Learn from one batch's loss."""
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimiser.step()
        self.schedule.step()


def save_checkpoint(training: Training, step: int, path: Path) -> None:
    """Write weights, optimiser and schedule after `step` steps, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [training.network.state_dict(), training.optimiser.state_dict(), training.schedule.state_dict()]
    partial = path.with_suffix(".partial")
    torch.save({"step": step, "parts": parts}, partial)
    partial.replace(path)


def resumed(training: Training, path: Path) -> int:
    """Take over a checkpoint where there is one; returns the steps already done."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    network, optimiser, schedule = state["parts"]
    training.network.load_state_dict(network)
    training.optimiser.load_state_dict(optimiser)
    training.schedule.load_state_dict(schedule)
    return int(state["step"])
