"""Hands and eyes for the panel: what a user clicks, waits for and reads."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import slicer_window

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetLib.child_process import ChildProcess
from SpineNetLib.worker import Worker

LONG_ENOUGH_S = 300
L4_L5 = DISC_LEVELS.index("L4-L5")
PFIRRMANN, NARROWING = 0, 1


def node_ids(scene) -> set[str]:
    return {scene.GetNthNode(place).GetID() for place in range(scene.GetNumberOfNodes())}


def cell(widget, row: int, column: int):
    return widget.ui.scoreTable.item(row, column)


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + LONG_ENOUGH_S
    while not is_so():
        assert time.monotonic() < until, "it did not happen in time"
        slicer_window.wait_events()
        time.sleep(0.02)


def start_on_sample(widget) -> None:
    widget.ui.viewsSpinBox.setValue(1)
    widget.ui.hotspotViewsSpinBox.setValue(1)
    widget.ui.deviceSelector.setCurrentIndex(1)
    widget.ui.sampleButton.click()
    assert widget.ui.messageLabel.text == ""
    assert widget.ui.cancelButton.enabled


def use_script(widget, script: str) -> None:
    """Let the next analysis be a real Python with another script."""

    def start(command, environment, folder):
        return ChildProcess([sys.executable, "-c", script], environment, folder)

    widget.panel.analysis._worker = Worker(start)
