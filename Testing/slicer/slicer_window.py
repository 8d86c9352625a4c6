"""As much of Slicer's window as a scripted module needs: where it registers, what it inherits, how it is opened."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import parameter_nodes
import pythonqt
import slicer
from headless_slicer import scan_node
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QScrollArea, QVBoxLayout
from stand_ins import STAND_INS, qMRMLWidget

from SpineNetCore.scan_files import read_scan


class Application(QObject):
    """`slicer.app`."""

    IS_STAND_IN = True
    connect, disconnect = pythonqt.connect, pythonqt.disconnect
    startupCompleted = Signal()  # noqa: N815  Slicer's names


class ScriptedLoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    def __init__(self, parent: Any = None) -> None:
        self.parent = qMRMLWidget() if parent is None else parent
        if self.parent.layout() is None:
            self.parent.setLayout(QVBoxLayout())
        self.layout = self.parent.layout()
        self.parent.setMRMLScene(slicer.mrmlScene)

    def setup(self) -> None:
        """Slicer adds its developers' buttons here."""


class ScriptedLoadableModuleLogic:
    def getParameterNode(self) -> Any:  # noqa: N802
        scene, tag = slicer.mrmlScene, type(self).__name__
        node = scene.GetSingletonNode(tag, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag(tag)
            node = scene.AddNode(node)
        return node


class SampleData:
    """Remembers what is registered."""

    registered: list[dict[str, Any]] = []  # noqa: RUF012  as the one of Slicer does

    @classmethod
    def registerCustomSampleDataSource(cls, **source: Any) -> None:  # noqa: N802
        cls.registered.append(source)


def install() -> ModuleType:
    """Put all stand-ins in place, and return the module as Slicer would have loaded it."""
    pythonqt.install(STAND_INS)
    sys.modules["ctk"] = ModuleType("ctk")
    for kind in STAND_INS:
        setattr(slicer if kind.__name__.startswith("qMRML") else sys.modules["ctk"], kind.__name__, kind)
    slicer.app = Application()
    slicer.util.loadVolume = _load_volume
    for name, content in _MODULES.items():
        found = ModuleType(name)
        vars(found).update(content)
        sys.modules[name] = found
    sys.modules["slicer.parameterNodeWrapper"] = parameter_nodes.module()
    sys.modules.pop("SpineNet", None)
    return importlib.import_module("SpineNet")


def close(widget: Any) -> None:
    """As Slicer does before it takes a module's widgets apart."""
    widget.cleanup()
    widget.parent.setMRMLScene(None)


def wait_events() -> None:
    """Let the window do what is due."""
    QApplication.processEvents()


def picture(widget: Any, size: tuple[int, int], path: Path) -> None:
    """Draw a module's panel to a file, in a window that scrolls as Slicer's does."""
    window = QScrollArea()
    window.setWidgetResizable(True)
    window.setWidget(widget.parent)
    window.resize(*size)
    window.show()
    for _ in range(3):  # a layout in a layout takes its time to settle
        wait_events()
    window.grab().save(str(path))
    window.takeWidget()


def _load_volume(path: str) -> Any:
    node = scan_node(slicer.mrmlScene, read_scan(Path(path)))
    node.SetName(Path(path).name.removesuffix(".nii.gz"))
    return node


def _translate(_context: str, text: str) -> str:
    return text


_MODULES: dict[str, dict[str, Any]] = {
    "slicer.i18n": {"tr": lambda text: text, "translate": _translate},
    "slicer.ScriptedLoadableModule": {
        kind.__name__: kind
        for kind in (ScriptedLoadableModule, ScriptedLoadableModuleWidget, ScriptedLoadableModuleLogic)
    },
    "SampleData": {"SampleDataLogic": SampleData},
}


def module_parent() -> SimpleNamespace:
    """What Slicer hands a module to describe itself on."""
    return SimpleNamespace(title="", categories=[], dependencies=[], contributors=[])
