from __future__ import annotations

import csv

import pytest
from report_making import a_report

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.anatomy import Task
from SpineNetCore.command_line import main
from SpineNetCore.errors import InputError
from SpineNetCore.learning.grading.label_files import paired_labels
from SpineNetCore.report_table import write_scores

MANIFEST = """\
scan,patient,level,pfirrmann,narrowing,any_marrow,split
x.nii,p1,L4-L5,3,2|3|4,1,test
x.nii,p1,L5-S1,5,4,0,test
y.nii,p2,L4-L5,1,1,,train
y.nii,p2,L5-S1,2,,0,train
"""


@pytest.fixture
def a_table(tmp_path):
    def written(text: str, name: str = "a.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return written


def grades(pairs, task: Task = Task.PFIRRMANN):
    return [
        (pair.patient, set(pair.first.grades.get(task, ())), set(pair.second.grades.get(task, ()))) for pair in pairs
    ]


def status(*arguments):
    return main(["evaluate", "agreement", *(str(argument) for argument in arguments)])


def test_discs_of_two_manifests_are_matched_by_scan_and_level_in_any_order_and_spelling(a_table):
    other = "scan,level,pfirrmann\ny.nii,l5/s1,4\nx.nii,L4 - L5,3\nz.nii,L4-L5,1\n"
    pairs = paired_labels(a_table(MANIFEST), a_table(other, "b.csv"))
    assert grades(pairs) == [("p1", {3}, {3}), ("p2", {2}, {4})]


def test_scans_are_the_same_by_their_place_and_else_by_how_they_are_written(a_table):
    first = a_table(MANIFEST)
    elsewhere = a_table("scan,level,pfirrmann\n../x.nii,L4-L5,4\nx.nii,L4-L5,1\n", "reader/b.csv")
    copied = a_table("scan,level,pfirrmann\nx.nii,L4-L5,5\n", "copy/b.csv")
    assert grades(paired_labels(first, elsewhere)) == [("p1", {3}, {4})]
    assert grades(paired_labels(first, copied)) == [("p1", {3}, {5})]


@pytest.mark.parametrize("column", ["pfirmann", "Pfirrmann", "any_marow"])
def test_a_misspelt_grade_is_refused_and_not_passed_over(column, a_table):
    other = f"scan,level,narrowing,{column},read_by\nx.nii,L4-L5,1,1,me\n"
    with pytest.raises(InputError, match=f"has a column '{column}', perhaps for '"):
        paired_labels(a_table(MANIFEST), a_table(other, "b.csv"))


@pytest.mark.parametrize("column", ["pfirrmann2", "gt_narrowing", "Narrowing_P1", "r2_lower_marrow"])
def test_columns_of_other_names_are_passed_over(column, a_table):
    other = f"scan,level,pfirrmann,{column}\nx.nii,L4-L5,4,1\n"
    assert grades(paired_labels(a_table(MANIFEST), a_table(other, "b.csv"))) == [("p1", {3}, {4})]


def test_a_reader_is_compared_with_the_scores_of_an_analysis(a_table, tmp_path):
    write_scores(a_report(), tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as file:
        graded = {row["level"]: row["pfirrmann"] for row in csv.DictReader(file)}
    reader = a_table("scan,patient,level,pfirrmann\nx.nii,p,L4-L5,1\nx.nii,p,T12-L1,2\n")
    pairs = paired_labels(reader, tmp_path / "scores.csv")
    assert grades(pairs) == [("p", {1}, {int(graded["L4-L5"])}), ("p", {2}, set())]
    assert graded["T12-L1"] == ""


def test_the_figures_are_printed_and_written(a_table, tmp_path, capsys):
    other = MANIFEST.replace("p1,L5-S1,5", "p1,L5-S1,3").replace("p1,L4-L5,3,2|3|4", "p1,L4-L5,3,2")
    assert status(a_table(MANIFEST), a_table(other, "b.csv"), "--output", tmp_path / "out") == 0

    with (tmp_path / "out" / "agreement.csv").open(newline="") as file:
        rows = {(row["task"], row["figure"]): row["value"] for row in csv.DictReader(file) if not row["truth"]}
    assert rows["pfirrmann", "discs"] == "4"
    assert rows["pfirrmann", "accuracy"] == rows["pfirrmann", "within_one"] == "0.7500"
    assert rows["narrowing", "discs"] == "2"
    assert rows["narrowed", "discs"] == "3"
    assert rows["any_marrow", "quadratic_kappa"] == "1.0000"
    said = capsys.readouterr().out
    assert "Discs in both tables (2 patients)" in said
    assert RESEARCH_USE_NOTICE in said
    page = (tmp_path / "out" / "agreement.html").read_text("utf-8")
    assert "How well two tables of grades agree" in page
    assert "Reliability" not in page


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ((MANIFEST, "disc,pfirrmann\nL4-L5,3\n"), "has no column 'level'"),
        ((MANIFEST, "level,status\nL4-L5,scored\n"), "grades no disc"),
        ((MANIFEST, "scan,level,pfirrmann\n"), "grades no disc"),
        ((MANIFEST, "level,pfirrmann\nL4-L5,3\n"), "has no column 'scan' to tell the 2 scans of the other table apart"),
        (("level,pfirrmann\nL4-L5,3\n", MANIFEST), "has no column 'scan' to tell the 2 scans of the other table apart"),
        ((MANIFEST, "scan,level,pfirrmann\nz.nii,L4-L5,3\n"), "No disc stands in both"),
        ((MANIFEST, "scan,level,pfirrmann\nx.nii,L6-L7,3\n"), "line 2: level is 'L6-L7'"),
        ((MANIFEST, "scan,level,pfirrmann\nx.nii,L4-L5,7\n"), "line 2: pfirrmann is '7'"),
        ((MANIFEST, "scan,level,pfirrmann\nx.nii,L4-L5,3\nx.nii,l4/5,3\n"), "line 3: L4-L5 was graded on line 2"),
        ((MANIFEST, "scan,level,pfirrmann\n,L4-L5,3\n"), "line 2: scan is empty"),
        (("level,pfirrmann\nL4-L5,3\n", "level,upper_marrow\nL4-L5,0\n"), "no task that both grade"),
    ],
)
def test_tables_that_cannot_be_compared_are_refused_in_one_sentence(tables, said, a_table, tmp_path, capsys):
    paths = [a_table(text, name) for text, name in zip(tables, ("a.csv", "b.csv"), strict=True)]
    assert status(*paths, "--output", tmp_path / "out") == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_table_that_is_not_there_is_named(a_table, tmp_path):
    with pytest.raises(InputError, match=r"'.*no.csv' does not exist"):
        paired_labels(a_table(MANIFEST), tmp_path / "no.csv")
