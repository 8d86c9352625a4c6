from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from grader_making import PAPER, QUICK, a_disc, a_lesion, a_pool

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.grader_data import GraderData
from SpineNetCore.learning.grader_training import train_grader
from SpineNetCore.learning.processes import Process, joined
from SpineNetCore.network import GradingNetwork

HERE = Path(__file__).resolve().parent
DATA = GraderData([a_pool()], [a_disc({Task.PFIRRMANN: {grade}}, slices=1) for grade in (1, 5)], [a_lesion()])
PLAIN = replace(PAPER.network, dropout=0.0)
"""Neither dropout nor batch normalisation: only then is the result of several processes that of one."""
RECIPES = {
    "quick": replace(QUICK, network=PLAIN, batch=4, mixed_precision=False, rate=1e-2, guidance=0.5, guided=4),
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
        timeout=300,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="module", params=list(RECIPES))
def alone(request, tmp_path_factory) -> tuple[str, Path]:
    """The name of a recipe, and the folder of a training by one process."""
    folder = tmp_path_factory.mktemp("alone")
    network = train_grader(DATA, RECIPES[request.param], folder / "grader.pt", process=Process(loaders=0))
    torch.save(network.state_dict(), folder / "weights")
    return request.param, folder


def test_two_processes_learn_what_one_learns_from_the_same_batches(together, alone):
    """Up to a thousandth of what was learned: AdamW makes a whole step of a gradient that is only rounding."""
    name, folder = alone
    of_one = torch.load(folder / "weights", weights_only=True)
    of_both = [torch.load(together / f"{name}-{rank}.weights", weights_only=True) for rank in (0, 1)]
    torch.manual_seed(RECIPES[name].seed)
    start = GradingNetwork(PLAIN).state_dict()

    for key, value in of_one.items():
        assert torch.equal(of_both[0][key], of_both[1][key])
        assert (of_both[0][key] - value).norm() <= 1e-3 * (value - start[key]).norm() + 1e-7
    assert any(not torch.allclose(of_one[key], start[key], atol=1e-4) for key in start if "weight" in key)


def test_two_processes_keep_the_log_of_one(together, alone):
    name, folder = alone
    of_one, of_both = (
        np.genfromtxt(path, delimiter=",", skip_header=1) for path in (folder / "grader.csv", together / f"{name}.csv")
    )

    assert len(of_one) >= 2
    assert np.allclose(of_one, of_both, rtol=1e-3, equal_nan=True)


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
