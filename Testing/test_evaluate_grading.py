"""`evaluate grading` on small made data, with a grader that has learned nothing."""

from __future__ import annotations

import csv

import pytest
from grader_making import a_disc, write_models
from spider_making import write_spider_for_all_splits

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.anatomy import Task
from SpineNetCore.command_line import main
from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.datasets.sources import read_sources
from SpineNetCore.learning.grading import cases
from SpineNetCore.learning.grading.running import ScanDiscs


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def spider(tmp_path_factory):
    return write_spider_for_all_splits(tmp_path_factory.mktemp("spider"))


@pytest.fixture
def drawn_phantoms(monkeypatch):
    """Every phantom is two discs, of Pfirrmann 1 and 5; those drawn, by number and split."""
    drawn = []

    def discs(number, split, name, detector):
        drawn.append((number, split))
        discs = [a_disc({Task.PFIRRMANN: {grade}}, brightness=50 * grade) for grade in (1, 5)]
        return ScanDiscs(discs, ("L5-S1",) if number else ())

    monkeypatch.setattr(cases, "_of_phantom", discs)
    return drawn


def status(*arguments):
    return main(["evaluate", "grading", "--views", "1", *(str(argument) for argument in arguments)])


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def patients_of(spider, split):
    return {scan.patient for scan in read_sources(spider, []) if scan.split is split}


def test_test_patients_are_measured_and_temperatures_come_from_validation(spider, models, tmp_path, capsys):
    assert status("--spider", spider, "--models", models, "--output", tmp_path / "out") == 0

    discs, figures = rows(tmp_path / "out" / "discs.csv"), rows(tmp_path / "out" / "grading.csv")
    by_split = {s.value: {d["patient"] for d in discs if d["split"] == s.value} for s in Split}
    assert by_split == {
        "train": set(),
        "validation": patients_of(spider, Split.VALIDATION),
        "test": patients_of(spider, Split.TEST),
    }
    assert [f["value"] for f in figures if (f["task"], f["figure"]) == ("pfirrmann", "discs")] == ["4"]
    assert any((f["task"], f["figure"]) == ("pfirrmann", "temperature") for f in figures)
    said = capsys.readouterr().out
    assert "Pfirrmann" in said
    assert RESEARCH_USE_NOTICE in said
    assert "images/12_t2.mha" in {d["scan"] for d in discs}


def test_discs_with_lesions_drawn_into_them_are_measured_apart(spider, models, tmp_path):
    assert status("--spider", spider, "--models", models, "--implants", 3, "--output", tmp_path) == 0
    figures = rows(tmp_path / "grading.csv")
    discs = {(f["group"], f["task"]): float(f["value"]) for f in figures if f["figure"] == "discs"}
    drawn_into = {task: count for (group, task), count in discs.items() if cases.WITH_IMPLANTS in group}
    assert drawn_into
    assert "pfirrmann" not in drawn_into
    assert ("SPIDER", "pfirrmann") in discs


def test_implants_need_patients(models, capsys):
    assert status("--phantoms", 1, "--models", models, "--implants", 1) == 2
    assert "--implants draws into patients' discs: give --spider DIR or --manifest FILE" in capsys.readouterr().err


def test_validation_patients_can_be_measured_without_any_temperature(spider, models, tmp_path):
    assert status("--spider", spider, "--models", models, "--patients", "validation", "--output", tmp_path) == 0
    discs = rows(tmp_path / "discs.csv")
    assert {d["patient"] for d in discs} == patients_of(spider, Split.VALIDATION)
    assert {d["split"] for d in discs} == {"validation"}
    assert "temperature" not in {f["figure"] for f in rows(tmp_path / "grading.csv")}


def test_phantoms_are_their_own_group_with_other_ones_for_the_temperature(models, tmp_path, drawn_phantoms, capsys):
    assert status("--phantoms", 2, "--models", models, "--output", tmp_path) == 0
    assert drawn_phantoms == [(0, Split.TEST), (1, Split.TEST), (0, Split.VALIDATION), (1, Split.VALIDATION)]
    assert "Phantoms (1 patient)" in capsys.readouterr().out
    assert len(rows(tmp_path / "discs.csv")) == 8


def test_graded_discs_that_are_not_found_are_told(models, tmp_path, drawn_phantoms, capsys):
    assert status("--phantoms", 2, "--models", models, "--output", tmp_path) == 0
    assert "Graded discs not found, which count nowhere: 1 (test phantom 1 L5-S1)." in capsys.readouterr().out
    assert "1, which count nowhere: test phantom 1 L5-S1<" in (tmp_path / "grading.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--spider DIR, --manifest FILE, --phantoms N"),
        (("--spider", "nowhere"), "nowhere"),
        (("--manifest", "no.csv"), "no.csv"),
        (("--phantoms", 1, "--models", "nowhere"), "nowhere"),
    ],
)
def test_a_bad_request_is_refused_in_one_sentence_and_nothing_is_written(arguments, said, tmp_path, capsys):
    assert status(*arguments, "--output", tmp_path / "out") == 2
    printed = capsys.readouterr().err.strip()
    assert said in printed
    assert len(printed.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_only_discs_to_test_on_are_counted_where_nothing_can_be_measured(models, monkeypatch, capsys):
    def discs(_number, split, *_):
        return ScanDiscs([a_disc({Task.PFIRRMANN: {1}})] * (split is Split.VALIDATION), ())

    monkeypatch.setattr(cases, "_of_phantom", discs)
    assert status("--phantoms", 3, "--models", models) == 2
    assert "No task can be measured on 0 graded discs of test patients" in capsys.readouterr().err


def test_scans_without_any_disc_to_grade_are_told(models, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cases, "_of_phantom", lambda *_: ScanDiscs([], ("L5-S1",)))
    assert status("--phantoms", 1, "--models", models) == 2
    assert "No task can be measured on 0 graded discs of test patients" in capsys.readouterr().err
