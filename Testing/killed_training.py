"""Run by `test_grader_training` to be killed: trains until half of its second checkpoint is written, then waits."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch
from grader_making import QUICK, a_data

from SpineNetCore.learning import checkpoints
from SpineNetCore.learning.grader_training import train_grader
from SpineNetCore.learning.processes import Process


def save_or_wait(state: dict[str, object], path: Path) -> None:
    torch_save(state, path)
    if state["step"] == QUICK.steps:
        path.write_bytes(path.read_bytes()[:1000])
        time.sleep(600)


if __name__ == "__main__":
    torch_save = torch.save
    checkpoints.torch.save = save_or_wait
    train_grader(a_data(), QUICK, Path(sys.argv[1]), process=Process(loaders=0))
