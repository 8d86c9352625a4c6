from __future__ import annotations

from pathlib import Path

import pytest
from spider_making import write_spider

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.spider_tables import GRADINGS_FILE, OVERVIEW_FILE, patient_labels, read_series


@pytest.fixture
def folder(tmp_path):
    return write_spider(tmp_path)


def edited(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf8")


def test_a_label_admits_every_grade_that_it_may_mean(folder):
    labels = patient_labels(folder)[1].labels

    assert labels["L5-S1"].grades == {
        Task.PFIRRMANN: {5},
        Task.NARROWING: {2, 3, 4},
        Task.UPPER_ENDPLATE: {1},
        Task.LOWER_ENDPLATE: {0},
    }
    assert labels["L4-L5"].grades == {
        Task.PFIRRMANN: {3},
        Task.NARROWING: {1},
        Task.UPPER_ENDPLATE: {0},
        Task.LOWER_ENDPLATE: {1},
        Task.UPPER_MARROW: {0},
        Task.LOWER_MARROW: {0},
    }


def test_the_endplate_that_spider_calls_upper_is_the_one_below_the_disc(folder):
    edited(folder, GRADINGS_FILE, "1,6,0,0,0,", "1,6,0,1,0,")
    grades = patient_labels(folder)[1].labels["T12-L1"].grades

    assert (grades[Task.UPPER_ENDPLATE], grades[Task.LOWER_ENDPLATE]) == ({0}, {1})


def test_marrow_change_is_known_though_its_side_is_not(folder):
    labels = patient_labels(folder)

    assert {level: label.marrow_changed for level, label in labels[1].labels.items()} == {
        "L5-S1": True,
        "L4-L5": False,
        "T12-L1": False,
    }


def test_unclear_patients_transitional_discs_and_discs_above_the_lumbar_spine_are_left_out(folder):
    labels = patient_labels(folder)

    assert {patient: (set(one.labels), one.rows) for patient, one in labels.items()} == {
        1: ({"L5-S1", "L4-L5", "T12-L1"}, 4),
        4: ({"L5-S1"}, 1),
    }


def test_an_empty_cell_is_a_missing_grade(folder):
    edited(folder, GRADINGS_FILE, "1,2,0,1,0,0,0,0,1,3", "1,2,,1,,0,0,,1,")
    label = patient_labels(folder)[1].labels["L4-L5"]

    assert label.grades == {Task.LOWER_ENDPLATE: {1}}
    assert not label.marrow_changed


def test_numbers_may_have_been_through_a_spreadsheet(folder):
    expected = patient_labels(folder)
    edited(folder, GRADINGS_FILE, "1,2,0,1,0,0,0,0,1,3", '1.0,2.0," 0",1.0,0.0,0,0,0.0,1,3.0 ')
    edited(folder, GRADINGS_FILE, "Patient,", "\ufeffPatient ,")

    assert patient_labels(folder) == expected


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1,2,0,1,0,0,0,0,1,3", "1,2,0,1,0,0,0,0,1,6", "line 3: Pfirrman grade is '6': write one of 1, 2, 3, 4, 5"),
        ("1,2,0,1,0,0,0,0,1,3", "1,2,5,1,0,0,0,0,1,3", "line 3: Modic is '5'"),
        ("1,2,0,1,0,0,0,0,1,3", "1,2,0,x,0,0,0,0,1,3", "line 3: UP endplate is 'x'"),
        ("1,2,0,1,0,0,0,0,1,3", "one,2,0,1,0,0,0,0,1,3", "line 3: Patient is 'one'"),
        ("1,2,0,1,0,0,0,0,1,3", "1,,0,1,0,0,0,0,1,3", "line 3: IVD label is empty"),
        ("1,2,0,1,0,0,0,0,1,3", "1,1,0,1,0,0,0,0,1,3", "line 3: disc 1 of patient 1 was graded on line 2: delete one"),
        ("1,2,0,1,0,0,0,0,1,3", "1,2,0,1,0,0,0", "line 3: 7 cells under 10 columns"),
        ("Disc narrowing", "Narrowing", "no column 'Disc narrowing'"),
    ],
)
def test_a_fault_in_the_gradings_is_named_with_its_line(folder, old, new, said):
    edited(folder, GRADINGS_FILE, old, new)
    with pytest.raises(InputError, match=f"{GRADINGS_FILE}'.* {said}"):
        patient_labels(folder)


def test_series_are_read_through_the_overviews_quirks(folder):
    series = read_series(folder)

    assert {name: one.discs for name, one in series.items() if one.kind == "t2"} == {"1_t2": 6, "4_t2": 8, "35_t2": 7}
    assert (series["1_t2"].spacing_mm, series["4_t2"].spacing_mm) == (0.625, 0.5)
    assert series["5_t2_SPACE"].kind == "t2_SPACE"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('7,6 ,F ,,training,"[0.625, 0.625]"', '7,6 ,F ,,training,"[0.625"', "line 3: PixelSpacing is '\\[0.625'"),
        ('7,6 ,F ,,training,"[0.625, 0.625]"', "7,6 ,F ,,training,0", "line 3: PixelSpacing is '0'"),
        ("1_t2 ,7,6 ", "1_t2 ,7,", "line 3: series '1_t2' with '' discs cannot be placed"),
        ("1_t2 ,7,6 ", "t2 ,7,6", "line 3: series 't2' with '6' discs cannot be placed"),
    ],
)
def test_a_fault_in_the_overview_is_named_with_its_line(folder, old, new, said):
    edited(folder, OVERVIEW_FILE, old, new)
    with pytest.raises(InputError, match=said):
        read_series(folder)


def test_a_missing_table_is_asked_for(folder):
    (folder / GRADINGS_FILE).unlink()
    with pytest.raises(InputError, match=f"{GRADINGS_FILE}' does not exist: give the table of labels"):
        patient_labels(folder)
