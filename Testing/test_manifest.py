from __future__ import annotations

import pytest

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import ScanFile, Split
from SpineNetCore.learning.datasets.manifest import manifest_scans

HEADER = (
    "scan,patient,level,pfirrmann,narrowing,upper_endplate,lower_endplate,upper_marrow,lower_marrow,any_marrow,split"
)
FIRST = "a.nii.gz,anna,L5-S1,4,2|3|4,1,0,,,,"


@pytest.fixture
def write(tmp_path):
    """Writes a manifest of some rows beside three scans, and returns its path."""
    (tmp_path / "more").mkdir()
    for name in ("a.nii.gz", "b.nii.gz", "more/c.mha"):
        (tmp_path / name).touch()

    def written(*rows: str, header: str = HEADER):
        path = tmp_path / "labels.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf8")
        return path

    return written


def test_rows_become_scans_with_what_each_label_admits(write):
    path = write(FIRST, "more/c.mha,cleo,L1-L2,,,,,0,1,,test", "", "a.nii.gz,anna,L4-L5,1,,,,,,0,train")
    anna, cleo = manifest_scans(path)

    assert (anna.patient, anna.image, anna.source, anna.split) == (
        "anna",
        ScanFile(path.parent / "a.nii.gz"),
        path,
        Split.TRAIN,
    )
    assert anna.labels["L5-S1"].grades == {
        Task.PFIRRMANN: {4},
        Task.NARROWING: {2, 3, 4},
        Task.UPPER_ENDPLATE: {1},
        Task.LOWER_ENDPLATE: {0},
    }
    assert anna.labels["L4-L5"].grades == {Task.PFIRRMANN: {1}, Task.UPPER_MARROW: {0}, Task.LOWER_MARROW: {0}}
    assert cleo.labels["L1-L2"].grades == {Task.UPPER_MARROW: {0}, Task.LOWER_MARROW: {1}}
    assert (cleo.image.path.name, cleo.split) == ("c.mha", Split.TEST)


def test_columns_may_come_in_any_order_and_grades_be_left_out(write):
    (scan,) = manifest_scans(write("3,L3-L4, bert ,b.nii.gz", header="\ufeffpfirrmann,level, patient,scan"))

    assert (scan.patient, scan.split) == ("bert", None)
    assert scan.labels["L3-L4"].grades == {Task.PFIRRMANN: {3}}


def test_a_set_of_all_grades_says_nothing(write):
    (scan,) = manifest_scans(write("a.nii.gz,anna,L5-S1,1|2|3|4|5,2,0|1,,,,,"))

    assert scan.labels["L5-S1"].grades == {Task.NARROWING: {2}}


def test_discs_of_which_nothing_is_told_are_none(write):
    rows = ("a.nii.gz,anna,L5/S1,3,,,,,,,", "a.nii.gz,anna,L4-L5,,,,,,,,", "a.nii.gz,anna,L3-L4,1|2|3|4|5,,,,,,,")
    (scan,) = manifest_scans(write(*rows))

    assert list(scan.labels) == ["L5-S1"]


@pytest.mark.parametrize(
    ("cells", "upper", "lower", "changed"),
    [
        (",,1", None, None, True),
        ("0,,1", {0}, {1}, False),
        (",0,1", {1}, {0}, False),
        ("1,,1", {1}, None, False),
        (",,0", {0}, {0}, False),
        ("0,,0", {0}, {0}, False),
        (",,", None, None, False),
    ],
)
def test_any_marrow_is_spread_to_the_sides_as_far_as_it_goes(write, cells, upper, lower, changed):
    (scan,) = manifest_scans(write(f"a.nii.gz,anna,L5-S1,3,,,,{cells},"))
    label = scan.labels["L5-S1"]

    assert (label.grades.get(Task.UPPER_MARROW), label.grades.get(Task.LOWER_MARROW)) == (upper, lower)
    assert label.marrow_changed is changed


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "a.nii.gz,anna,L4-L5,6,,,,,,,",
            "pfirrmann is '6': write one of 1, 2, 3, 4, 5, several joined by '|', or noth",
        ),
        ("a.nii.gz,anna,L4-L5,,2|5,,,,,,", "narrowing is '2|5': write one of 1, 2, 3, 4"),
        ("a.nii.gz,anna,L4-L5,,2||3,,,,,,", "narrowing is '2||3'"),
        ("a.nii.gz,anna,L4-L5,,,yes,,,,,", "upper_endplate is 'yes': write one of 0, 1"),
        ("a.nii.gz,anna,L4-L5,,,,,,,0|1,", "any_marrow is '0|1': write one number"),
        ("a.nii.gz,anna,L4-L5,,,,,1,,0,", "any_marrow is 0 beside a changed side: make them agree"),
        ("a.nii.gz,anna,L4-L5,,,,,0,0,1,", "any_marrow is 1 beside two normal sides: make them agree"),
        ("a.nii.gz,anna,L6-S1,4,,,,,,,", "level is 'L6-S1': write one of T12-L1, L1-L2"),
        ("a.nii.gz,anna,,4,,,,,,,", "level is empty: fill it in"),
        ("a.nii.gz,,L4-L5,4,,,,,,,", "patient is empty: fill it in"),
        (",anna,L4-L5,4,,,,,,,", "scan is empty: fill it in"),
        ("z.nii.gz,anna,L4-L5,4,,,,,,,", "z.nii.gz': give its path from the folder of this table"),
        (f"{300 * 'z'},anna,L4-L5,4,,,,,,,", "z' is no path ("),
        ("a\0b,anna,L4-L5,4,,,,,,,", "b' is no path (embedded null byte): correct it"),
        (FIRST, "it repeats line 2: delete one of the two"),
        ("a.nii.gz,anna,L5-S1,5,,,,,,,", "L5-S1 was graded on line 2: keep one row per disc"),
        ("a.nii.gz,bert,L4-L5,4,,,,,,,", "the scan of patient 'bert' is that of patient 'anna' on line 2"),
        ("a.nii.gz,anna,L4-L5,4,,,,,,,later", "split is 'later': write train, validation, test or nothing"),
        ("a.nii.gz,anna,L4-L5,4,,,,", "8 cells under 11 columns: give every column one cell"),
        ("a.nii.gz,anna,L4-L5,4,,,,,,,,,", "13 cells under 11 columns"),
    ],
)
def test_a_row_at_fault_is_named_with_what_to_do(write, row, said):
    with pytest.raises(InputError) as refusal:
        manifest_scans(write(FIRST, row))

    assert "labels.csv', line 3: " in str(refusal.value)
    assert said in str(refusal.value)


def test_a_patient_in_two_splits_is_refused_by_name(write):
    rows = ("a.nii.gz,anna,L5-S1,4,,,,,,,train", "b.nii.gz,anna,L5-S1,3,,,,,,,", "b.nii.gz,anna,L4-L5,3,,,,,,,test")
    with pytest.raises(InputError, match=r"line 4: patient 'anna' is in 'test' here and in 'train' on line 2: put"):
        manifest_scans(write(*rows))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            HEADER.replace("pfirrmann", "pfirman"),
            "has a column 'pfirman' that nobody knows: use scan, patient, level, ",
        ),
        (HEADER.replace("patient", "pfirrmann"), "has no column 'patient'"),
        (HEADER.replace("narrowing", "pfirrmann"), "has the column 'pfirrmann' more than once"),
        (HEADER.replace(",", ";"), "separates its cells by semicolons: save it with commas"),
        ("", "has no column 'scan'"),
        (HEADER, "grades no disc: add a row for every one"),
    ],
)
def test_a_table_at_fault_is_refused(write, header, said):
    with pytest.raises(InputError, match=said):
        manifest_scans(write(header=header))


@pytest.mark.parametrize("cells", [",,,,,,,", "1|2|3|4|5,,0|1,,,,,", ",,,,,,,test"])
def test_a_table_whose_rows_tell_nothing_is_refused(write, cells):
    with pytest.raises(InputError, match="grades no disc: fill in one of the columns pfirrmann, "):
        manifest_scans(write(f"a.nii.gz,anna,L5-S1,{cells}"))


@pytest.mark.parametrize("row", ['"a.nii.gz"x,anna,L4-L5,4,,,,,,,', 'a.nii.gz,anna,L4-L5,"4,,,,,,,'])
def test_a_quotation_mark_at_fault_is_named_with_its_line(write, row):
    with pytest.raises(InputError, match=r"labels.csv', line 3: it is not comma-separated .*: close every quotation"):
        manifest_scans(write(FIRST, row))


def test_a_table_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes("scan,patient,level\né.nii,x,L5-S1".encode("latin-1"))
    with pytest.raises(InputError, match=r"cannot be read .*save it as comma-separated text in UTF-8"):
        manifest_scans(path)
