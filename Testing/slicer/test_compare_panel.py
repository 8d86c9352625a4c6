from __future__ import annotations

import csv
import sys

import pytest
from panel_using import L4_L5, PFIRRMANN, cell

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.errors import InputError
from SpineNetLib.analysis import Part


def test_a_reference_is_compared_and_the_grades_exported(a_widget, a_shown_analysis, tmp_path, monkeypatch):
    reference, export = tmp_path / "reference.csv", tmp_path / "out.csv"
    reference.write_text("level,pfirrmann\nL4-L5,3\nL5-S1,5\n")
    monkeypatch.setattr(sys.modules["qt"].QFileDialog, "getOpenFileName", lambda *_: str(reference))
    monkeypatch.setattr(sys.modules["qt"].QFileDialog, "getSaveFileName", lambda *_: str(export))
    a_widget.ui.referenceButton.click()
    assert cell(a_widget, L4_L5, PFIRRMANN).text() == "5 \N{NOT EQUAL TO} 3"
    assert "Pfirrmann: 50% the same, 50% within one" in a_widget.ui.agreementLabel.text
    a_widget.ui.exportButton.click()
    with export.open(newline="") as file:
        assert [row["level"] for row in csv.DictReader(file)] == list(DISC_LEVELS)


@pytest.mark.parametrize(("button", "ending"), [("exportButton", ".csv"), ("exportPageButton", ".html")])
@pytest.mark.usefixtures("a_shown_analysis")
def test_a_file_that_nobody_was_asked_about_is_not_replaced(a_widget, tmp_path, monkeypatch, button, ending):
    monkeypatch.setattr(sys.modules["qt"].QFileDialog, "getSaveFileName", lambda *_: str(tmp_path / "anna.m 2026"))
    getattr(a_widget.ui, button).click()
    whole = tmp_path / f"anna.m 2026{ending}"
    before = whole.stat().st_mtime_ns
    getattr(a_widget.ui, button).click()
    assert "is there already: choose it by its whole name" in a_widget.ui.messageLabel.text
    assert whole.stat().st_mtime_ns == before


def test_a_reference_that_cannot_be_read_is_told_and_changes_nothing(a_widget, a_shown_analysis, tmp_path, monkeypatch):
    reference = tmp_path / "reference.csv"
    reference.write_text("level,pfirrmann\nL4-L5,9\n")
    monkeypatch.setattr(sys.modules["qt"].QFileDialog, "getOpenFileName", lambda *_: str(reference))
    before = cell(a_widget, L4_L5, PFIRRMANN).text()
    a_widget.ui.referenceButton.click()
    assert "pfirrmann '9'" in a_widget.ui.messageLabel.text
    assert cell(a_widget, L4_L5, PFIRRMANN).text() == before


def test_a_reference_of_none_of_the_discs_is_refused_and_one_of_discs_moved_away_is_kept(
    a_widget, a_shown_analysis, tmp_path
):
    reference, grades = tmp_path / "reference.csv", a_widget.panel.grades
    reference.write_text("level,pfirrmann\nT12-L1,4\n")
    with pytest.raises(InputError, match=r"reference\.csv' grades none of the discs shown"):
        grades.compare.load_reference(reference)
    reference.write_text("level,pfirrmann\nL1-L2,4\n")
    grades.compare.load_reference(reference)
    grades.move_levels(1)
    assert a_widget.ui.agreementLabel.text == ""
    grades.move_levels(-1)
    assert "Pfirrmann: 0% the same" in a_widget.ui.agreementLabel.text


def test_a_reference_is_still_there_when_the_module_is_opened_again(a_widget, a_shown_analysis, tmp_path):
    reference = tmp_path / "reference.csv"
    reference.write_text("level,pfirrmann\nL4-L5,3\n")
    a_widget.panel.grades.compare.load_reference(reference)
    a_widget.exit()
    a_widget.enter()
    assert cell(a_widget, L4_L5, PFIRRMANN).text() == "5 \N{NOT EQUAL TO} 3"
    assert "Pfirrmann: 0% the same, 0% within one, kappa 0.00 (discs: 1)" in a_widget.ui.agreementLabel.text


def test_the_page_is_exported(a_widget, a_shown_analysis, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["qt"].QFileDialog, "getSaveFileName", lambda *_: str(tmp_path / "page"))
    a_widget.ui.exportPageButton.click()
    assert a_widget.ui.messageLabel.text == ""
    assert "Research use only" in (tmp_path / "page.html").read_text("utf-8")


def test_a_reference_table_that_somebody_broke_is_told_and_the_scores_can_still_be_picked(
    a_widget, a_shown_analysis, a_scene, tmp_path
):
    reference = tmp_path / "reference.csv"
    reference.write_text("level,pfirrmann\nL4-L5,3\n")
    a_widget.panel.grades.compare.load_reference(reference)
    table = a_shown_analysis.node(Part.REFERENCE)
    table.SetCellText(L4_L5, 1, "9")
    a_widget.exit()
    a_widget.enter()
    assert "has pfirrmann '9' in line 5" in a_widget.ui.messageLabel.text
    a_scene.RemoveNode(table)
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    assert a_widget.ui.cellLabel.text.startswith("L4-L5, Pfirrmann")
