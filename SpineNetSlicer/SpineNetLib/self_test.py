"""The module's own test inside Slicer: the sample, from file to grades and evidence in the scene."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import slicer

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetLib.analysis import analyses
from SpineNetLib.heat_maps import Overlay, show_heat_map
from SpineNetLib.navigation import go_to_disc
from SpineNetLib.resources import SAMPLE
from SpineNetLib.scan_nodes import Node, write_scan
from SpineNetLib.scene import add_result
from SpineNetLib.tables import current_readings
from SpineNetLib.worker import Options, Worker

_LONGEST_S = 600
_QUICK = Options(views=1, hotspot_views=1)


def check_sample(scene: Any) -> None:
    """Analyse the sample with few views and show it; raises AssertionError where a disc has no grades or evidence."""
    scan = slicer.util.loadVolume(str(SAMPLE))
    analysis = _analysed(scene, scan)
    assert [found.record.GetID() for found in analyses(scene)] == [analysis.record.GetID()]
    for reading in current_readings(analysis):
        assert reading.level in DISC_LEVELS, reading
        assert set(reading.grades) == set(Task), f"{reading.level} was not graded: {reading.reason}"
        go_to_disc(analysis, reading.level)
        for task in Task:
            heat = slicer.util.arrayFromVolume(show_heat_map(analysis, task, Overlay()))
            assert heat.max() > 0, f"{task.title} has no evidence"


def _analysed(scene: Any, scan: Node) -> Any:
    worker, until = Worker(), time.monotonic() + _LONGEST_S
    worker.start(partial(write_scan, scan), _QUICK)
    try:
        while time.monotonic() < until:
            slicer.app.processEvents()
            result = worker.poll(lambda _progress: None)
            if result is not None:
                return add_result(scene, scan, result)
            time.sleep(0.05)
    finally:
        worker.stop()
    raise AssertionError(f"the analysis took longer than {_LONGEST_S} s")
