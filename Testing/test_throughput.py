from __future__ import annotations

import time
from dataclasses import replace

import pytest
from grader_making import QUICK, a_pool

from SpineNetCore.command_line import main
from SpineNetCore.learning import grader_recipe, throughput
from SpineNetCore.learning.disc_looks import DrawnLooks
from SpineNetCore.learning.grader_batches import DRAWN_AHEAD, GraderBatches
from SpineNetCore.learning.grader_data import GraderData
from SpineNetCore.learning.grader_recipe import Preset
from SpineNetCore.learning.processes import Process
from SpineNetCore.learning.throughput import Throughput, measure_throughput

MANY_STEPS = replace(QUICK, steps=40)


def test_the_overhead_is_what_data_add_to_a_step():
    assert Throughput(alone_s=2.0, fed_s=2.3).overhead == pytest.approx(0.15)


def test_slow_augmentation_slows_the_steps_with_data_alone(monkeypatch):
    real = DrawnLooks.seen

    def slow(looks, device):
        time.sleep(0.3)
        return real(looks, device)

    monkeypatch.setattr(DrawnLooks, "seen", slow)
    found = measure_throughput([a_pool()], MANY_STEPS, Process(loaders=0), steps=2)

    assert found.fed_s >= found.alone_s + 0.2
    assert found.alone_s > 0


def test_the_command_prints_steps_and_overhead(monkeypatch, capsys):
    monkeypatch.setattr(grader_recipe, "_ROUNDS", {Preset.QUICK: (MANY_STEPS,)})
    monkeypatch.setattr("SpineNetCore.commands.bench._PHANTOMS", 1)
    assert main(["bench", "--training", "--steps", "1", "--device", "cpu"]) == 0
    names = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]

    assert names == ["forward, backward", "with data", "overhead"]


def test_a_training_is_timed_on_no_scan(capsys):
    assert main(["bench", "a.nii.gz", "--training"]) == 2
    assert "times steps on phantoms, not on 'a.nii.gz'" in capsys.readouterr().err


def test_no_batch_that_lay_ready_is_timed(monkeypatch):
    batch, drawn = GraderBatches(GraderData([a_pool()]), MANY_STEPS, Process())[0], []
    monkeypatch.setattr(throughput, "load_batches", lambda *_: (drawn.append(k) or batch for k in range(99)))
    measure_throughput([a_pool()], MANY_STEPS, Process(loaders=2), steps=2)
    assert len(drawn) == 2 * DRAWN_AHEAD + 1 + 2


def test_steps_of_both_kinds_take_turns(monkeypatch):
    events = []
    real_seen, real_loss = DrawnLooks.seen, throughput.loss_of
    monkeypatch.setattr(DrawnLooks, "seen", lambda *given: events.append("look") or real_seen(*given))
    monkeypatch.setattr(throughput, "loss_of", lambda *given: events.append("learn") or real_loss(*given))
    measure_throughput([a_pool()], MANY_STEPS, Process(loaders=0), steps=7)
    turns = [kind for count in (5, 2) for kind in (["learn"] * (1 + count), ["look", "learn"] * (1 + count))]

    assert events == ["look", *(event for turn in turns for event in turn)]


@pytest.mark.parametrize("steps", [0, 101])
def test_a_number_of_steps_that_cannot_be_timed_is_refused(steps, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "--training", "--steps", str(steps)])
    assert f"--steps: '{steps}' is not a whole number from 1 to 100" in capsys.readouterr().err
