"""The part of the panel that belongs to this computer and its reader, and so not to a scene that travels."""

from __future__ import annotations

from typing import Any

import qt

from SpineNetLib.device_panel import DEVICES


class OwnSettingsPanel:
    """Device, models and initials as they were left here, whatever scene is open: kept in Slicer's own settings."""

    def __init__(self, ui: Any) -> None:
        ui.deviceSelector.setCurrentIndex(max(ui.deviceSelector.findData(_kept("device")), 0))
        ui.modelsPath.setCurrentPath(_kept("models"))
        ui.initialsEdit.setText(_kept("initials"))
        ui.deviceSelector.connect("currentIndexChanged(int)", lambda place: _keep("device", DEVICES[place]))
        for change in ("currentPathChanged(QString)", "validInputChanged(bool)"):  # the latter when it is emptied
            ui.modelsPath.connect(change, lambda _change: _keep("models", ui.modelsPath.currentPath))
        ui.initialsEdit.connect("textChanged(QString)", lambda text: _keep("initials", text))


def _kept(name: str) -> str:
    return str(qt.QSettings().value(f"SpineNet/{name}", ""))


def _keep(name: str, value: str) -> None:
    qt.QSettings().setValue(f"SpineNet/{name}", value)
