"""The panel as a whole: what is chosen, what is analysed, and what is done with the result."""

from __future__ import annotations

from typing import Any

import ctk
from slicer.i18n import tr as _

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetLib.analysis import Analysis, nodes_of_class
from SpineNetLib.analysis_panel import AnalysisPanel
from SpineNetLib.binding import Binding
from SpineNetLib.device_panel import DevicePanel
from SpineNetLib.devices import DeviceSearch
from SpineNetLib.grades_panel import GradesPanel
from SpineNetLib.markers import hide_markers_of
from SpineNetLib.messages import Messages
from SpineNetLib.move_panel import MovePanel
from SpineNetLib.own_settings_panel import OwnSettingsPanel
from SpineNetLib.scan_nodes import Node, is_evidence
from SpineNetLib.worker import Worker


class Panel:
    """The widgets of the `.ui` file at work on a scene.

    parameters: keeps the choices; every widget that names a parameter of them is bound to it.
    """

    def __init__(self, ui: Any, scene: Any, worker: Worker) -> None:
        self._ui, self._scene = ui, scene
        self._binding: Binding | None = None
        self._unseen: Analysis | None = None
        messages = Messages(ui)
        self.devices = DevicePanel(ui, messages, DeviceSearch())
        OwnSettingsPanel(ui)
        self.grades = GradesPanel(ui, scene, messages)
        self.analysis = AnalysisPanel(ui, scene, worker, messages, self._take)
        self.move = MovePanel(ui, messages, self.analysis, self.grades)
        self.grades.on_pick = self.analysis.on_run = self.move.refresh
        ui.modelsPath.filters = ctk.ctkPathLineEdit.Dirs
        ui.noticeLabel.setText(
            f"{_(RESEARCH_USE_NOTICE)}\n{_('Each cell: a grade and its probability; darker is worse.')}"
        )

    def bind(self, parameters: Any) -> None:
        """Show these parameters and keep every change in them; None lets go of those shown before."""
        if self._binding is not None:
            self._binding.let_go()
        self._binding = None
        self.grades.is_on_screen = parameters is not None
        if parameters is not None:
            if parameters.scan is None:
                parameters.scan = self._first_scan()
            self._binding = Binding(parameters, self._named_widgets())

    def refresh(self) -> None:
        """Show the scene as it is now."""
        self.analysis.check_scan()
        self.grades.refresh()
        unseen, self._unseen = self._unseen, None
        if unseen is not None and self._binding is not None and unseen.record.GetScene() is not None:
            self.grades.show(unseen)

    def close(self) -> None:
        """End everything that runs and let go of the scene."""
        self.analysis.stop()
        self.devices.stop()
        self.grades.forget_pick()
        self.bind(None)

    def _take(self, analysis: Analysis) -> None:
        """Show what came, or, as long as another module is open, wait and leave its views alone."""
        if self._binding is None:
            self._unseen = analysis
            hide_markers_of(analysis)
        else:
            self.grades.show(analysis)

    def _named_widgets(self) -> dict[str, Any]:
        """The widgets of the `.ui` file that name a parameter, by its name."""
        named = {widget.property("SlicerParameterName"): widget for widget in vars(self._ui).values()}
        return {name: widget for name, widget in named.items() if name}

    def _first_scan(self) -> Node | None:
        volumes = nodes_of_class(self._scene, "vtkMRMLScalarVolumeNode")
        return next((node for node in volumes if _may_be_scan(node)), None)


def _may_be_scan(node: Node) -> bool:
    return not node.IsA("vtkMRMLLabelMapVolumeNode") and not is_evidence(node)
