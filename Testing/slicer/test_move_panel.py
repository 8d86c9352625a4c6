from __future__ import annotations

import json

import numpy as np
import pytest
from headless_slicer import moved
from panel_using import L4_L5, PFIRRMANN, use_script, wait_until

from SpineNetLib.analysis import Part
from SpineNetLib.disc_line import lined_disc
from SpineNetLib.tables import corrections


def test_a_disc_is_dragged_graded_alone_and_shown(a_widget, a_shown_analysis, a_view, a_result_folder, tmp_path):
    asked = tmp_path / "asked.json"
    script = f"import shutil; shutil.copytree({str(a_result_folder)!r}, 'result'); shutil.copy('report.json', "
    script += f"{str(asked)!r}); shutil.copy('report.json', 'result')"
    use_script(a_widget, script)
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    assert (a_widget.ui.moveDiscButton.enabled, a_widget.ui.rescoreButton.enabled) == (True, False)
    a_widget.ui.moveDiscButton.click()
    assert (a_widget.ui.moveDiscButton.enabled, a_widget.ui.rescoreButton.enabled) == (False, True)
    line, geometry = a_shown_analysis.node(Part.DISC_LINE), a_shown_analysis.findings.discs[L4_L5].geometry
    for number in range(2):
        line.SetNthControlPointPosition(
            number, *(np.array(line.GetNthControlPointPosition(number)) + 4 * geometry.posterior)
        )
    before = a_shown_analysis.findings.discs[L4_L5].centre_ras_mm
    a_widget.ui.initialsEdit.setText("AB")
    a_widget.ui.rescoreButton.click()
    assert a_widget.ui.cancelButton.enabled
    wait_until(lambda: not a_widget.ui.cancelButton.enabled)
    assert a_widget.ui.messageLabel.text == ""
    after = a_shown_analysis.findings.discs[L4_L5].centre_ras_mm
    assert (after - before) @ geometry.posterior == pytest.approx(4, abs=0.05)
    (entry,) = corrections(a_shown_analysis)
    assert (entry.disc, entry.signature.initials) == ("L4-L5", "AB")
    assert json.loads(asked.read_text("utf-8"))["discs"][L4_L5]["centre_ras_mm"] == list(entry.new.centre_ras_mm)
    assert (a_widget.ui.moveDiscButton.enabled, a_widget.ui.rescoreButton.enabled) == (True, False)


def test_a_disc_is_graded_again_as_the_others_were_whatever_is_chosen_now(a_widget, a_shown_analysis, monkeypatch):
    asked = []
    monkeypatch.setattr(a_widget.panel.analysis._worker, "start", lambda _write, options: asked.append(options))
    settings = json.loads(a_shown_analysis.record.GetText())["settings"]
    a_widget.ui.viewsSpinBox.setValue(1)
    a_widget.ui.hotspotViewsSpinBox.setValue(1)
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    a_widget.ui.moveDiscButton.click()
    a_widget.ui.rescoreButton.click()
    (options,) = asked
    assert (options.views, options.hotspot_views) == (settings["views"], settings["hotspot_views"])
    assert (options.levels, options.report is None) == (("L4-L5",), False)


def test_a_disc_graded_while_another_module_is_open_leaves_its_views_alone(
    a_widget, a_shown_analysis, a_view, a_result_folder
):
    use_script(a_widget, f"import shutil; shutil.copytree({str(a_result_folder)!r}, 'result')")
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    a_widget.ui.moveDiscButton.click()
    a_widget.ui.rescoreButton.click()
    a_widget.exit()
    a_view.layers.SetForegroundVolumeID(None)
    wait_until(lambda: corrections(a_shown_analysis) != [])
    assert a_view.layers.GetForegroundVolumeID() is None


def test_a_move_is_cancelled_without_a_trace(a_widget, a_shown_analysis, a_scene):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    before, kinds = a_shown_analysis.record.GetText(), a_scene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode")
    a_widget.ui.moveDiscButton.click()
    a_widget.ui.dropMoveButton.click()
    assert a_scene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode") == kinds
    assert (a_shown_analysis.record.GetText(), corrections(a_shown_analysis)) == (before, [])
    assert (a_widget.ui.moveDiscButton.enabled, a_widget.ui.rescoreButton.enabled) == (True, False)


def test_a_rescoring_that_fails_says_why_and_the_line_stays(a_widget, a_shown_analysis):
    use_script(a_widget, "import sys; sys.stderr.write('error: The disc lies outside.\\n'); sys.exit(2)")
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    before = a_shown_analysis.record.GetText()
    a_widget.ui.moveDiscButton.click()
    a_widget.ui.rescoreButton.click()
    wait_until(lambda: not a_widget.ui.cancelButton.enabled)
    assert a_widget.ui.messageLabel.text == "The disc lies outside."
    assert a_shown_analysis.record.GetText() == before
    assert a_widget.ui.rescoreButton.enabled


def test_a_disc_that_was_not_found_cannot_be_moved_and_says_so(a_widget, a_shown_analysis):
    a_widget.ui.scoreTable.setCurrentCell(0, PFIRRMANN)
    a_widget.ui.moveDiscButton.click()
    assert "No disc was found at T12-L1" in a_widget.ui.messageLabel.text


def test_an_analysis_removed_while_its_disc_is_graded_is_told(a_widget, a_shown_analysis, a_result_folder):
    use_script(a_widget, f"import shutil; shutil.copytree({str(a_result_folder)!r}, 'result')")
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    a_widget.ui.moveDiscButton.click()
    a_widget.ui.rescoreButton.click()
    a_shown_analysis.scene.RemoveNode(a_shown_analysis.record)
    wait_until(lambda: not a_widget.ui.cancelButton.enabled)
    assert "was removed while its disc was graded" in a_widget.ui.messageLabel.text


def test_while_a_disc_is_graded_no_other_is_moved_and_its_line_stays(a_widget, a_shown_analysis):
    use_script(a_widget, "import time; time.sleep(60)")
    buttons = (a_widget.ui.moveDiscButton, a_widget.ui.rescoreButton, a_widget.ui.dropMoveButton)
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    a_widget.ui.moveDiscButton.click()
    a_widget.ui.rescoreButton.click()
    assert [button.enabled for button in buttons] == [False, False, False]
    a_widget.ui.scoreTable.setCurrentCell(L4_L5 - 1, PFIRRMANN)
    assert [button.enabled for button in buttons] == [False, False, False]
    a_widget.ui.cancelButton.click()
    assert "cancelled" in a_widget.ui.messageLabel.text
    assert [button.enabled for button in buttons] == [False, True, True]
    assert lined_disc(a_shown_analysis) == "L4-L5"


def test_a_disc_whose_line_was_removed_while_it_was_graded_stays_where_it_was(
    a_widget, a_shown_analysis, a_result_folder
):
    use_script(a_widget, f"import shutil; shutil.copytree({str(a_result_folder)!r}, 'result')")
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    before = a_shown_analysis.record.GetText()
    a_widget.ui.moveDiscButton.click()
    a_widget.ui.rescoreButton.click()
    a_shown_analysis.scene.RemoveNode(a_shown_analysis.node(Part.DISC_LINE))
    wait_until(lambda: not a_widget.ui.cancelButton.enabled)
    assert "line of L4-L5 was removed while it was graded" in a_widget.ui.messageLabel.text
    assert (a_shown_analysis.record.GetText(), corrections(a_shown_analysis)) == (before, [])
    assert (a_widget.ui.moveDiscButton.enabled, a_widget.ui.rescoreButton.enabled) == (True, False)


def test_on_a_scan_that_was_moved_for_good_no_disc_is_moved(a_widget, a_shown_analysis):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, PFIRRMANN)
    moved(a_shown_analysis.scan, 0, 0, 40)
    a_shown_analysis.scan.HardenTransform()
    a_widget.ui.moveDiscButton.click()
    assert "was moved since its analysis: analyse it again." in a_widget.ui.messageLabel.text
    assert lined_disc(a_shown_analysis) is None
