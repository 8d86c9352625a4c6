"""Qt as Slicer's PythonQt shows it: properties are attributes, and signals are connected by their C++ signature."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from functools import cache
from types import ModuleType
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

_VIRTUAL = {"sizeHint", "minimumSizeHint"}
"""Properties whose getters Qt itself calls in a subclass: they stay methods."""


class Attribute:
    """A Qt property as an attribute."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, owner: Any, kind: type) -> Any:
        return self if owner is None else owner.property(self.name)

    def __set__(self, owner: Any, value: Any) -> None:
        if not owner.setProperty(self.name, value):
            raise TypeError(f"{type(owner).__name__}.{self.name} cannot be {value!r}")


@cache
def mannered(kind: type) -> type:
    """The subclass with PythonQt's manners; only a class that has `connect` of its own is asked for it by PySide."""
    about = kind.staticMetaObject
    names = {about.property(place).name() for place in range(about.propertyCount())} - _VIRTUAL
    members = {name: Attribute(name) for name in names} | {"name": Attribute("objectName")}
    return type(kind.__name__, (kind,), members | {"connect": connect, "disconnect": disconnect})


def connect(sender: Any, signature: str, slot: Any) -> bool:
    """`sender.connect("clicked(bool)", slot)`; raises ValueError where Qt has no such signal."""
    _signal(sender, signature).connect(slot)
    return True


def disconnect(sender: Any, signature: str, slot: Any) -> bool:
    return bool(_signal(sender, signature).disconnect(slot))


def install(stand_ins: list[type]) -> ModuleType:
    """Put a module `qt` in place whose `.ui` files know the stand-ins too; returns it."""
    _application()
    _give_references()
    module = _Qt("qt")
    module.QUiLoader = _loader(stand_ins)
    module.QFileDialog = _FileDialog
    sys.modules["qt"] = module
    return module


def _give_references() -> None:
    """PySide6 takes one too many from what it returns of these: from Python 3.12 on they are immortal."""
    for constant in (None, True, False):
        for _ in range(300_000 if sys.version_info < (3, 12) else 0):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(constant))


class _Qt(ModuleType):
    def __getattr__(self, name: str) -> Any:
        for source in (QtCore, QtGui, QtWidgets):
            found = getattr(source, name, None)
            if found is not None:
                is_object = isinstance(found, type) and issubclass(found, QtCore.QObject)
                return mannered(found) if is_object else found
        raise AttributeError(f"Qt has no {name}")


class _FileDialog:
    """PythonQt returns the path alone, nothing when the user cancels; a test puts an answer in place."""

    @staticmethod
    def getOpenFileName(*_arguments: Any) -> str:  # noqa: N802  Qt's name
        return ""

    @staticmethod
    def getExistingDirectory(*_arguments: Any) -> str:  # noqa: N802
        return ""

    @staticmethod
    def getSaveFileName(*_arguments: Any) -> str:  # noqa: N802
        return ""


def _application() -> Any:
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["tests"])


def _signal(sender: Any, signature: str) -> Any:
    name = re.match(r"\w+", signature)
    signal = getattr(sender, name.group(0), None) if name else None
    is_ours = any(name and name.group(0) in vars(kind) for kind in type(sender).mro() if hasattr(kind, "IS_STAND_IN"))
    if not is_ours and sender.metaObject().indexOfSignal(signature) < 0:
        raise ValueError(f"{type(sender).__name__} has no signal {signature}")
    return signal


def _loader(stand_ins: list[type]) -> type:
    known = {kind.__name__: kind for kind in stand_ins}

    class Loader(QtUiTools.QUiLoader):
        def createWidget(self, name: str, parent: Any = None, object_name: str = "") -> Any:  # noqa: N802
            kind = known.get(name) or mannered(getattr(QtWidgets, name))
            widget = kind(parent)
            widget.setObjectName(object_name)
            return widget

    return Loader
