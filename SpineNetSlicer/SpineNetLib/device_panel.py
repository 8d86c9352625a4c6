"""The part of the panel that chooses where the networks run, and says what there is."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from SpineNetLib.devices import DeviceSearch
from SpineNetLib.messages import Messages

DEVICES = ("auto", "cpu", "cuda")
POLL_MS = 200


class DevicePanel:
    """Looks for a GPU whenever the settings are opened."""

    def __init__(self, ui: Any, messages: Messages, search: DeviceSearch) -> None:
        self._ui, self._messages, self._search = ui, messages, search
        for name, device in zip((_("Automatic"), _("CPU"), _("GPU (CUDA)")), DEVICES, strict=True):
            ui.deviceSelector.addItem(name, device)
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._look)
        ui.settingsSection.connect("contentsCollapsed(bool)", self._opened)

    def stop(self) -> None:
        """End the search, if one is running."""
        self._timer.stop()
        self._search.stop()

    def _opened(self, is_collapsed: bool) -> None:
        self.stop()
        if not is_collapsed and self._messages.try_to(self._search.start):
            self._ui.deviceLabel.setText(_("Looking for a GPU..."))
            self._timer.start()

    def _look(self) -> None:
        found = self._search.poll()
        if found is not None:
            self._timer.stop()
            self._ui.deviceLabel.setText(found)
