"""As much of Slicer's window as a scripted module needs: where it registers, what it inherits, how it is opened."""

from __future__ import annotations

import importlib
import sys
import unittest
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import parameter_nodes
import pythonqt
import slicer
from headless_slicer import scan_node
from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtWidgets import QApplication, QVBoxLayout
from stand_ins import STAND_INS, qMRMLWidget

from SpineNetCore.scan_files import read_scan


class ModuleManager(QObject):
    IS_STAND_IN = True
    connect, disconnect = pythonqt.connect, pythonqt.disconnect
    moduleAboutToBeUnloaded = Signal(str)  # noqa: N815  Slicer's names


class Application(QObject):
    """`slicer.app`."""

    IS_STAND_IN = True
    connect, disconnect = pythonqt.connect, pythonqt.disconnect
    startupCompleted = Signal()  # noqa: N815

    def __init__(self) -> None:
        super().__init__()
        self._modules = ModuleManager()

    def moduleManager(self) -> ModuleManager:  # noqa: N802
        return self._modules

    def processEvents(self) -> None:  # noqa: N802
        wait_events()


class ScriptedLoadableModule:
    """Offers `<module>Test` to Slicer's self-tests."""

    def __init__(self, parent: Any) -> None:
        super().__init__()
        self.parent, self.moduleName = parent, type(self).__name__
        slicer.selfTests = {self.moduleName: self.runTest}

    def runTest(self, msec: int = 100) -> None:  # noqa: N802
        test = getattr(sys.modules[type(self).__module__], f"{self.moduleName}Test")()
        test.messageDelay = msec
        test.runTest()


class ScriptedLoadableModuleWidget:
    """Without a parent it makes its own and sets itself up, before the subclass has got anywhere."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = panel_parent() if parent is None else parent
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def setup(self) -> None:
        """Slicer adds its developers' buttons here."""

    def cleanup(self) -> None:
        """For a module that leaves anything behind."""

    def onReload(self) -> None:  # noqa: N802
        slicer.util.reloadScriptedModule(self.moduleName)

    def _onModuleAboutToBeUnloaded(self, name: str) -> None:  # noqa: N802
        if name == self.moduleName:
            self.cleanup()


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A test case that tells what it does."""

    said: list[str] = []  # noqa: RUF012

    def delayDisplay(self, message: str) -> None:  # noqa: N802
        self.said.append(message)

    def runTest(self) -> None:  # noqa: N802
        """For the subclass."""


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


class PanelParent(qMRMLWidget):
    """The frame that Slicer puts a module's widgets into; it makes them anew when the module is loaded again."""

    def reload(self) -> None:
        module = sys.modules["SpineNet"]
        slicer.modules.SpineNetWidget = module.SpineNetWidget(self)
        slicer.modules.SpineNetWidget.setup()


def panel_parent() -> PanelParent:
    parent = PanelParent()
    parent.setLayout(QVBoxLayout())
    parent.setMRMLScene(slicer.mrmlScene)
    return parent


def opened(module: ModuleType) -> Any:
    """The module's widget, made and shown as Slicer does."""
    widget = module.SpineNetWidget(panel_parent())
    widget.setup()
    widget.enter()
    known = SimpleNamespace(path=module.__file__, widgetRepresentation=lambda: widget.parent)
    slicer.modules = SimpleNamespace(spinenet=known, SpineNetWidget=widget)
    return widget


def close(widget: Any) -> None:
    """As Slicer does before it takes a module's widgets apart."""
    widget.cleanup()
    widget.parent.setMRMLScene(None)


def wait_events() -> None:
    """Let the window do what is due."""
    QApplication.processEvents()


def picture(widget: Any, width: int, path: Path) -> None:
    """Draw a module's whole panel to a file, in light colours, as wide as Slicer's dock was dragged."""
    QApplication.setStyle("Fusion")
    QApplication.setPalette(QApplication.style().standardPalette())
    panel = widget.parent
    panel.show()
    for _ in range(3):  # a layout in a layout takes its time to settle
        panel.resize(width, panel.layout().totalHeightForWidth(width))
        wait_events()
    content = panel.layout().itemAt(0).widget()
    bottom = content.childrenRect.bottom() + 2 * content.y
    panel.grab(QRect(0, 0, width, bottom)).save(str(path))


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
        for kind in (
            ScriptedLoadableModule,
            ScriptedLoadableModuleWidget,
            ScriptedLoadableModuleLogic,
            ScriptedLoadableModuleTest,
        )
    },
    "SampleData": {"SampleDataLogic": SampleData},
}


def module_parent() -> SimpleNamespace:
    """What Slicer hands a module to describe itself on."""
    return SimpleNamespace(title="", categories=[], dependencies=[], contributors=[], path="SpineNet.py")
