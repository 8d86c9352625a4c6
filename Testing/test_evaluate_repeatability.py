"""`evaluate repeatability` on small made data, with graders that have learned nothing."""

from __future__ import annotations

import csv
import shutil

import pytest
from grader_making import write_detector, write_grader
from spider_making import write_spider_for_all_splits

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.command_line import main
from SpineNetCore.learning import disc_examples
from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.datasets.sources import read_sources


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = write_detector(tmp_path_factory.mktemp("models"))
    write_grader(folder / "a.safetensors")
    write_grader(folder / "b.safetensors", seed=1, note=LearnedPatients(is_swapped=True).note)
    return folder


@pytest.fixture(scope="module")
def spider(tmp_path_factory):
    return write_spider_for_all_splits(tmp_path_factory.mktemp("spider"))


def status(*arguments):
    return main(["evaluate", *(str(argument) for argument in arguments)])


def test_each_model_is_measured_on_the_patients_that_are_its_own_test(spider, models, tmp_path, monkeypatch, capsys):
    cut = []
    real_cut = disc_examples.cut_discs
    monkeypatch.setattr(disc_examples, "cut_discs", lambda scan, net: cut.append(scan.patient) or real_cut(scan, net))
    options = ("--spider", spider, "--models", models, "--views", 1, "--work", tmp_path / "work")
    files = (models / "a.safetensors", models / "b.safetensors")
    assert status("repeatability", *files, *options, "--output", tmp_path / "out") == 0

    splits = {scan.patient: scan.split for scan in read_sources(spider, [])}
    assert [splits[patient] for patient in cut] == [Split.TEST, Split.VALIDATION]
    said = capsys.readouterr().out
    assert " ± " in said
    assert RESEARCH_USE_NOTICE in said
    with (tmp_path / "out" / "repeatability.csv").open(newline="") as file:
        (row,) = [r for r in csv.DictReader(file) if r["figure"] == "balanced_accuracy" and r["task"] == "pfirrmann"]
    assert (row["branch_point"], row["group"]) == ("conv5", "SPIDER")
    assert (tmp_path / "out" / "repeatability.html").exists()


@pytest.mark.parametrize(("pair", "said"), [("ba", "'b.safetensors' was trained with"), ("aa", "trained without")])
def test_models_in_the_wrong_places_are_refused(pair, said, models, monkeypatch, capsys):
    monkeypatch.chdir(models)
    assert status("repeatability", *(f"{name}.safetensors" for name in pair), "--phantoms", 1) == 2
    assert said in capsys.readouterr().err


def test_grading_honours_what_a_models_note_says_of_its_patients(spider, models, tmp_path):
    folder = write_detector(tmp_path / "swapped")
    shutil.copy(models / "b.safetensors", folder / "grader.safetensors")
    assert status("grading", "--spider", spider, "--models", folder, "--views", 1, "--output", tmp_path / "o") == 0
    with (tmp_path / "o" / "discs.csv").open(newline="") as file:
        tested = {row["patient"] for row in csv.DictReader(file) if row["split"] == "test"}
    assert tested == {scan.patient for scan in read_sources(spider, []) if scan.split is Split.VALIDATION}
