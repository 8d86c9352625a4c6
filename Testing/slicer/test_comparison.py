from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetLib.comparison import compare, read_reference
from SpineNetLib.corrections import GradeCorrection, Signature
from SpineNetLib.readings import readings

NOON = Signature(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def the_readings(a_result):
    return readings(a_result.findings, [])


@pytest.fixture
def a_table(tmp_path):
    def written(text: str) -> Path:
        path = tmp_path / "reference.csv"
        path.write_bytes(text.encode())
        return path

    return written


def test_the_analysis_agrees_with_its_own_table(the_readings, a_result_folder):
    agreements = compare(the_readings, read_reference(a_result_folder / "scores.csv"))
    assert [agreement.task for agreement in agreements] == list(Task)
    assert {(agreement.discs, agreement.exact) for agreement in agreements} == {(5, 1.0)}


def test_disagreements_are_counted(the_readings, a_table):
    text = "level,pfirrmann,upper_marrow\nL1-L2,5,0\nL2-L3,4,1\nL3-L4,1,\nL4-L5,5,1\n"
    pfirrmann, marrow = compare(the_readings, read_reference(a_table(text)))
    assert (pfirrmann.discs, pfirrmann.exact, pfirrmann.within_one) == (4, 0.5, 0.75)
    assert (marrow.discs, marrow.exact) == (3, pytest.approx(2 / 3))


def test_kappa_is_one_for_perfect_and_nought_for_constant_answers(the_readings, a_table):
    varied = read_reference(a_table("level,pfirrmann\nL1-L2,1\nL2-L3,3\nL3-L4,5\n"))
    assert compare(the_readings, varied)[0].kappa == pytest.approx(0)
    same = read_reference(a_table("level,pfirrmann\nL1-L2,5\nL2-L3,5\n"))
    assert compare(the_readings, same)[0].kappa is None


def test_kappa_follows_its_textbook_formula(a_result):
    shown = {"L1-L2": 1, "L2-L3": 2, "L3-L4": 3, "L4-L5": 5, "L5-S1": 5}
    reference = {"L1-L2": 1, "L2-L3": 3, "L3-L4": 3, "L4-L5": 4, "L5-S1": 5}
    log = [GradeCorrection(NOON, level, Task.PFIRRMANN, 5, grade) for level, grade in shown.items()]
    truth = {(level, Task.PFIRRMANN): grade for level, grade in reference.items()}
    agreement = compare(readings(a_result.findings, log), truth)[0]
    # squared distances: 2 / 5 observed; 12.8 + 12 - 2 * 3.2 * 3.2 expected by chance
    assert agreement.kappa == pytest.approx(1 - 0.4 / 4.32)


@pytest.mark.parametrize(
    "text",
    [
        "Level;Pfirrmann\r\nl4/l5;3\r\n",
        "\ufefflevel\tpfirrmann\nL4 - L5\t3.0\n",
        'reader,level,pfirrmann\n"Smith, A",L4–L5,"3"\n\n',
    ],
)
def test_tables_of_any_country_are_understood(a_table, text):
    assert read_reference(a_table(text)) == {("L4-L5", Task.PFIRRMANN): 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has the columns none"),
        ("disc,grade\nL4-L5,3\n", "has the columns disc, grade"),
        ("level,pfirrmann\nL6-L7,3\n", "level 'L6-L7' in line 2"),
        ("level,pfirrmann\nL4-L5,6\n", "pfirrmann '6' in line 2"),
        ("level,pfirrmann\nL4-L5,3\nL4/L5,3\n", "grades L4-L5 again in line 3"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused_with_its_place(a_table, text, said):
    with pytest.raises(InputError, match=said):
        read_reference(a_table(text))


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(InputError, match="save it as CSV in UTF-8"):
        read_reference(tmp_path / "book.xlsx")


def test_with_a_reference_without_any_shown_disc_nothing_agrees(the_readings, a_table):
    assert compare(the_readings, read_reference(a_table("level,pfirrmann\nT12-L1,3\n"))) == ()
