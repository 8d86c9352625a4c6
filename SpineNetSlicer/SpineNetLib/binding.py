"""Widgets bound to the parameters of a scene, and let go without a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Binding:
    """Shows parameters in widgets, and keeps in them every change made there, until `let_go`.

    parameters: wrapped by `parameterNodeWrapper`. widgets: by parameter.
    """

    def __init__(self, parameters: Any, widgets: Mapping[str, Any]) -> None:
        self.parameters = parameters
        self._observers: list[int] = []
        # Slicer 5.10 keeps the wrapper observing its node after `disconnectGui`, for ever: note what it adds
        parameters.AddObserver = self._observe
        try:
            # not `connectGui`, which gives nothing back to disconnect by
            self._number = parameters.connectParametersToGui(dict(widgets))
        finally:
            del parameters.AddObserver

    def let_go(self) -> None:
        """Neither widgets nor parameters follow the other any more."""
        self.parameters.disconnectGui(self._number)
        for observer in self._observers:
            self.parameters.RemoveObserver(observer)

    def _observe(self, *event_and_callback: Any) -> int:
        observer = int(self.parameters.parameterNode.AddObserver(*event_and_callback))
        self._observers.append(observer)
        return observer
