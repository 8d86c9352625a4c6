"""Run by torchrun in `test_processes`: trains a tiny network together with the other process and saves the weights."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from grader_making import a_pool
from test_processes import DATA, RECIPES

from SpineNetCore.learning.grader_training import train_grader
from SpineNetCore.learning.processes import joined

if __name__ == "__main__":
    torch.set_num_threads(1)
    assert a_pool().examples
    folder = Path(sys.argv[1])
    with joined("cpu", workers=1) as process:
        with process.first_alone():
            assert process.is_first or (folder / "first").exists()
            (folder / "first").touch()
        for name, recipe in RECIPES.items():
            network = train_grader(DATA, recipe, folder / f"{name}.pt", process=process)
            torch.save(network.state_dict(), folder / f"{name}-{process.rank}.weights")
