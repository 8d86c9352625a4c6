"""A training that can be killed at any moment and goes on from where it was."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from SpineNetCore.errors import InputError
from SpineNetCore.whole_files import written_whole


@dataclass(frozen=True)
class Training:
    """What changes while a network learns.

    memory: what else it must remember, as tensors and plain values. facts: by name, what decides how it goes on.
    """

    network: nn.Module
    optimiser: Optimizer
    schedule: LRScheduler
    memory: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def step(self, loss: Tensor) -> None:
        """Learn from one batch's loss."""
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimiser.step()
        if not isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step()

    def judge(self, validation_loss: float) -> None:
        """Let a rate that waits for plateaus know how good the network is by now."""
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(validation_loss)


def save_checkpoint(training: Training, step: int, path: Path) -> None:
    """Write weights, optimiser, schedule and memory after `step` steps, whole or not at all.

    Raises InputError where it cannot be written; the checkpoint before it is then still there.
    """
    parts = [training.network.state_dict(), training.optimiser.state_dict(), training.schedule.state_dict()]
    state = {"step": step, "parts": parts, "memory": training.memory, "facts": dict(training.facts)}
    with written_whole(path) as partial:
        try:
            torch.save(state, partial)
        except RuntimeError as error:  # so PyTorch says that a disk is full
            raise OSError(str(error).splitlines()[0]) from error


def resumed(training: Training, path: Path) -> int:
    """Take over a checkpoint where there is one; returns the steps already done.

    Raises InputError where it is broken or was made by a training with other facts.
    """
    if not path.exists():
        return 0
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network, optimiser, schedule = state["parts"]
        memory, facts, step = state.get("memory", {}), state.get("facts", {}), int(state["step"])
    except (RuntimeError, OSError, EOFError, pickle.UnpicklingError, KeyError, AttributeError, ValueError) as error:
        raise InputError(
            f"The checkpoint '{path}' is broken or of another version: delete it to train from the start."
        ) from error
    _check_facts(facts, training.facts, path)
    try:
        training.network.load_state_dict(network)
        training.optimiser.load_state_dict(optimiser)
    except (RuntimeError, ValueError, KeyError) as error:
        raise InputError(f"The checkpoint '{path}' is of another network: {_REMEDY}.") from error
    training.schedule.load_state_dict(schedule)
    training.memory.update(memory)
    return step


_REMEDY = "give another --work folder, or delete it to train from the start"


def _check_facts(theirs: Mapping[str, str], ours: Mapping[str, str], path: Path) -> None:
    for name in sorted({*theirs, *ours}):
        if theirs.get(name) != ours.get(name):
            raise InputError(
                f"The checkpoint '{path}' was made with {name} {theirs.get(name)}, now it is {ours.get(name)}: "
                f"{_REMEDY}."
            )
