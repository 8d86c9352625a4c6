from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from full_disk import a_full_disk

from SpineNetCore.anatomy import Task
from SpineNetCore.command_line import main
from SpineNetCore.learning.phantom import Phantom, PhantomSettings, simulate
from SpineNetCore.scan_files import read_scan

SMALL = PhantomSettings(slices=(3, 3), few_slices_probability=0, in_plane_mm=(1.1, 1.1))


@pytest.fixture(autouse=True)
def small_phantoms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's own settings, but few slices of few pixels."""

    def small(rng: np.random.Generator, settings: PhantomSettings) -> Phantom:
        return simulate(rng, replace(SMALL, prevalence=settings.prevalence, balanced=settings.balanced))

    monkeypatch.setattr("SpineNetCore.learning.phantom.simulate", small)


def simulated(folder: Path, *options: str) -> list[dict]:
    main(["simulate", "--output", str(folder), *options])
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*_truth.json"))]


def test_a_phantom_is_a_scan_its_labels_its_lesions_and_its_truth(tmp_path):
    (truth,) = simulated(tmp_path, "--seed", "7")
    names = {path.name.removeprefix("phantom-000007") for path in tmp_path.iterdir()}
    assert names == {".nii.gz", "_labels.nii.gz", "_truth.json", *(f"_lesions_{task.value}.nii.gz" for task in Task)}
    assert read_scan(tmp_path / "phantom-000007.nii.gz").voxels.shape[0] == 3
    assert all(set(disc["grades"]) == {task.value for task in Task} for disc in truth["discs"])
    assert "not a medical device" in truth["notice"]


def test_seeds_count_on(tmp_path):
    assert len(simulated(tmp_path, "--seed", "3", "--count", "2")) == 2
    assert {path.name[:14] for path in tmp_path.iterdir()} == {"phantom-000003", "phantom-000004"}


def test_a_second_reader_is_added_when_asked_for_and_changes_nothing_else(tmp_path):
    (alone,) = simulated(tmp_path / "alone")
    (read_twice,) = simulated(tmp_path / "twice", "--second-reader")
    seconds = [disc.pop("second_reader_grades") for disc in read_twice["discs"]]
    assert read_twice == alone
    assert all(set(second) == {task.value for task in Task} for second in seconds)
    assert seconds != [disc["grades"] for disc in alone["discs"]]


def test_prevalences_asked_for_are_drawn(tmp_path):
    (truth,) = simulated(tmp_path, "--prevalence", "upper_marrow=1", "--prevalence", "pfirrmann=0,0,0,0,1")
    assert {(disc["grades"]["upper_marrow"], disc["grades"]["pfirrmann"]) for disc in truth["discs"]} == {(1, 5)}


def test_grades_are_drawn_evenly_when_asked_for(tmp_path):
    (truth,) = simulated(tmp_path, "--balanced")
    evenly, by_prevalence = (
        [
            {task.value: grade for task, grade in disc.grades.items()}
            for disc in simulate(np.random.default_rng(0), replace(SMALL, balanced=balanced)).discs
        ]
        for balanced in (True, False)
    )
    assert [disc["grades"] for disc in truth["discs"]] == evenly != by_prevalence


def test_a_full_disk_leaves_no_part_of_a_phantom(tmp_path, capfd):
    with a_full_disk(2000):
        assert main(["simulate", "--output", str(tmp_path)]) == 2
    assert str(tmp_path) in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
