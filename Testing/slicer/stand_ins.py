"""Slicer's own widgets, as far as the panel needs them: the same names, properties and signals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLineEdit, QPushButton, QSlider, QWidget
from pythonqt import connect, disconnect, mannered

_HEADER_PIXELS = 28


class ctkCollapsibleButton(mannered(QWidget)):  # noqa: N801  Slicer's names
    IS_STAND_IN = True
    connect, disconnect = connect, disconnect
    contentsCollapsed = Signal(bool)  # noqa: N815

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._is_collapsed = "", False
        self.setContentsMargins(0, _HEADER_PIXELS, 0, 0)

    def _collapse(self, is_collapsed: bool) -> None:
        self._is_collapsed = is_collapsed
        self.setMaximumHeight(_HEADER_PIXELS if is_collapsed else 16_777_215)
        self.contentsCollapsed.emit(is_collapsed)

    def _name(self, text: str) -> None:
        self._text = text

    text = Property(str, lambda self: self._text, _name)
    collapsed = Property(bool, lambda self: self._is_collapsed, _collapse)

    def paintEvent(self, _event: Any) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.fillRect(0, 0, self.width, _HEADER_PIXELS - 4, self.palette.midlight())
        base = (_HEADER_PIXELS - 4 + QFontMetrics(self.font).ascent()) // 2
        painter.drawText(
            8,
            base,
            (
                "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}  "
                if self._is_collapsed
                else "\N{BLACK DOWN-POINTING SMALL TRIANGLE}  "
            )
            + self._text,
        )
        painter.end()


class ctkSliderWidget(mannered(QWidget)):  # noqa: N801
    IS_STAND_IN = True
    connect, disconnect = connect, disconnect
    valueChanged = Signal(float)  # noqa: N815

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._slider, self._box = QSlider(Qt.Horizontal), QDoubleSpinBox()
        self._slider.setRange(0, 1000)
        row.addWidget(self._slider, 1)
        row.addWidget(self._box)
        self._box.valueChanged.connect(self._moved)
        self._slider.sliderMoved.connect(lambda place: self._box.setValue(place / 1000 * self._box.maximum()))

    def setValue(self, value: float) -> None:  # noqa: N802
        self._box.setValue(value)

    def _moved(self, value: float) -> None:
        self._slider.setValue(round(1000 * value / self._box.maximum()))
        self.valueChanged.emit(value)

    value = Property(float, lambda self: self._box.value(), setValue)
    maximum = Property(float, lambda self: self._box.maximum(), lambda self, value: self._box.setMaximum(value))
    singleStep = Property(  # noqa: N815
        float, lambda self: self._box.singleStep(), lambda self, value: self._box.setSingleStep(value)
    )
    decimals = Property(int, lambda self: self._box.decimals(), lambda self, value: self._box.setDecimals(value))


class ctkPathLineEdit(mannered(QWidget)):  # noqa: N801
    """Tells of paths that exist, and otherwise only that what stands there has become none."""

    IS_STAND_IN = True
    connect, disconnect = connect, disconnect
    currentPathChanged = Signal(str)  # noqa: N815
    validInputChanged = Signal(bool)  # noqa: N815
    Dirs = 1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._edit, self._filters, self._is_valid = QLineEdit(), 0, False
        row.addWidget(self._edit)
        row.addWidget(QPushButton("..."))
        self._edit.textChanged.connect(self._look)

    def _look(self, path: str) -> None:
        was_valid, self._is_valid = self._is_valid, Path(path).is_dir() and path != ""
        if self._is_valid:
            self.currentPathChanged.emit(path)
        if self._is_valid != was_valid:
            self.validInputChanged.emit(self._is_valid)

    def setCurrentPath(self, path: str) -> None:  # noqa: N802
        self._edit.setText(path)

    filters = Property(int, lambda self: self._filters, lambda self, filters: setattr(self, "_filters", filters))
    currentPath = Property(str, lambda self: self._edit.text(), setCurrentPath)  # noqa: N815


class qMRMLWidget(mannered(QWidget)):  # noqa: N801
    IS_STAND_IN = True
    connect, disconnect = connect, disconnect

    def setMRMLScene(self, scene: Any) -> None:  # noqa: N802
        """As the connections of the `.ui` file do: every selector in it follows."""
        for selector in self.findChildren(qMRMLNodeComboBox):
            selector.setMRMLScene(scene)


class qMRMLNodeComboBox(mannered(QComboBox)):  # noqa: N801
    """Follows the nodes of the real scene."""

    IS_STAND_IN = True
    connect, disconnect = connect, disconnect
    currentNodeChanged = Signal(object)  # noqa: N815

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._tags: list[int] = []
        self._types: list[str] = []
        self._flags = dict.fromkeys(("noneEnabled", "addEnabled", "removeEnabled", "showChildNodeTypes"), True)
        self.currentIndexChanged.connect(lambda _place: self.currentNodeChanged.emit(self.currentNode()))

    def setMRMLScene(self, scene: Any) -> None:  # noqa: N802
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndImportEvent)
            self._tags = [scene.AddObserver(event, lambda *_: self._fill()) for event in events]
        self._fill()

    def currentNode(self) -> Any:  # noqa: N802
        return self._scene.GetNodeByID(self.currentData) if self._scene and self.currentData else None

    def setCurrentNode(self, node: Any) -> None:  # noqa: N802
        self.setCurrentIndex(self.findData(node.GetID() if node else None))

    def _fill(self) -> None:
        before = self.currentData
        self.blockSignals(True)
        self.clear()
        if self._flags["noneEnabled"]:
            self.addItem("None", None)
        for kind in self._types if self._scene else []:
            for place in range(self._scene.GetNumberOfNodesByClass(kind)):
                node = self._scene.GetNthNodeByClass(place, kind)
                if self._flags["showChildNodeTypes"] or node.GetClassName() == kind:
                    self.addItem(node.GetName(), node.GetID())
        self.setCurrentIndex(max(0, self.findData(before)))
        self.blockSignals(False)
        if self.currentData != before:
            self.currentNodeChanged.emit(self.currentNode())

    def _take_types(self, types: list[str]) -> None:
        self._types = list(types)

    nodeTypes = Property("QStringList", lambda self: self._types, _take_types)  # noqa: N815
    noneEnabled = Property(bool, lambda s: s._flags["noneEnabled"], lambda s, v: s._flags.update(noneEnabled=v))  # noqa: N815
    addEnabled = Property(bool, lambda s: s._flags["addEnabled"], lambda s, v: s._flags.update(addEnabled=v))  # noqa: N815
    removeEnabled = Property(bool, lambda s: s._flags["removeEnabled"], lambda s, v: s._flags.update(removeEnabled=v))  # noqa: N815
    showChildNodeTypes = Property(  # noqa: N815
        bool, lambda s: s._flags["showChildNodeTypes"], lambda s, v: s._flags.update(showChildNodeTypes=v)
    )


STAND_INS = [ctkCollapsibleButton, ctkSliderWidget, ctkPathLineEdit, qMRMLWidget, qMRMLNodeComboBox]
