from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import slicer
from headless_slicer import scan_node
from panel_using import L4_L5, NARROWING, PFIRRMANN, cell
from report_making import a_report

from SpineNetCore.anatomy import Task
from SpineNetLib.heat_maps import is_heat_map_shown
from SpineNetLib.results import read_findings
from SpineNetLib.scene import add_result
from SpineNetLib.tables import corrections


def with_warnings(report: str, *warnings: str, naming_doubts: tuple[str, ...] = ()) -> str:
    content = json.loads(report) | {"warnings": [*naming_doubts, *warnings]}
    content["naming"]["doubts"] = naming_doubts
    return json.dumps(content)


def test_warnings_stay_beside_the_grades(a_widget, a_scene, a_scan_node, a_result):
    warning = "The names are in doubt: check them."
    result = replace(a_result, findings=read_findings(with_warnings(a_result.findings.text, warning), "report"))
    a_widget.panel.grades.show(add_result(a_scene, a_scan_node, result))
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, NARROWING)
    assert warning in a_widget.ui.warningLabel.text
    assert not a_widget.ui.warningLabel.isHidden()


def test_picking_a_cell_moves_the_views_and_shows_that_tasks_evidence(a_widget, a_shown_analysis, a_view):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, NARROWING)
    centre = a_shown_analysis.findings.discs[L4_L5].centre_ras_mm
    matrix = a_view.node.GetSliceToRAS()
    place = np.array([matrix.GetElement(row, 3) for row in range(3)])
    assert np.linalg.norm(place - centre) < 3
    assert a_view.layers.GetForegroundVolumeID() == a_shown_analysis.heat_map(Task.NARROWING).GetID()
    picked = cell(a_widget, L4_L5, NARROWING).background().color().name()
    assert f"background: {picked}" in a_widget.ui.scoreTable.styleSheet
    assert a_widget.ui.cellLabel.text.startswith("L4-L5, Narrowing")


def test_a_disc_that_was_not_scored_says_why(a_widget, a_shown_analysis):
    assert cell(a_widget, 0, PFIRRMANN).text() == "\N{EN DASH}"
    assert "too little of it" in cell(a_widget, 0, PFIRRMANN).toolTip()


def test_worse_grades_are_darker(a_widget, a_shown_analysis):
    lightness = []
    for grade in Task.PFIRRMANN.grades[1:]:
        a_widget.panel.grades.correct(grade, Task.PFIRRMANN, "L4-L5")
        lightness.append(cell(a_widget, L4_L5, PFIRRMANN).background().color().lightness())
    assert sorted(set(lightness), reverse=True) == lightness


def test_a_reader_corrects_a_grade_and_takes_it_back(a_widget, a_shown_analysis):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    before = cell(a_widget, L4_L5, PFIRRMANN).text()
    a_widget.ui.initialsEdit.setText("AB")
    selector = a_widget.ui.gradeSelector
    selector.setCurrentIndex(selector.findData(2))
    selector.activated.emit(selector.currentIndex)
    assert cell(a_widget, L4_L5, PFIRRMANN).text() == "2 (5)"
    assert "Given by AB" in a_widget.ui.cellLabel.text
    selector.setCurrentIndex(selector.count - 1)
    selector.activated.emit(selector.currentIndex)
    assert cell(a_widget, L4_L5, PFIRRMANN).text() == before


def test_initials_that_cannot_be_are_told(a_widget, a_shown_analysis):
    a_widget.ui.initialsEdit.setText("=A1()")
    a_widget.ui.levelsUpButton.click()
    assert "cannot be a reader's initials" in a_widget.ui.messageLabel.text


def test_levels_move_up_and_down(a_widget, a_shown_analysis):
    before = cell(a_widget, L4_L5, PFIRRMANN).text()
    a_widget.ui.levelsUpButton.click()
    assert cell(a_widget, L4_L5 - 1, PFIRRMANN).text() == before
    assert cell(a_widget, 5, PFIRRMANN).text() == "\N{EN DASH}"
    a_widget.ui.levelsDownButton.click()
    assert cell(a_widget, L4_L5, PFIRRMANN).text() == before


def test_the_picked_disc_stays_picked_when_the_levels_move(a_widget, a_shown_analysis, a_view):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    a_widget.ui.levelsDownButton.click()
    assert a_widget.ui.cellLabel.text.startswith("L5-S1, Pfirrmann")
    assert a_widget.ui.scoreTable.currentRow() == L4_L5 + 1
    selector = a_widget.ui.gradeSelector
    selector.setCurrentIndex(selector.findData(1))
    selector.activated.emit(selector.currentIndex)
    assert corrections(a_shown_analysis)[-1].disc == "L4-L5"
    a_widget.ui.levelsDownButton.click()
    assert a_widget.ui.cellLabel.text.startswith("Pick a cell")
    assert not is_heat_map_shown(a_shown_analysis.scene)


def test_the_pick_follows_its_disc_when_a_move_of_the_levels_is_undone(a_widget, a_scene, a_scan_node, a_result):
    a_scene.SetUndoOn()
    analysis = add_result(a_scene, a_scan_node, a_result)
    a_widget.panel.grades.show(analysis)
    a_widget.ui.levelsDownButton.click()
    a_widget.ui.scoreTable.setCurrentCell(L4_L5 + 1, PFIRRMANN)
    a_scene.Undo()
    assert a_widget.ui.cellLabel.text.startswith("L4-L5")
    assert a_widget.panel.grades.pick_or_none().level == "L4-L5"


def test_a_grade_made_normal_takes_its_evidence_off_where_only_abnormal_is_shown(a_widget, a_shown_analysis):
    a_widget.ui.abnormalOnlyCheckBox.setChecked(True)
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    shown = slicer.mrmlScene.GetFirstNodeByName("SpineNet evidence of chosen discs")
    before = slicer.util.arrayFromVolume(shown).sum()
    a_widget.panel.grades.correct(1, Task.PFIRRMANN, "L4-L5")
    assert slicer.util.arrayFromVolume(shown).sum() < before


def test_a_disc_without_a_grade_offers_none(a_widget, a_shown_analysis):
    a_widget.ui.scoreTable.setCurrentCell(0, PFIRRMANN)
    assert a_widget.ui.gradeSelector.currentIndex == -1


def test_only_the_chosen_analysis_has_its_names_on_the_views(
    a_widget, a_shown_analysis, a_scene, a_scan_node, a_result
):
    second = add_result(a_scene, a_scan_node, a_result)
    a_widget.panel.grades.show(second)

    def visible(analysis):
        return {bool(markups.GetDisplayNode().GetVisibility()) for markups in analysis.markers()}

    assert (visible(a_shown_analysis), visible(second)) == ({False}, {True})
    a_widget.ui.analysisSelector.setCurrentIndex(0)
    assert (visible(a_shown_analysis), visible(second)) == ({True}, {False})


def test_outlines_that_a_user_hid_and_those_of_another_scan_are_left_alone(
    a_widget, a_shown_analysis, a_scene, a_result
):
    other_scan = scan_node(a_scene, replace(a_report().scan, name="prior"))
    a_widget.panel.grades.show(add_result(a_scene, other_scan, a_result))
    first, *rest = a_shown_analysis.markers()
    assert all(markups.GetDisplayNode().GetVisibility() for markups in (first, *rest))
    a_scene.RemoveNode(rest[-1].GetDisplayNode())
    first.GetDisplayNode().SetVisibility(False)
    a_widget.exit()
    a_widget.enter()
    assert not first.GetDisplayNode().GetVisibility()
    a_widget.ui.analysisSelector.setCurrentIndex(0)
    assert first.GetDisplayNode().GetVisibility()
    assert a_widget.ui.messageLabel.text == ""


def test_a_doubt_about_names_names_the_buttons_until_the_levels_were_moved(a_widget, a_scene, a_scan_node, a_result):
    doubt, other = "All may lie 1 too high; --shift-levels 1 moves them.", "The contrast looks like T1."
    text = with_warnings(a_result.findings.text, other, naming_doubts=(doubt,))
    result = replace(a_result, findings=read_findings(text, "report"))
    a_widget.panel.grades.show(add_result(a_scene, a_scan_node, result))
    assert "too high; 'All levels: One down' moves them." in a_widget.ui.warningLabel.text
    a_widget.ui.levelsDownButton.click()
    assert a_widget.ui.warningLabel.text == f"\N{WARNING SIGN} {other}"
    a_widget.ui.levelsUpButton.click()
    assert "'All levels: One down'" in a_widget.ui.warningLabel.text
