"""`slicer.parameterNodeWrapper` with the manners that the module relies on: typed, checked, kept in a node, bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import vtk


@dataclass(frozen=True)
class Choice:
    choices: list[Any]

    def check(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"{value!r} is none of {self.choices}")


@dataclass(frozen=True)
class WithinRange:
    lowest: float
    highest: float

    def check(self, value: Any) -> None:
        if not self.lowest <= value <= self.highest:
            raise ValueError(f"{value!r} is not from {self.lowest} to {self.highest}")


def parameterNodeWrapper(kind: type) -> type:  # noqa: N802  Slicer's name
    """Turn the annotations of a class into properties kept in the node it is made with."""
    members: dict[str, Any] = {
        "__init__": _keep_node,
        "connectParametersToGui": _connect,
        "disconnectGui": _disconnect,
        "AddObserver": lambda self, *event_and_callback: self.parameterNode.AddObserver(*event_and_callback),
        "RemoveObserver": lambda self, observer: self.parameterNode.RemoveObserver(observer),
    }
    for name, hint in get_type_hints(kind, include_extras=True).items():
        is_annotated = get_origin(hint) is Annotated
        value_type = get_args(hint)[0] if is_annotated else hint
        checks = [item for item in get_args(hint)[1:] if isinstance(item, Choice | WithinRange)] if is_annotated else []
        members[name] = _parameter(name, value_type, checks, getattr(kind, name, None))
    return type(kind.__name__, (), members)


def module() -> ModuleType:
    found = ModuleType("slicer.parameterNodeWrapper")
    found.parameterNodeWrapper, found.Choice, found.WithinRange = parameterNodeWrapper, Choice, WithinRange
    return found


def _keep_node(self: Any, node: Any) -> None:
    self.parameterNode, self.bindings = node, []


def _parameter(name: str, kind: type, checks: list[Any], default: Any) -> property:
    if hasattr(kind, "GetClassName"):
        return property(
            lambda self: self.parameterNode.GetNodeReference(name),
            lambda self, node: self.parameterNode.SetNodeReferenceID(name, node.GetID() if node else None),
        )

    def read(self: Any) -> Any:
        text = self.parameterNode.GetParameter(name)
        if not self.parameterNode.HasParameter(name):
            return default
        return text == "True" if kind is bool else kind(text)

    def write(self: Any, value: Any) -> None:
        if not isinstance(value, kind):
            raise ValueError(f"{name} cannot be {value!r}")
        for check in checks:
            check.check(value)
        self.parameterNode.SetParameter(name, str(value))

    return property(read, write)


_WIDGETS: dict[str, tuple[str, Callable[[Any], Any], Callable[[Any, Any], None]]] = {
    "qMRMLNodeComboBox": ("currentNodeChanged", lambda w: w.currentNode(), lambda w, v: w.setCurrentNode(v)),
    "QSpinBox": ("valueChanged", lambda w: w.property("value"), lambda w, v: w.setValue(v)),
    "QLineEdit": ("textChanged", lambda w: w.property("text"), lambda w, v: w.setText(v)),
    "QCheckBox": ("toggled", lambda w: w.property("checked"), lambda w, v: w.setChecked(v)),
    "ctkSliderWidget": ("valueChanged", lambda w: w.property("value"), lambda w, v: w.setValue(v)),
}
"""By class: the signal of a change, how to read the value, and how to show one."""


def _connect(self: Any, widgets: dict[str, Any]) -> int:
    """Gives a number to disconnect by; Slicer's `connectGui` does the same and gives nothing, so it is not here.

    As Slicer's does, it leaves an observer of the node behind that knows the wrapper, even once disconnected.
    """
    bound = []
    for name, widget in widgets.items():
        signal, read, show = _WIDGETS[type(widget).__name__]
        show(widget, getattr(self, name))

        def keep(*_: Any, widget: Any = widget, name: str = name, read: Any = read) -> None:
            setattr(self, name, read(widget))

        getattr(widget, signal).connect(keep)
        bound.append((getattr(widget, signal), keep))
    self.bindings.append(bound)
    self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self.bindings)
    return len(self.bindings) - 1


def _disconnect(self: Any, number: int) -> None:
    for signal, keep in self.bindings[number]:
        signal.disconnect(keep)
