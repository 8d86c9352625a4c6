from __future__ import annotations

import csv
import hashlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import slicer
import slicer_window
from headless_slicer import SliceView, scan_node
from report_making import a_report

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetLib.analysis import Part, analyses
from SpineNetLib.child_process import ChildProcess
from SpineNetLib.devices import DeviceSearch
from SpineNetLib.results import read_findings
from SpineNetLib.scene import add_result
from SpineNetLib.segments import disc_mask
from SpineNetLib.tables import corrections
from SpineNetLib.worker import Worker

LONG_ENOUGH_S = 300
L4_L5 = DISC_LEVELS.index("L4-L5")
PFIRRMANN, NARROWING = 0, 1


@pytest.fixture(scope="session")
def the_module() -> ModuleType:
    return slicer_window.install()


@pytest.fixture
def a_view(an_application) -> SliceView:
    return SliceView(an_application, "Yellow", "Sagittal", (300, 300))


@pytest.fixture
def a_widget(the_module, an_application, a_view) -> Iterator[SimpleNamespace]:
    widget = slicer_window.opened(the_module)
    yield widget
    slicer_window.close(widget)


@pytest.fixture
def a_shown_analysis(a_widget, a_scene, a_scan_node, a_result):
    analysis = add_result(a_scene, a_scan_node, a_result)
    a_widget.panel.grades.show(analysis)
    return analysis


@pytest.fixture
def temporary_files(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def node_ids(scene) -> set[str]:
    return {scene.GetNthNode(place).GetID() for place in range(scene.GetNumberOfNodes())}


def cell(widget, row: int, column: int):
    return widget.ui.scoreTable.item(row, column)


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + LONG_ENOUGH_S
    while not is_so():
        assert time.monotonic() < until, "it did not happen in time"
        slicer_window.wait_events()
        time.sleep(0.02)


def start_on_sample(widget) -> None:
    widget.ui.viewsSpinBox.setValue(1)
    widget.ui.hotspotViewsSpinBox.setValue(1)
    widget.ui.deviceSelector.setCurrentIndex(1)
    widget.ui.sampleButton.click()
    assert widget.ui.messageLabel.text == ""
    assert widget.ui.cancelButton.enabled


def with_warning(report: str, warning: str) -> str:
    return json.dumps(json.loads(report) | {"warnings": [warning]})


def use_script(widget, script: str) -> None:
    """Let the next analysis be a real Python with another script."""

    def start(command, environment, folder):
        return ChildProcess([sys.executable, "-c", script], environment, folder)

    widget.panel.analysis._worker = Worker(start)


def test_the_module_describes_itself_and_registers_its_sample(the_module):
    parent = slicer_window.module_parent()
    the_module.SpineNet(parent)
    assert (parent.title, parent.categories) == ("SpineNet", ["Quantification"])
    slicer_window.SampleData.registered.clear()
    slicer.app.startupCompleted.emit()
    source = slicer_window.SampleData.registered[0]
    content = Path(source["uris"].removeprefix("file://")).read_bytes()
    assert source["checksums"] == f"SHA256:{hashlib.sha256(content).hexdigest()}"


def test_the_sample_is_loaded_analysed_and_shown(a_widget, a_scene, a_view, temporary_files):
    start_on_sample(a_widget)
    stages, percents = [], []

    def is_over() -> bool:
        stages.append(a_widget.ui.stageLabel.text)
        percents.append(a_widget.ui.progressBar.value)
        return not a_widget.ui.cancelButton.enabled

    wait_until(is_over)
    assert len(analyses(a_scene)) == 1
    assert len(set(stages) - {"", "Starting..."}) >= 3  # the quickest ones pass between two looks
    assert sorted(percents[:-1]) == percents[:-1]
    assert len(set(percents)) >= 4
    assert (a_widget.ui.scoreTable.rowCount, a_widget.ui.scoreTable.columnCount) == (6, 6)
    assert all(cell(a_widget, row, column).text() for row in range(6) for column in range(6))
    assert a_view.layers.GetForegroundVolumeID() in {node.GetID() for node in analyses(a_scene)[0].heat_maps().values()}
    assert a_widget.ui.analyseButton.enabled
    assert list(temporary_files.iterdir()) == []


def test_cancel_takes_less_than_a_second_and_leaves_the_scene_as_it_was(a_widget, a_scene, temporary_files):
    start_on_sample(a_widget)
    before = node_ids(a_scene)
    wait_until(lambda: a_widget.ui.progressBar.value > 0)
    began = time.monotonic()
    a_widget.ui.cancelButton.click()
    assert time.monotonic() - began < 1
    assert node_ids(a_scene) == before
    assert "cancelled" in a_widget.ui.messageLabel.text
    assert a_widget.ui.analyseButton.enabled
    assert not a_widget.ui.cancelButton.enabled
    assert list(temporary_files.iterdir()) == []


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


def test_a_killed_process_is_told_in_one_sentence(a_widget, a_scene, a_scan_node):
    use_script(a_widget, f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})")
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    before = node_ids(a_scene)
    a_widget.ui.analyseButton.click()
    wait_until(lambda: not a_widget.ui.cancelButton.enabled)
    assert "ended from outside" in a_widget.ui.messageLabel.text
    assert node_ids(a_scene) == before


def test_details_of_a_failure_can_be_shown(a_widget, a_scan_node):
    use_script(a_widget, "raise ZeroDivisionError('by zero')")
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.analyseButton.click()
    wait_until(lambda: not a_widget.ui.cancelButton.enabled)
    assert a_widget.ui.detailsText.isHidden()
    a_widget.ui.detailsButton.click()
    assert not a_widget.ui.detailsText.isHidden()
    assert "Traceback" in a_widget.ui.detailsText.plainText
    assert a_widget.ui.detailsButton.text == "Hide details"


def test_a_result_is_not_added_to_a_scan_that_was_removed(a_widget, a_scene, a_scan_node, a_result_folder):
    use_script(a_widget, f"import shutil; shutil.copytree({str(a_result_folder)!r}, 'result')")
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.analyseButton.click()
    a_scene.RemoveNode(a_scan_node)
    wait_until(lambda: not a_widget.ui.cancelButton.enabled)
    assert "was removed during its analysis" in a_widget.ui.messageLabel.text
    assert analyses(a_scene) == []


def test_a_result_of_the_command_line_is_shown_on_its_scan(
    a_widget, a_scene, a_scan_node, a_result_folder, monkeypatch
):
    monkeypatch.setattr(sys.modules["qt"].QFileDialog, "getExistingDirectory", lambda *_: str(a_result_folder))
    assert not a_widget.ui.resultButton.enabled
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.resultButton.click()
    assert a_widget.ui.messageLabel.text == ""
    assert len(analyses(a_scene)) == 1
    assert cell(a_widget, L4_L5, PFIRRMANN).text().startswith("5")
    assert "Research use only" in a_widget.ui.noticeLabel.text


def test_the_result_of_another_scan_is_refused_and_the_scene_stays(a_widget, a_scene, a_result_folder, monkeypatch):
    monkeypatch.setattr(sys.modules["qt"].QFileDialog, "getExistingDirectory", lambda *_: str(a_result_folder))
    report = a_report()
    another = scan_node(a_scene, replace(report.scan, name="another"))
    another.SetOrigin(*(np.array(another.GetOrigin()) + 20))
    a_widget.ui.scanSelector.setCurrentNode(another)
    before = node_ids(a_scene)
    a_widget.ui.resultButton.click()
    assert "does not lie on the voxels of 'another'" in a_widget.ui.messageLabel.text
    assert node_ids(a_scene) == before


def test_warnings_stay_beside_the_grades(a_widget, a_scene, a_scan_node, a_result):
    warning = "The names are in doubt: check them."
    result = replace(a_result, findings=read_findings(with_warning(a_result.findings.text, warning), "report"))
    a_widget.panel.grades.show(add_result(a_scene, a_scan_node, result))
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, NARROWING)
    assert warning in a_widget.ui.warningLabel.text
    assert not a_widget.ui.warningLabel.isHidden()


def test_a_scan_that_is_not_sagittal_is_told_at_once(a_widget, a_scene):
    axial = a_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Axial")
    slicer.util.updateVolumeFromArray(axial, np.ones((20, 256, 256), np.float32))
    axial.SetSpacing(0.7, 0.7, 4.0)
    a_widget.ui.scanSelector.setCurrentNode(axial)
    assert "Axial" in a_widget.ui.scanMessage.text
    assert not a_widget.ui.analyseButton.enabled


def test_without_a_scan_nothing_can_be_analysed(a_widget):
    assert "No scan is chosen" in a_widget.ui.scanMessage.text
    assert not a_widget.ui.analyseButton.enabled
    assert a_widget.ui.gradesSection.isHidden()


def test_pytorch_is_installed_by_one_button(a_widget, a_scan_node, monkeypatch):
    missing, asked = {"torch"}, []
    find = sys.modules["SpineNetLib.libraries"].find_spec
    monkeypatch.setattr(
        "SpineNetLib.libraries.find_spec",
        lambda name: None if name in missing else name == "PyTorchUtils" or find(name),
    )

    class PyTorchUtilsLogic:
        def installTorch(self, **choices):  # noqa: N802
            asked.append(choices)
            missing.clear()

    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=PyTorchUtilsLogic))
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.analyseButton.click()
    assert "PyTorch is not installed" in a_widget.ui.messageLabel.text
    assert not a_widget.ui.installButton.isHidden()
    a_widget.ui.installButton.click()
    assert asked == [{"askConfirmation": True, "torchVersionRequirement": ">=2.4"}]
    assert a_widget.ui.installButton.isHidden()
    assert a_widget.ui.messageLabel.text == ""


def test_the_pytorch_extension_is_asked_for_where_it_is_missing_too(a_widget, a_scan_node, monkeypatch):
    asked = []

    def install_extension(name: str, restart: bool) -> bool:
        asked.append((name, restart))
        return True

    model = SimpleNamespace(installExtensionFromServer=install_extension)
    monkeypatch.setattr("SpineNetLib.libraries.find_spec", lambda name: None)
    monkeypatch.setattr(slicer.app, "extensionsManagerModel", lambda: model, raising=False)
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.analyseButton.click()
    a_widget.ui.installButton.click()
    assert asked == [("PyTorch", False)]
    assert "restart Slicer" in a_widget.ui.messageLabel.text
    assert not a_widget.ui.installButton.isHidden()


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


def test_a_reference_that_cannot_be_read_is_told_and_changes_nothing(a_widget, a_shown_analysis, tmp_path, monkeypatch):
    reference = tmp_path / "reference.csv"
    reference.write_text("level,pfirrmann\nL4-L5,9\n")
    monkeypatch.setattr(sys.modules["qt"].QFileDialog, "getOpenFileName", lambda *_: str(reference))
    before = cell(a_widget, L4_L5, PFIRRMANN).text()
    a_widget.ui.referenceButton.click()
    assert "pfirrmann '9'" in a_widget.ui.messageLabel.text
    assert cell(a_widget, L4_L5, PFIRRMANN).text() == before


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


def test_evidence_of_normal_grades_is_left_out_where_that_is_asked_for(a_widget, a_shown_analysis, a_view, a_scene):
    a_widget.panel.grades.correct(0, Task.UPPER_MARROW, "L4-L5")
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, list(Task).index(Task.UPPER_MARROW))
    a_widget.ui.abnormalOnlyCheckBox.click()
    shown = slicer.util.arrayFromVolume(a_scene.GetNodeByID(a_view.layers.GetForegroundVolumeID()))
    inside = {level: disc_mask(a_shown_analysis, [level], a_shown_analysis.scan) for level in ("L3-L4", "L4-L5")}
    assert shown[inside["L3-L4"]].any()
    assert not shown[inside["L4-L5"]].any()
    a_widget.ui.thisDiscCheckBox.click()
    shown = slicer.util.arrayFromVolume(a_scene.GetNodeByID(a_view.layers.GetForegroundVolumeID()))
    assert not shown.any()
    assert a_widget.ui.evidenceLabel.text == "Upper marrow: no grade to show evidence for."


def test_the_settings_say_which_device_was_found_whenever_they_are_opened(a_widget):
    class Found:
        def new_lines(self):
            return [json.dumps({"gpus": ["NVIDIA H100"], "built_for_gpu": True})]

        def exit_status(self):
            return 0

        def end(self):
            pass

    class Missing(Found):
        def new_lines(self):
            return ["ModuleNotFoundError: No module named 'torch'"]

    a_widget.panel.devices._search = DeviceSearch(lambda *_: Found())
    assert a_widget.ui.deviceLabel.text == ""
    a_widget.ui.settingsSection.collapsed = False
    assert a_widget.ui.deviceLabel.text == "Looking for a GPU..."
    wait_until(lambda: a_widget.ui.deviceLabel.text == "Found: NVIDIA H100. Automatic uses it.")
    a_widget.ui.settingsSection.collapsed = True
    a_widget.panel.devices._search = DeviceSearch(lambda *_: Missing())
    a_widget.ui.settingsSection.collapsed = False
    wait_until(lambda: "not installed yet" in a_widget.ui.deviceLabel.text)


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


def test_a_result_without_evidence_is_read_and_says_so(a_widget, a_scene, a_scan_node, a_result):
    a_widget.panel.grades.show(add_result(a_scene, a_scan_node, replace(a_result, hotspots={})))
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, NARROWING)
    assert a_widget.ui.messageLabel.text == ""
    assert a_widget.ui.evidenceLabel.text == "The scan was analysed without evidence."


def test_an_undone_analysis_leaves_the_panel_and_comes_back(a_widget, a_scene, a_scan_node, a_result):
    a_scene.SetUndoOn()
    a_widget.panel.grades.show(add_result(a_scene, a_scan_node, a_result))
    a_scene.Undo()
    assert a_widget.ui.gradesSection.isHidden()
    a_scene.Redo()
    assert cell(a_widget, L4_L5, PFIRRMANN).text().startswith("5")


def test_the_picked_disc_is_still_picked_when_the_module_is_opened_again(a_widget, a_shown_analysis):
    a_widget.ui.scoreTable.setCurrentCell(L4_L5, NARROWING)
    a_widget.exit()
    a_widget.enter()
    assert a_widget.ui.cellLabel.text.startswith("L4-L5, Narrowing")
    assert a_widget.ui.gradeSelector.enabled


def test_evidence_is_never_taken_for_a_scan(a_widget, a_shown_analysis):
    a_widget.ui.scanSelector.setCurrentNode(a_shown_analysis.heat_map(Task.NARROWING))
    assert "is the evidence of an analysis" in a_widget.ui.scanMessage.text
    assert not a_widget.ui.analyseButton.enabled


def test_of_two_scans_with_one_name_the_chosen_one_is_analysed(a_widget, a_scene, a_result_folder):
    use_script(a_widget, f"import shutil; shutil.copytree({str(a_result_folder)!r}, 'result')")
    first, second = (scan_node(a_scene, a_report().scan) for _ in range(2))
    a_widget.ui.scanSelector.setCurrentNode(second)
    a_widget.ui.analyseButton.click()
    wait_until(lambda: not a_widget.ui.cancelButton.enabled)
    (analysis,) = analyses(a_scene)
    assert analysis.scan.GetID() == second.GetID() != first.GetID()


def test_choices_and_results_are_there_when_the_module_is_loaded_again(a_widget, a_shown_analysis, the_module):
    a_widget.ui.hotspotViewsSpinBox.setValue(7)
    a_widget.ui.deviceSelector.setCurrentIndex(2)
    a_widget.ui.modelsPath.setCurrentPath("models")
    a_widget.cleanup()
    again = slicer_window.opened(the_module)
    assert (again.ui.hotspotViewsSpinBox.value, again.ui.deviceSelector.currentIndex) == (7, 2)
    assert again.ui.modelsPath.currentPath == "models"
    assert cell(again, L4_L5, PFIRRMANN).text().startswith("5")
    slicer_window.close(again)


def test_a_closed_scene_empties_the_panel(a_widget, a_shown_analysis, a_scene):
    a_scene.Clear(0)
    assert a_widget.ui.scoreTable.rowCount == 0
    assert a_widget.ui.gradesSection.isHidden()
    assert not a_widget.ui.analyseButton.enabled
