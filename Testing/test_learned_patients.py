from __future__ import annotations

import json
from pathlib import Path

import pytest

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan, ScanFile, Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients


@pytest.fixture
def a_scan(tmp_path):
    """Makes a patient's scan, of which the table may tell otherwise."""

    def made(patient, split, table="tables/own.csv", name=None):
        path = tmp_path / f"{name or patient}.nii"
        path.write_text(f"voxels of {patient}")
        return GradedScan(name or patient, Path(table), ScanFile(path), {}, split)

    return made


@pytest.fixture
def scans(a_scan):
    return [a_scan("Ann", Split.TRAIN), a_scan("Bob", Split.VALIDATION), a_scan("Cid", Split.TEST)]


@pytest.mark.parametrize("is_swapped", [False, True])
def test_a_models_note_remembers_them_through_json(is_swapped, scans):
    learned = LearnedPatients.of(scans, is_swapped)

    assert LearnedPatients.from_note(json.loads(json.dumps(learned.note))) == learned
    assert "Ann" not in json.dumps(learned.note)


def test_nobody_learned_from_may_be_measured_on(scans, a_scan):
    learned = LearnedPatients.of(scans, is_swapped=False)
    _, bob, cid = scans
    learned.check_unseen([bob, cid])
    learned.check_unseen([a_scan("another Ann", Split.TEST, "another table.csv", name="Ann")])

    with pytest.raises(InputError, match=r"learned from patient 'Ann' of 'elsewhere/own.csv'.*split 'train'"):
        learned.check_unseen([cid, a_scan("another Ann", Split.TEST, "elsewhere/own.csv", name="Ann")])


def test_a_scan_learned_from_is_known_under_any_name(scans, a_scan):
    learned = LearnedPatients.of(scans, is_swapped=False)
    with pytest.raises(InputError, match=r"learned from the scan '.*patient 1.nii'.*on patient 'patient 1' of 'b.csv'"):
        learned.check_unseen([a_scan("Ann", Split.TEST, "b.csv", name="patient 1")])


def test_a_grader_that_does_not_tell_is_measured_on_anybody(scans):
    LearnedPatients.from_note({}).check_unseen(scans)
