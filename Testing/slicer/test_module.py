from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from unittest import mock

import pytest
import slicer
import slicer_window
import vtk
from panel_using import L4_L5, NARROWING, PFIRRMANN, cell, use_script

from SpineNetLib.analysis import analyses
from SpineNetLib.scene import add_result


def test_the_module_describes_itself_and_registers_its_sample(the_module):
    parent = slicer_window.module_parent()
    the_module.SpineNet(parent)
    assert (parent.title, parent.categories) == ("SpineNet", ["Quantification"])
    slicer_window.SampleData.registered.clear()
    slicer.app.startupCompleted.emit()
    source = slicer_window.SampleData.registered[0]
    content = Path(source["uris"].removeprefix("file://")).read_bytes()
    assert source["checksums"] == f"SHA256:{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize("end", ["the scene is closed", "the module is loaded again"])
def test_nothing_runs_on_when(end, a_widget, a_scene, a_scan_node, temporary_files):
    use_script(a_widget, "import time; time.sleep(60)")
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.analyseButton.click()
    assert len(list(temporary_files.iterdir())) == 1
    if end == "the scene is closed":
        a_scene.Clear(0)
    else:
        a_widget.cleanup()
    assert not a_widget.panel.analysis._worker.is_running
    assert list(temporary_files.iterdir()) == []


def test_the_module_is_loaded_again_by_slicers_own_reload(a_widget, a_shown_analysis, temporary_files):
    use_script(a_widget, "import time; time.sleep(60)")
    a_widget.ui.scanSelector.setCurrentNode(a_shown_analysis.scan)
    a_widget.ui.analyseButton.click()
    worker = a_widget.panel.analysis._worker
    assert worker.is_running
    with mock.patch.dict(sys.modules):
        a_widget.onReload()
        again = slicer.modules.SpineNetWidget
        assert not worker.is_running
        assert list(temporary_files.iterdir()) == []
        assert type(again.panel) is not type(a_widget.panel)
        assert cell(again, L4_L5, PFIRRMANN).text().startswith("5")
        slicer_window.close(again)


def test_a_widget_without_a_parent_sets_itself_up_once(the_module, an_application):
    widget = the_module.SpineNetWidget()
    assert widget.panel is not None
    assert widget.layout.count() == 1
    widget.enter()
    widget.exit()
    slicer_window.close(widget)


def test_the_choices_are_let_go_of_on_exit(a_widget):
    node = a_widget.logic.getParameterNode().parameterNode
    a_widget.ui.hotspotViewsSpinBox.setValue(7)
    a_widget.exit()
    a_widget.ui.hotspotViewsSpinBox.setValue(9)
    assert node.GetParameter("hotspot_views") == "7"


def test_slicers_self_test_grades_the_sample(the_module, an_application, a_view):
    parent = slicer_window.module_parent()
    the_module.SpineNet(parent)
    slicer.selfTests["SpineNet"]()
    assert len(analyses(slicer.mrmlScene)) == 1


def test_an_undone_analysis_leaves_the_panel_and_comes_back(a_widget, a_scene, a_scan_node, a_result):
    a_scene.SetUndoOn()
    a_widget.panel.grades.show(add_result(a_scene, a_scan_node, a_result))
    a_scene.Undo()
    assert a_widget.ui.gradesSection.isHidden()
    a_scene.Redo()
    assert cell(a_widget, L4_L5, PFIRRMANN).text().startswith("5")


def test_who_reads_and_where_the_networks_run_stays_here_when_the_scene_travels(a_widget, a_scene, tmp_path):
    a_widget.ui.initialsEdit.setText("ANNA")
    a_widget.ui.deviceSelector.setCurrentIndex(2)
    a_widget.ui.modelsPath.setCurrentPath(str(tmp_path))
    node = a_widget.logic.getParameterNode().parameterNode
    assert not {"initials", "device", "models"} & set(node.GetParameterNames())
    a_scene.Clear()
    assert a_widget.ui.initialsEdit.text == "ANNA"
    assert a_widget.ui.deviceSelector.currentIndex == 2


def test_a_result_that_comes_while_another_module_is_open_leaves_its_views_alone(
    a_widget, a_scene, a_scan_node, a_result, a_view
):
    a_widget.exit()
    a_widget.panel.analysis._add_to(a_scan_node, a_result)
    (analysis,) = analyses(a_scene)
    assert a_view.layers.GetBackgroundVolumeID() is None
    assert not any(markups.GetDisplayNode().GetVisibility() for markups in analysis.markers())
    a_scene.InvokeEvent(a_scene.EndImportEvent)
    assert a_view.layers.GetBackgroundVolumeID() is None
    a_widget.enter()
    assert all(markups.GetDisplayNode().GetVisibility() for markups in analysis.markers())
    assert a_view.layers.GetBackgroundVolumeID() == a_scan_node.GetID()
    assert a_widget.ui.cellLabel.text.startswith("L1-L2")


def test_parameters_that_were_let_go_follow_their_node_no_more(a_widget):
    node = a_widget.logic.getParameterNode().parameterNode
    assert node.HasObserver(vtk.vtkCommand.ModifiedEvent)
    a_widget.exit()
    assert not node.HasObserver(vtk.vtkCommand.ModifiedEvent)


def test_a_sentence_is_still_there_when_the_module_is_opened_again(a_widget, a_shown_analysis):
    a_widget.exit()
    a_widget.panel.analysis._messages.say("The analysis failed.")
    a_widget.enter()
    assert a_widget.ui.messageLabel.text == "The analysis failed."


def test_a_scene_that_is_closed_leaves_no_word(a_widget, a_shown_analysis, a_scene):
    a_widget.ui.opacitySlider.setValue(0.3)
    a_scene.Clear()
    assert a_widget.ui.messageLabel.text == ""


def test_the_picked_disc_is_still_picked_when_the_module_is_opened_again(a_widget, a_shown_analysis):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, NARROWING)
    a_widget.exit()
    a_widget.enter()
    assert a_widget.ui.cellLabel.text.startswith("L4-L5, Narrowing")
    assert a_widget.ui.gradeSelector.enabled


def test_choices_and_results_are_there_when_the_module_is_loaded_again(
    a_widget, a_shown_analysis, the_module, tmp_path
):
    a_widget.ui.hotspotViewsSpinBox.setValue(7)
    a_widget.ui.deviceSelector.setCurrentIndex(2)
    a_widget.ui.modelsPath.setCurrentPath(str(tmp_path))
    a_widget.cleanup()
    again = slicer_window.opened(the_module)
    assert (again.ui.hotspotViewsSpinBox.value, again.ui.deviceSelector.currentIndex) == (7, 2)
    assert again.ui.modelsPath.currentPath == str(tmp_path)
    assert cell(again, L4_L5, PFIRRMANN).text().startswith("5")
    slicer_window.close(again)


def test_a_models_folder_that_was_emptied_does_not_come_back(a_widget, tmp_path):
    a_widget.ui.modelsPath.setCurrentPath(str(tmp_path))
    a_widget.ui.modelsPath.setCurrentPath("")
    a_widget.exit()
    a_widget.enter()
    assert a_widget.ui.modelsPath.currentPath == ""


def test_a_closed_scene_empties_the_panel(a_widget, a_shown_analysis, a_scene):
    a_scene.Clear(0)
    assert a_widget.ui.scoreTable.rowCount == 0
    assert a_widget.ui.gradesSection.isHidden()
    assert not a_widget.ui.analyseButton.enabled
