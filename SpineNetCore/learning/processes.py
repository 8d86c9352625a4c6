"""The processes that train one network together, started by `torchrun`, or the only one there is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import torch
from torch import distributed

from SpineNetCore.models import chosen_device

_PATIENCE = timedelta(days=1)
"""The others wait while the first one cuts all discs."""


@dataclass(frozen=True)
class Process:
    """One process among `count`; loaders: how many helpers draw its batches, 0 for none."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    loaders: int = 1
    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes files and speaks."""
        return self.rank == 0

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """The first process does the block, then all others do, and find its files."""
        if not self.is_first:
            distributed.barrier()
        yield
        if self.is_first and self.count > 1:
            distributed.barrier()

    def from_first(self, value: float) -> float:
        """The first process's value, in all of them."""
        if self.count == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return float(shared)

    def mean(self, value: float) -> float:
        """The mean over all processes, in all of them."""
        if self.count == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.all_reduce(shared)
        return float(shared) / self.count


@contextmanager
def joined(device: str, workers: int) -> Iterator[Process]:
    """This process, joined with those that `torchrun` started beside it; device: `auto`, `cpu` or `cuda`.

    workers: how many helpers draw batches for a GPU; a CPU is kept busy by one.
    """
    chosen = chosen_device(device)
    loaders = workers if chosen.type == "cuda" else 1
    count = int(os.environ.get("WORLD_SIZE", "1"))
    torch.backends.cudnn.deterministic = True  # a resumed training repeats to the bit on a GPU, too
    if count == 1:
        yield Process(chosen, loaders)
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(chosen)
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield Process(chosen, loaders, distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()
