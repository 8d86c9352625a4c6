"""The part of the panel that chooses a scan, analyses it and shows how far that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import checked_scan
from SpineNetLib import libraries
from SpineNetLib.analysis import Analysis
from SpineNetLib.messages import Messages
from SpineNetLib.rescoring import Rescoring
from SpineNetLib.resources import SAMPLE, SAMPLE_NAME
from SpineNetLib.results import Result, read_result
from SpineNetLib.scan_nodes import Node, check_scan, volume_of, write_scan
from SpineNetLib.scene import add_result
from SpineNetLib.worker import Options, Progress, Worker

POLL_MS = 100
_ENDS = {"read": 5, "localise": 20, "cut": 22, "score": 50, "hotspots": 95, "write": 100}
"""ours: percent of the whole time at which each stage ends, with all views on a CPU."""


class AnalysisPanel:
    """One analysis at a time; `on_result` is given what came into the scene.

    on_run: called whenever an analysis, or a re-scoring, starts or is over.
    """

    def __init__(
        self, ui: Any, scene: Any, worker: Worker, messages: Messages, on_result: Callable[[Analysis], None]
    ) -> None:
        self._ui, self._scene, self._worker, self._messages, self._on_result = ui, scene, worker, messages, on_result
        self._scan_id = ""
        self._finish: Callable[[Result], None] = self._add
        self.on_run: Callable[[], None] = lambda: None
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._poll)
        ui.scanSelector.connect("currentNodeChanged(vtkMRMLNode*)", lambda *_node: self.check_scan())
        ui.analyseButton.connect("clicked(bool)", lambda *_checked: self.analyse())
        ui.sampleButton.connect("clicked(bool)", lambda *_checked: self.analyse_sample())
        ui.cancelButton.connect("clicked(bool)", lambda *_checked: self.cancel())
        ui.resultButton.connect("clicked(bool)", lambda *_checked: self._ask_result())
        ui.installButton.connect("clicked(bool)", lambda *_checked: self._install())
        self.check_scan()

    @property
    def is_running(self) -> bool:
        return self._worker.is_running

    def check_scan(self) -> None:
        """Tell at once whether the chosen scan can be analysed."""
        scan, problem = self._ui.scanSelector.currentNode(), ""
        try:
            check_scan(scan)
        except InputError as error:
            problem = str(error)
        self._ui.scanMessage.setText(problem)
        self._ui.scanMessage.setVisible(bool(problem))
        self._enable(is_usable=not problem)

    def analyse(self) -> None:
        """Start on the chosen scan; the scene stays as it is until the whole result is there."""
        self._try_to_start(self._ui.scanSelector.currentNode(), self._options(), self._add)

    def rescore(self, scan: Node, rescoring: Rescoring, on_result: Callable[[Result], None]) -> None:
        """Start to grade one disc of an analysed scan where a reader put it; `on_result` is given what comes of it."""
        options = replace(
            self._options(),
            views=rescoring.views,
            hotspot_views=rescoring.hotspot_views,
            report=rescoring.report,
            levels=(rescoring.level,),
        )
        self._try_to_start(scan, options, on_result)

    def analyse_sample(self) -> None:
        """Load the scan that comes with SpineNet, and analyse it."""
        if self._messages.try_to(self._load_sample):
            self.analyse()

    def load_result(self, folder: Path) -> None:
        """Show what the command line wrote about the chosen scan; raises InputError where it lies on another grid.

        Another scan may have the same grid: that is told, as its voxels may also have been changed on purpose.
        """
        scan, result = self._ui.scanSelector.currentNode(), read_result(folder)
        self._add_to(scan, result)
        if result.findings.scan_digest not in ("", checked_scan(volume_of(scan)).digest):
            warning = _("The voxels of '{scan}' are not those that were analysed: check that this is its result.")
            self._messages.say(warning.format(scan=scan.GetName()))

    def cancel(self) -> None:
        """End the analysis at once, without a trace in the scene."""
        self.stop()
        self._messages.say(_("The analysis was cancelled; the scene is as it was."))

    def stop(self) -> None:
        """End the analysis, if one is running, and say nothing."""
        self._timer.stop()
        self._worker.stop()
        self._show_running(False)

    def _try_to_start(self, scan: Node, options: Options, finish: Callable[[Result], None]) -> None:
        if not self._messages.try_to(self._start, scan, options, finish):
            self._offer_install()

    def _start(self, scan: Node, options: Options, finish: Callable[[Result], None]) -> None:
        if libraries.are_missing():
            raise InputError(
                _("PyTorch 2.2 or newer is not installed: install it with the button below and analyse again.")
            )
        check_scan(scan)
        self._worker.start(partial(write_scan, scan), options)
        self._scan_id, self._finish = scan.GetID(), finish
        self._show_running(True)
        self._timer.start()

    def _options(self) -> Options:
        models = self._ui.modelsPath.currentPath
        return Options(
            device=self._ui.deviceSelector.itemData(self._ui.deviceSelector.currentIndex),
            views=self._ui.viewsSpinBox.value,
            hotspot_views=self._ui.hotspotViewsSpinBox.value,
            models=Path(models) if models else None,
        )

    def _load_sample(self) -> None:
        known = self._scene.GetFirstNodeByName(SAMPLE_NAME)
        scan = known if known is not None and known.IsA("vtkMRMLScalarVolumeNode") else None
        self._ui.scanSelector.setCurrentNode(scan or slicer.util.loadVolume(str(SAMPLE)))

    def _poll(self) -> None:
        self._timer.stop()  # a result may take longer to show than the timer waits
        if not self._messages.try_unasked(self._look):
            self.stop()

    def _look(self) -> None:
        result = self._worker.poll(self._show_progress)
        if result is None:
            self._timer.start()
            return
        self._messages.clear()
        self._show_running(False)
        self._finish(result)

    def _add(self, result: Result) -> None:
        self._add_to(self._scan(), result)

    def _add_to(self, scan: Node, result: Result) -> None:
        self._on_result(add_result(self._scene, scan, result))

    def _ask_result(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(None, _("Load the result of an analysis"))
        if folder:
            self._messages.try_to(self.load_result, Path(folder))

    def _scan(self) -> Node:
        scan = self._scene.GetNodeByID(self._scan_id)
        if scan is None:
            raise InputError(_("The scan was removed during its analysis: load it and analyse it again."))
        return scan

    def _show_progress(self, progress: Progress) -> None:
        ends = [0, *_ENDS.values()]
        place = list(_ENDS).index(progress.stage) if progress.stage in _ENDS else 0
        share = progress.done / max(1, progress.total)
        self._ui.progressBar.setValue(round(ends[place] + share * (ends[place + 1] - ends[place])))
        self._ui.stageLabel.setText(_stage_names().get(progress.stage, progress.stage))

    def _show_running(self, is_running: bool) -> None:
        self._ui.progressBar.setValue(0)
        self._ui.stageLabel.setText(_("Starting...") if is_running else "")
        for widget in (self._ui.progressBar, self._ui.stageLabel):
            widget.setVisible(is_running)
        self._enable(is_usable=not self._ui.scanMessage.text)
        self.on_run()

    def _enable(self, is_usable: bool) -> None:
        for button in (self._ui.analyseButton, self._ui.resultButton):
            button.setEnabled(is_usable and not self.is_running)
        self._ui.cancelButton.setEnabled(self.is_running)
        for widget in (self._ui.sampleButton, self._ui.scanSelector, self._ui.settingsSection):
            widget.setEnabled(not self.is_running)

    def _install(self) -> None:
        if not self._messages.try_to(self._install_libraries):
            self._offer_install()

    def _install_libraries(self) -> None:
        self._messages.say(_("Installing PyTorch takes some minutes..."))
        waiting = (self._ui.analyseSection, self._ui.installButton)
        for widget in waiting:
            widget.setEnabled(False)  # events go on while pip runs
        try:
            slicer.app.processEvents()
            libraries.install()
        finally:
            for widget in waiting:
                widget.setEnabled(True)
        self._messages.clear()

    def _offer_install(self) -> None:
        self._ui.installButton.setVisible(libraries.are_missing())


def _stage_names() -> dict[str, str]:
    return {
        "read": _("Reading the scan"),
        "localise": _("Finding the vertebrae"),
        "cut": _("Cutting out the discs"),
        "score": _("Grading the discs"),
        "hotspots": _("Mapping the evidence"),
        "write": _("Writing the result"),
    }
