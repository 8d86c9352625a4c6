from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from grader_making import PAPER, QUICK, a_disc, a_pool

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.grader_training import GraderData, train_grader
from SpineNetCore.learning.processes import Process, joined

HERE = Path(__file__).resolve().parent
DATA = GraderData([a_pool()], [a_disc({Task.PFIRRMANN: {grade}}, slices=1) for grade in (1, 5)])
PLAIN = replace(PAPER.network, dropout=0.0)
"""Neither dropout nor batch normalisation: only then is the result of several processes that of one."""
RECIPES = {
    "quick": replace(QUICK, network=PLAIN, batch=4, mixed_precision=False, rate=1e-2),
    "paper": replace(PAPER, network=PLAIN, batch=4, rate=1e-2),
}


@pytest.fixture(scope="module")
def together(tmp_path_factory) -> Path:
    """The folder of a training by two processes that `torchrun` started."""
    folder = tmp_path_factory.mktemp("together")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    paths = os.pathsep.join([str(HERE.parent), str(HERE)])
    subprocess.run(
        [*launch, str(HERE / "two_processes.py"), str(folder)],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=120,
        capture_output=True,
    )
    return folder


@pytest.mark.parametrize("name", list(RECIPES))
def test_two_processes_learn_what_one_learns_from_the_same_batches(together, tmp_path, name):
    alone = train_grader(DATA, RECIPES[name], tmp_path / "alone.pt", process=Process(loaders=0)).state_dict()
    start = train_grader(
        DATA, replace(RECIPES[name], rate=1e-9), tmp_path / "start.pt", process=Process(loaders=0)
    ).state_dict()
    of_both = [torch.load(together / f"{name}-{rank}.weights", weights_only=True) for rank in (0, 1)]

    for key, value in alone.items():
        assert torch.equal(of_both[0][key], of_both[1][key])
        assert torch.allclose(of_both[0][key], value, atol=1e-5, rtol=1e-4)
    assert any(not torch.allclose(alone[key], start[key], atol=1e-4) for key in alone)


@pytest.mark.parametrize("name", list(RECIPES))
def test_two_processes_keep_the_log_of_one(together, tmp_path, name):
    train_grader(DATA, RECIPES[name], tmp_path / "alone.pt", process=Process(loaders=0))
    alone, of_both = (
        (folder / file).read_text() for folder, file in ((tmp_path, "alone.csv"), (together, f"{name}.csv"))
    )
    numbers = [
        [[float(cell or 0) for cell in line.split(",")] for line in text.splitlines()[1:]] for text in (alone, of_both)
    ]

    assert torch.tensor(numbers[0]) == pytest.approx(torch.tensor(numbers[1]), rel=1e-3)


def test_a_process_alone_waits_for_nobody():
    process = Process()
    with process.first_alone():
        pass

    assert (process.is_first, process.from_first(1.5), process.mean(2.5)) == (True, 1.5, 2.5)


def test_without_torchrun_a_process_is_alone():
    with joined("cpu", workers=3) as process:
        assert process == Process(torch.device("cpu"), loaders=1)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="--device cuda was asked for"), joined("cuda", workers=1):
        pass
