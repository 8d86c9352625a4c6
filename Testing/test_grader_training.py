from __future__ import annotations

import csv
import errno
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from grader_making import GUIDED, PAPER, QUICK, TINY, a_data, a_lesion

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning import grader_training
from SpineNetCore.learning.checkpoints import save_checkpoint
from SpineNetCore.learning.grader_data import GraderData
from SpineNetCore.learning.grader_training import train_grader
from SpineNetCore.learning.processes import Process
from SpineNetCore.learning.training_log import COLUMNS
from SpineNetCore.learning.validation import Validation

ALONE = Process(loaders=0)
RECIPES = pytest.mark.parametrize("recipe", [QUICK, PAPER, GUIDED], ids=["quick", "paper", "guided"])


@pytest.fixture(scope="module")
def data() -> GraderData:
    return a_data()


@pytest.fixture(autouse=True)
def no_drawing(monkeypatch):
    """Curves take their time; `test_training_log` draws them."""
    monkeypatch.setattr(grader_training, "draw_curves", lambda rows, path: path.write_text(f"{len(rows)} rows"))


def killed_after(killing_step: int):
    def save_and_die(training, step, path):
        save_checkpoint(training, step, path)
        if step == killing_step:
            raise KeyboardInterrupt

    return save_and_die


def are_equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def rows_of(path) -> list[dict[str, str]]:
    with path.open(encoding="utf8") as file:
        return list(csv.DictReader(file))


@RECIPES
def test_a_killed_and_resumed_training_equals_an_uninterrupted_one(data, recipe, tmp_path, monkeypatch):
    whole = train_grader(data, recipe, tmp_path / "whole.pt")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(grader_training, "save_checkpoint", killed_after(2))
        train_grader(data, recipe, tmp_path / "killed.pt")
    resumed = train_grader(data, recipe, tmp_path / "killed.pt")

    assert are_equal(resumed, whole)
    assert not resumed.training
    assert (tmp_path / "killed.csv").read_text("utf-8") == (tmp_path / "whole.csv").read_text("utf-8")


def test_a_slow_machine_saves_its_work_between_checkpoints(data, tmp_path, monkeypatch):
    recipe = replace(QUICK, checkpoint_every=1000)
    whole = train_grader(data, recipe, tmp_path / "whole.pt")
    monkeypatch.setattr(grader_training, "_LONGEST_UNSAVED_S", -1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(grader_training, "save_checkpoint", killed_after(1))
        train_grader(data, recipe, tmp_path / "killed.pt")
    assert are_equal(train_grader(data, recipe, tmp_path / "killed.pt"), whole)


def test_a_process_killed_while_it_writes_a_checkpoint_goes_on_from_the_one_before(data, tmp_path):
    here, checkpoint = Path(__file__).parent, tmp_path / "killed.pt"
    paths = os.pathsep.join([str(here.parent), str(here)])
    environment = os.environ | {"PYTHONPATH": paths}
    training = subprocess.Popen([sys.executable, str(here / "killed_training.py"), str(checkpoint)], env=environment)
    half = tmp_path / "killed.pt.partial"
    while not (checkpoint.exists() and half.exists() and half.stat().st_size == 1000):
        assert training.poll() is None
        time.sleep(0.01)
    training.kill()
    training.wait()
    resumed = train_grader(data, QUICK, checkpoint, process=ALONE)

    assert are_equal(resumed, train_grader(data, QUICK, tmp_path / "whole.pt", process=ALONE))
    assert sorted(path.name for path in tmp_path.glob("killed*")) == ["killed.csv", "killed.png", "killed.pt"]


def test_a_rate_that_fell_on_a_plateau_stays_low_after_a_kill(data, tmp_path, monkeypatch):
    losses = iter([1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 4.0, 4.0])
    monkeypatch.setattr(grader_training, "validated", lambda *_: Validation(next(losses), {}))
    recipe = replace(PAPER, batch=2)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(grader_training, "save_checkpoint", killed_after(2))
        train_grader(data, recipe, tmp_path / "killed.pt", process=ALONE)
    train_grader(data, recipe, tmp_path / "killed.pt", process=ALONE)

    assert [float(row["rate"]) for row in rows_of(tmp_path / "killed.csv")] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-5])


def test_the_log_has_a_row_for_every_validation(data, tmp_path):
    train_grader(data, QUICK, tmp_path / "grader.pt", process=ALONE)
    rows = rows_of(tmp_path / "grader.csv")

    assert tuple(rows[0]) == COLUMNS
    assert [(row["step"], row["epoch"]) for row in rows] == [("2", "1"), ("4", "2")]  # turned over, two discs are four
    assert all(0 < float(row["training_loss"]) < 100 and 0 < float(row["validation_loss"]) < 100 for row in rows)
    assert all(0 <= float(row["pfirrmann"]) <= 1 and row["narrowing"] == "" for row in rows)
    assert (tmp_path / "grader.png").read_text("utf-8") == "2 rows"


def test_without_patients_for_validation_only_the_training_loss_is_logged(data, tmp_path):
    train_grader(replace(data, validation=()), QUICK, tmp_path / "grader.pt", process=ALONE)

    assert all(row["training_loss"] and not row["validation_loss"] for row in rows_of(tmp_path / "grader.csv"))


def test_the_paper_needs_patients_for_validation(data, tmp_path):
    with pytest.raises(InputError, match="no patient is there for validation: give at least three patients, or mark"):
        train_grader(replace(data, validation=()), PAPER, tmp_path / "grader.pt", process=ALONE)


def test_without_discs_there_is_nothing_to_learn(tmp_path):
    with pytest.raises(InputError, match="no disc to learn from"):
        train_grader(GraderData([]), QUICK, tmp_path / "grader.pt", process=ALONE)


def test_a_batch_that_processes_cannot_share_evenly_is_refused(data, tmp_path):
    with pytest.raises(InputError, match="batch of 2 discs cannot be shared evenly by 3 processes"):
        train_grader(data, QUICK, tmp_path / "grader.pt", process=Process(count=3))


def test_lesions_that_processes_cannot_share_evenly_are_refused(data, tmp_path):
    shared = replace(GUIDED, batch=3 * GUIDED.batch, guided=2)
    with pytest.raises(InputError, match="2 lesions a batch cannot be shared evenly by 3 processes"):
        train_grader(replace(data, lesions=[a_lesion()]), shared, tmp_path / "grader.pt", process=Process(count=3))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate": 0.5}, "was made with rate 0.002, now it is 0.5: give another --work folder, or delete it"),
        ({"seed": 3}, "was made with seed 0, now it is 3"),
        ({"network": replace(TINY, fc6=4)}, "was made with network "),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(data, tmp_path, change, said):
    train_grader(data, replace(QUICK, steps=2), tmp_path / "grader.pt", process=ALONE)
    before = (tmp_path / "grader.pt").read_bytes()
    with pytest.raises(InputError, match=said):
        train_grader(data, replace(QUICK, steps=2, **change), tmp_path / "grader.pt", process=ALONE)

    assert (tmp_path / "grader.pt").read_bytes() == before


def test_a_checkpoint_of_other_discs_is_refused(data, tmp_path):
    train_grader(data, replace(QUICK, steps=2), tmp_path / "grader.pt", process=ALONE)
    fewer = replace(data, pools=[replace(data.pools[0], examples=data.pools[0].examples[:1])])
    with pytest.raises(InputError, match="was made with discs "):
        train_grader(fewer, replace(QUICK, steps=2), tmp_path / "grader.pt", process=ALONE)


def test_a_second_round_goes_on_from_the_first(data, tmp_path):
    first = train_grader(data, QUICK, tmp_path / "1.pt", process=ALONE)
    start = {name: value.clone() for name, value in first.state_dict().items()}
    slow = replace(QUICK, rate=1e-9, weight_decay=0.0, steps=1)
    second = train_grader(data, slow, tmp_path / "2.pt", learned=first, process=ALONE)

    for name, value in second.named_parameters():
        assert torch.allclose(value, start[name], atol=1e-6)


def test_the_network_starts_from_the_mean_of_every_slice_that_is_there(data, tmp_path):
    first, last = 2, 10
    bright, dark = (example.context()[first : last + 1, 40:152, 48:272] for example in data.pools[0].examples)
    network = train_grader(data, replace(QUICK, steps=1), tmp_path / "one.pt", process=ALONE)
    expected = bright.mean(axis=(1, 2))
    expected[4] = (bright[4].mean() + dark[4].mean()) / 2

    assert network.slice_means.numpy() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "recipe",
    [
        replace(QUICK, network=replace(TINY, dropout=0.0), steps=40, batch=4, rate=1e-2, turns_over=False),
        replace(PAPER, network=replace(PAPER.network, dropout=0.0), epochs=40, batch=4, rate=0.005, patience=99),
    ],
    ids=["quick", "paper"],
)
def test_the_loss_falls_on_two_discs(data, recipe, tmp_path):
    recipe = replace(recipe, validate_every=1, checkpoint_every=100)
    train_grader(replace(data, validation=data.validation[:1]), recipe, tmp_path / "two.pt", process=ALONE)
    losses = [float(row["training_loss"]) for row in rows_of(tmp_path / "two.csv")]

    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_a_training_that_met_a_full_disk_goes_on_as_if_it_had_not(data, tmp_path, monkeypatch):
    whole = train_grader(data, QUICK, tmp_path / "whole.pt", process=ALONE)
    saved: list[object] = []

    def second_is_too_much(state, path):
        saved.append(path.write_bytes(b"half a checkpoint"))
        if len(saved) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        torch_save(state, path)

    torch_save = torch.save
    with monkeypatch.context() as patch:
        patch.setattr("SpineNetCore.learning.checkpoints.torch.save", second_is_too_much)
        with pytest.raises(InputError, match=r"full.pt' cannot be written \(No space left on device\): make room"):
            train_grader(data, QUICK, tmp_path / "full.pt", process=ALONE)

    assert are_equal(train_grader(data, QUICK, tmp_path / "full.pt", process=ALONE), whole)


def test_guidance_changes_what_is_learned_and_needs_lesions(data, tmp_path):
    without = train_grader(data, replace(GUIDED, guidance=0), tmp_path / "without.pt", process=ALONE)
    guided = train_grader(data, GUIDED, tmp_path / "guided.pt", process=ALONE)
    nothing_to_go_by = train_grader(replace(data, lesions=[]), GUIDED, tmp_path / "nothing.pt", process=ALONE)

    assert are_equal(nothing_to_go_by, without)
    assert not are_equal(guided, without)


def test_a_guided_training_does_not_go_on_with_other_lesions(data, tmp_path):
    train_grader(data, GUIDED, tmp_path / "grader.pt", process=ALONE)
    others = replace(data, lesions=[a_lesion(Task.LOWER_MARROW)])

    with pytest.raises(InputError, match=r"was made with lesions \w+, now it is"):
        train_grader(others, GUIDED, tmp_path / "grader.pt", process=ALONE)
