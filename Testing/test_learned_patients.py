from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan, ScanFile, Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients


def a_scan(patient, split, table="tables/own.csv"):
    return GradedScan(patient, Path(table), ScanFile(Path(f"{patient}.nii")), {}, split)


ANN, BOB, CID = (a_scan(*one) for one in (("Ann", Split.TRAIN), ("Bob", Split.VALIDATION), ("Cid", Split.TEST)))


@pytest.mark.parametrize("is_swapped", [False, True])
def test_a_models_note_remembers_them_through_json(is_swapped):
    learned = LearnedPatients.of([ANN, BOB, CID], is_swapped)

    assert LearnedPatients.from_note(json.loads(json.dumps(learned.note))) == learned
    assert "Ann" not in json.dumps(learned.note)


def test_nobody_learned_from_may_be_measured_on():
    learned = LearnedPatients.of([ANN, BOB, CID], is_swapped=False)
    learned.check_unseen([BOB, CID, replace(ANN, source=Path("another table.csv"))])

    with pytest.raises(InputError, match=r"learned from patient 'Ann' of 'elsewhere/own.csv'.*split 'train'"):
        learned.check_unseen([CID, a_scan("Ann", Split.TEST, table="elsewhere/own.csv")])


def test_a_grader_that_does_not_tell_is_measured_on_anybody():
    LearnedPatients.from_note({}).check_unseen([ANN, BOB, CID])
