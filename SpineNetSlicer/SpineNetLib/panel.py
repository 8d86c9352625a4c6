"""The panel as a whole: what is chosen, what is analysed, and what is done with the result."""

from __future__ import annotations

from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetLib.analysis import nodes_of_class
from SpineNetLib.analysis_panel import AnalysisPanel
from SpineNetLib.grades_panel import GradesPanel
from SpineNetLib.messages import Messages
from SpineNetLib.scan_nodes import Node
from SpineNetLib.worker import Worker

DEVICES = ("auto", "cpu", "cuda")


class Panel:
    """The widgets of the `.ui` file at work on a scene.

    parameters: keeps the choices; the widgets that name a parameter are bound to it by `connectGui`.
    """

    def __init__(self, ui: Any, scene: Any, worker: Worker) -> None:
        self._ui, self._scene = ui, scene
        self._parameters: Any = None
        self._binding: Any = None
        messages = Messages(ui)
        self.grades = GradesPanel(ui, scene, messages)
        self.analysis = AnalysisPanel(ui, scene, worker, messages, self.grades.show)
        self._name_choices()
        ui.deviceSelector.connect("currentIndexChanged(int)", self._keep_device)
        ui.modelsPath.connect("currentPathChanged(QString)", self._keep_models)

    def bind(self, parameters: Any) -> None:
        """Show these parameters and keep every change in them; None lets go of those shown before."""
        if self._parameters is not None:
            self._parameters.disconnectGui(self._binding)
        self._parameters = parameters
        if parameters is not None:
            self._ui.deviceSelector.setCurrentIndex(DEVICES.index(parameters.device))
            self._ui.modelsPath.setCurrentPath(parameters.models)
            if parameters.scan is None:
                parameters.scan = self._first_scan()
            self._binding = parameters.connectGui(self._ui)

    def refresh(self) -> None:
        """Show the scene as it is now."""
        self.analysis.check_scan()
        self.grades.refresh()

    def close(self) -> None:
        """End everything that runs and let go of the scene."""
        self.analysis.stop()
        self.bind(None)

    def _name_choices(self) -> None:
        names = (_("Automatic"), _("CPU"), _("GPU (CUDA)"))
        for name, device in zip(names, DEVICES, strict=True):
            self._ui.deviceSelector.addItem(name, device)
        self._ui.modelsPath.filters = ctk.ctkPathLineEdit.Dirs
        self._ui.noticeLabel.setText(_(RESEARCH_USE_NOTICE))
        self._ui.messageFrame.setFrameShape(qt.QFrame.StyledPanel)

    def _first_scan(self) -> Node | None:
        volumes = nodes_of_class(self._scene, "vtkMRMLScalarVolumeNode")
        return next((node for node in volumes if not node.IsA("vtkMRMLLabelMapVolumeNode")), None)

    def _keep_device(self, place: int) -> None:
        if self._parameters is not None:
            self._parameters.device = DEVICES[place]

    def _keep_models(self, path: str) -> None:
        if self._parameters is not None:
            self._parameters.models = path
