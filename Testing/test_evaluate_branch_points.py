"""`evaluate branch-points` with tiny networks on small made data."""

from __future__ import annotations

import csv

import pytest
from grader_making import QUICK, write_detector
from spider_making import write_spider_for_all_splits

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.command_line import main
from SpineNetCore.learning import grader_recipe
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.grader_recipe import Preset
from SpineNetCore.learning.grading import branch_study
from SpineNetCore.learning.processes import Process
from SpineNetCore.model_files import read_model
from SpineNetCore.models import load_network
from SpineNetCore.network import BranchPoint


@pytest.fixture
def options(tmp_path, monkeypatch):
    """Of a study of two points on made patients, each training lasting two steps of a tiny network."""
    monkeypatch.setattr(grader_recipe, "_ROUNDS", {Preset.QUICK: (QUICK,)})
    monkeypatch.setattr("SpineNetCore.learning.processes.Process", lambda device, loaders: Process(device, 0))
    monkeypatch.setattr("SpineNetCore.learning.grader_training.draw_curves", lambda *_: None)
    monkeypatch.setattr("SpineNetCore.learning.bootstrap.RESAMPLINGS", 10)
    (tmp_path / "spider").mkdir()
    spider, models = write_spider_for_all_splits(tmp_path / "spider"), write_detector(tmp_path / "models")
    folders = ("--spider", spider, "--models", models, "--work", tmp_path / "work", "--device", "cpu")
    return (*folders, "--training-phantoms", 0, "--steps", 2, "--views", 1, "--points", "fc7", "none")


def status(*arguments):
    return main(["evaluate", "branch-points", *(str(argument) for argument in arguments)])


def test_every_point_has_two_graders_and_a_column(options, tmp_path, capsys):
    assert status(*options, "--output", tmp_path / "out") == 0

    work = tmp_path / "work"
    names = {
        point: [f"grader-quick-{point}{which}.safetensors" for which in ("", "-swapped")] for point in ("none", "fc7")
    }
    for point, files in names.items():
        learned = [LearnedPatients.from_note(read_model(work / name, "grader").note) for name in files]
        assert [one.is_swapped for one in learned] == [False, True]
        assert load_network(work / files[0]).config.branch_point is BranchPoint(point)
    heading, titles, first, *_, last = capsys.readouterr().out.splitlines()
    assert heading == "SPIDER, balanced accuracy %"
    assert titles.split() == ["task", "none", "fc7"]
    assert first.startswith("Pfirrmann")
    assert first.count(" ± ") == 2
    assert last == RESEARCH_USE_NOTICE
    with (tmp_path / "out" / "branch_points.csv").open(newline="") as file:
        assert {row["branch_point"] for row in csv.DictReader(file)} == {"none", "fc7"}
    assert " ± " in (tmp_path / "out" / "branch_points.html").read_text("utf-8")


def test_a_study_that_was_stopped_goes_on_without_training_anew(options, tmp_path, monkeypatch, capsys):
    real, measured = branch_study._measured, []

    def stopped_at_the_third(*arguments):
        measured.append(arguments[1].name)
        if len(measured) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(branch_study, "_measured", stopped_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        status(*options)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "work").glob("*.pt")}
    assert status(*options) == 0
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "work").glob("*.pt")}
    assert len(before) == 3
    assert len(after) == 4
    assert before.items() <= after.items()


def test_a_work_folder_of_another_study_is_refused(options, capsys):
    assert status(*options, "--points", "fc7") == 0
    assert status(*options, "--points", "fc7", "--steps", 3) == 2
    assert "steps 2, now it is 3: give another --work folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "said"),
    [(("--points", "conv9"), "invalid choice: 'conv9'"), (("--steps", 0), "'0' is not a whole number from 1")],
)
def test_a_bad_request_is_refused_in_one_sentence(options, changed, said, capsys):
    with pytest.raises(SystemExit):
        status(*options, *changed)
    assert said in capsys.readouterr().err


def test_nothing_to_measure_is_said_before_anything_is_trained(tmp_path, capsys):
    assert status("--work", tmp_path / "work") == 2
    assert "There is nothing to measure" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()
