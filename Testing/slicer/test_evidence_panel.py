from __future__ import annotations

from dataclasses import replace

import pytest
import slicer
import slicer_window
from headless_slicer import moved, scan_node
from panel_using import L4_L5, NARROWING, PFIRRMANN
from report_making import a_report

from SpineNetCore.anatomy import Task
from SpineNetLib.analysis import nodes_of_class
from SpineNetLib.scene import add_result
from SpineNetLib.segments import disc_mask


def test_the_sliders_change_the_evidence_shown(a_widget, a_shown_analysis, a_view):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    a_widget.ui.opacitySlider.setValue(0.3)
    a_widget.ui.thresholdSlider.setValue(0.5)
    assert a_view.layers.GetForegroundOpacity() == pytest.approx(0.3)
    assert a_shown_analysis.heat_map(Task.PFIRRMANN).GetDisplayNode().GetLowerThreshold() == pytest.approx(0.5)


def test_the_evidence_of_one_disc_or_all_or_none_is_shown(a_widget, a_shown_analysis, a_view, a_scene):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    whole = slicer.util.arrayFromVolume(a_shown_analysis.heat_map(Task.PFIRRMANN))
    a_widget.ui.thisDiscCheckBox.click()
    shown = slicer.util.arrayFromVolume(a_scene.GetNodeByID(a_view.layers.GetForegroundVolumeID()))
    assert 0 < (shown > 0).sum() < (whole > 0).sum()
    a_widget.ui.thisDiscCheckBox.click()
    assert a_view.layers.GetForegroundVolumeID() == a_shown_analysis.heat_map(Task.PFIRRMANN).GetID()
    a_widget.ui.hideButton.click()
    assert not a_view.layers.GetForegroundVolumeID()


def test_evidence_of_normal_grades_is_left_out_where_that_is_asked_for(a_widget, a_shown_analysis, a_view, a_scene):
    a_widget.panel.grades.correct(0, Task.UPPER_MARROW, "L4-L5")
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, list(Task).index(Task.UPPER_MARROW))
    a_widget.ui.abnormalOnlyCheckBox.click()
    shown = slicer.util.arrayFromVolume(a_scene.GetNodeByID(a_view.layers.GetForegroundVolumeID()))
    inside = {level: disc_mask(a_shown_analysis, [level]) for level in ("L3-L4", "L4-L5")}
    assert shown[inside["L3-L4"]].any()
    assert not shown[inside["L4-L5"]].any()
    a_widget.ui.thisDiscCheckBox.click()
    shown = slicer.util.arrayFromVolume(a_scene.GetNodeByID(a_view.layers.GetForegroundVolumeID()))
    assert not shown.any()
    assert a_widget.ui.evidenceLabel.text == "Upper marrow: no grade to show evidence for."


def test_a_result_without_evidence_is_read_and_says_so(a_widget, a_scene, a_scan_node, a_result):
    a_widget.panel.grades.show(add_result(a_scene, a_scan_node, replace(a_result, hotspots={})))
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, NARROWING)
    assert a_widget.ui.messageLabel.text == ""
    assert a_widget.ui.evidenceLabel.text == "The scan was analysed without evidence."


def test_a_result_without_evidence_is_read_on_its_own_scan(a_widget, a_shown_analysis, a_scene, a_result, a_view):
    another = scan_node(a_scene, replace(a_report().scan, name="another"))
    a_widget.panel.grades.show(add_result(a_scene, another, replace(a_result, hotspots={})))
    assert a_view.layers.GetBackgroundVolumeID() == another.GetID()
    assert a_view.layers.GetForegroundVolumeID() is None


def test_over_a_scan_that_was_moved_for_good_no_evidence_is_shown(a_widget, a_shown_analysis, a_view):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    a_widget.ui.hideButton.click()
    moved(a_shown_analysis.scan, 0, 0, 40)
    a_shown_analysis.scan.HardenTransform()
    a_widget.ui.opacitySlider.setValue(0.3)
    assert "was moved since its analysis: analyse it again." in a_widget.ui.messageLabel.text
    assert a_view.layers.GetForegroundVolumeID() is None


@pytest.mark.parametrize("is_picked", [False, True])
def test_evidence_shown_before_is_taken_off_a_scan_that_was_moved_for_good(
    a_widget, a_shown_analysis, a_view, a_scene, is_picked
):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    moved(a_shown_analysis.scan, 0, 0, 40)
    a_shown_analysis.scan.HardenTransform()
    if is_picked:
        a_widget.ui.scoreTable.setCurrentCell(L4_L5 - 1, NARROWING)
    else:
        a_widget.ui.opacitySlider.setValue(0.3)
    assert "was moved since its analysis: analyse it again." in a_widget.ui.messageLabel.text
    assert a_view.layers.GetForegroundVolumeID() is None
    assert not any(legend.GetVisibility() for legend in nodes_of_class(a_scene, "vtkMRMLColorLegendDisplayNode"))
    assert a_widget.ui.evidenceLabel.text == ""


def test_a_disc_that_was_not_found_leaves_no_evidence_of_another(a_widget, a_shown_analysis, a_view):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    a_widget.ui.scoreTable.setCurrentCell(0, NARROWING)
    assert "No disc was found at T12-L1" in a_widget.ui.messageLabel.text
    assert a_view.layers.GetForegroundVolumeID() is None
    assert a_widget.ui.evidenceLabel.text == ""


def test_the_evidence_of_an_analysis_goes_when_another_is_chosen(a_widget, a_shown_analysis, a_result, a_view):
    a_widget.panel.grades.show(add_result(a_shown_analysis.scene, a_shown_analysis.scan, a_result))
    assert a_view.layers.GetForegroundVolumeID()
    a_widget.ui.analysisSelector.setCurrentIndex(0)
    assert a_view.layers.GetForegroundVolumeID() is None
    assert a_widget.ui.evidenceLabel.text == ""


def test_the_evidence_of_an_analysis_goes_when_it_is_removed(a_widget, a_shown_analysis, a_result, a_view):
    another = add_result(a_shown_analysis.scene, a_shown_analysis.scan, a_result)
    a_widget.panel.grades.show(another)
    another.scene.RemoveNode(another.record)
    a_widget.panel.refresh()
    assert a_view.layers.GetForegroundVolumeID() is None


def test_evidence_can_be_hidden_before_anything_is_picked(the_module, a_widget, a_shown_analysis, a_view):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    a_widget.cleanup()
    again = slicer_window.opened(the_module)
    assert a_view.layers.GetForegroundVolumeID()
    again.ui.hideButton.click()
    assert a_view.layers.GetForegroundVolumeID() is None
    assert again.ui.evidenceLabel.text == "The evidence is hidden."
    slicer_window.close(again)
