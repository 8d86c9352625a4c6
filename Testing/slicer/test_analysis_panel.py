from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from headless_slicer import scan_node
from panel_using import L4_L5, PFIRRMANN, cell, node_ids, start_on_sample, use_script, wait_until
from report_making import a_report

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetLib.analysis import analyses
from SpineNetLib.scene import add_result


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


def test_what_is_said_during_an_analysis_stays_to_be_read(a_widget, a_scan_node, a_result_folder):
    use_script(a_widget, f"import shutil, time; time.sleep(1); shutil.copytree({str(a_result_folder)!r}, 'result')")
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.analyseButton.click()
    a_widget.panel.analysis._messages.say("Grades were saved.")
    before = time.monotonic()
    wait_until(lambda: time.monotonic() - before > 0.4)  # some looks at how far it is
    assert a_widget.ui.messageLabel.text == "Grades were saved."
    wait_until(lambda: not a_widget.ui.cancelButton.enabled)
    assert a_widget.ui.messageLabel.text == ""


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


def test_another_scan_on_the_same_grid_is_told_beside_the_result(a_widget, a_scene, a_result_folder, monkeypatch):
    monkeypatch.setattr(sys.modules["qt"].QFileDialog, "getExistingDirectory", lambda *_: str(a_result_folder))
    report = a_report()
    another = scan_node(a_scene, replace(report.scan, name="another", voxels=report.scan.voxels + 1))
    a_widget.ui.scanSelector.setCurrentNode(another)
    a_widget.ui.resultButton.click()
    assert "The voxels of 'another' are not those that were analysed" in a_widget.ui.messageLabel.text
    assert len(analyses(a_scene)) == 1


def test_a_long_name_does_not_widen_the_panel(a_widget, a_scene, a_scan_node, a_result):
    before = a_widget.ui.analysisSelector.sizeHint().width()
    a_scan_node.SetName("T2 TSE SAG " * 9)
    a_widget.panel.grades.show(add_result(a_scene, a_scan_node, a_result))
    assert a_widget.ui.analysisSelector.sizeHint().width() == before


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
    assert "PyTorch 2.2 or newer is not installed" in a_widget.ui.messageLabel.text
    assert not a_widget.ui.installButton.isHidden()
    a_widget.ui.installButton.click()
    assert asked == [{"askConfirmation": True, "torchVersionRequirement": ">=2.2"}]
    assert a_widget.ui.installButton.isHidden()
    assert a_widget.ui.messageLabel.text == ""


@pytest.mark.parametrize(("version", "is_missing"), [("2.1.2", True), ("2.2.2", False), ("2.10.0+cu128", False)])
def test_a_pytorch_too_old_counts_as_missing(the_module, monkeypatch, version, is_missing):
    monkeypatch.setattr("SpineNetLib.libraries.version", lambda _name: version)
    assert sys.modules["SpineNetLib.libraries"].are_missing() == is_missing


def test_a_pytorch_whose_installation_was_broken_off_can_be_installed(a_widget, a_scan_node, monkeypatch):
    def refuse(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("SpineNetLib.libraries.version", refuse)
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.analyseButton.click()
    assert "PyTorch 2.2 or newer is not installed" in a_widget.ui.messageLabel.text
    assert not a_widget.ui.installButton.isHidden()


def test_a_download_that_fails_is_told_in_words(a_widget, a_scan_node, monkeypatch):
    def fail(**_choices):
        raise subprocess.CalledProcessError(1, ["light_the_torch", "install"])

    monkeypatch.setattr("SpineNetLib.libraries._has_torch", lambda: False)
    monkeypatch.setattr("SpineNetLib.libraries.find_spec", lambda name: name)
    monkeypatch.setitem(
        sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=lambda: SimpleNamespace(installTorch=fail))
    )
    a_widget.ui.installButton.click()
    assert a_widget.ui.messageLabel.text.startswith("PyTorch could not be downloaded or installed: check the network")


def test_nothing_else_is_installed_where_pytorch_was_not(a_widget, a_scan_node, monkeypatch):
    installed = []
    monkeypatch.setattr("SpineNetLib.libraries.find_spec", lambda name: name == "PyTorchUtils" or None)
    monkeypatch.setattr(slicer.util, "pip_install", installed.append, raising=False)
    cancelled = SimpleNamespace(installTorch=lambda **_choices: None)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=lambda: cancelled))
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.analyseButton.click()
    a_widget.ui.installButton.click()
    assert "still not installed: press the button again and agree to it" in a_widget.ui.messageLabel.text
    assert not a_widget.ui.installButton.isHidden()
    assert installed == []


def test_nothing_else_can_be_started_while_pytorch_is_installed(a_widget, a_scan_node, monkeypatch):
    enabled = []

    def install() -> None:
        widgets = (a_widget.ui.analyseButton, a_widget.ui.sampleButton, a_widget.ui.installButton)
        enabled.append([widget.isEnabled() for widget in widgets])
        raise InputError("cancelled.")

    monkeypatch.setattr("SpineNetLib.libraries.install", install)
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.installButton.click()
    assert enabled == [[False, False, False]]
    assert a_widget.ui.analyseButton.isEnabled() and a_widget.ui.installButton.isEnabled()


@pytest.mark.parametrize(("is_installed", "said"), [(True, "restart Slicer"), (False, "was not installed: press")])
def test_the_pytorch_extension_is_asked_for_where_it_is_missing_too(
    is_installed, said, a_widget, a_scan_node, monkeypatch
):
    asked = []

    def install_extension(name: str, restart: bool) -> bool:
        asked.append((name, restart))
        return True  # as Slicer does even where the download broke off

    model = SimpleNamespace(
        installExtensionFromServer=install_extension,
        isExtensionInstalled=lambda name: name == "PyTorch" and is_installed,
    )
    monkeypatch.setattr("SpineNetLib.libraries.find_spec", lambda name: None)
    monkeypatch.setattr(slicer.app, "extensionsManagerModel", lambda: model, raising=False)
    a_widget.ui.scanSelector.setCurrentNode(a_scan_node)
    a_widget.ui.analyseButton.click()
    a_widget.ui.installButton.click()
    assert asked == [("PyTorch", False)]
    assert said in a_widget.ui.messageLabel.text
    assert not a_widget.ui.installButton.isHidden()


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
