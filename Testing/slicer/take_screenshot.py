"""Draw the extension's pictures from an analysis of the bundled sample: take_screenshot.py RESULT FOLDER."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "SpineNetSlicer")]

import numpy as np  # noqa: E402
import slicer_window  # noqa: E402
from headless_slicer import HeadlessSlicer, SliceView, scan_node  # noqa: E402
from PIL import Image  # noqa: E402

from SpineNetCore.anatomy import Task  # noqa: E402
from SpineNetCore.scan_files import read_scan  # noqa: E402
from SpineNetLib.analysis import Analysis  # noqa: E402
from SpineNetLib.heat_maps import Overlay, hide_heat_maps, show_heat_map  # noqa: E402
from SpineNetLib.navigation import go_to_disc  # noqa: E402
from SpineNetLib.resources import SAMPLE  # noqa: E402
from SpineNetLib.results import read_result  # noqa: E402
from SpineNetLib.scene import add_result  # noqa: E402

LEVEL = "L5-S1"
VIEW_SIZE = (520, 640)
PANEL_WIDTH = 460
"""Pixels, about as wide as Slicer's dock is at first."""


def take_screenshots(result: Path, folder: Path) -> None:
    """Write `evidence.png` and `panel.png`."""
    with tempfile.TemporaryDirectory() as cache:
        application = HeadlessSlicer(Path(cache))
        view = SliceView(application, "Yellow", "Sagittal", VIEW_SIZE)
        scan = scan_node(application.scene, read_scan(SAMPLE))
        analysis = add_result(application.scene, scan, read_result(result))
        draw_evidence(analysis, view, folder / "evidence.png")
        draw_panel(analysis, folder / "panel.png")
        application.close()


def draw_evidence(analysis: Analysis, view: SliceView, picture: Path) -> None:
    """The slice through a disc without and with the evidence for its Pfirrmann grade, side by side."""
    go_to_disc(analysis, LEVEL)
    show_heat_map(analysis, Task.PFIRRMANN, Overlay())
    evidence = view.picture()
    hide_heat_maps(analysis.scene)
    Image.fromarray(np.hstack([view.picture(), evidence])).save(picture, optimize=True)


def draw_panel(analysis: Analysis, picture: Path) -> None:
    """The module's panel with the analysis in it."""
    widget = slicer_window.opened(slicer_window.install())
    widget.panel.grades.show(analysis)
    slicer_window.picture(widget, PANEL_WIDTH, picture)
    slicer_window.close(widget)


if __name__ == "__main__":
    take_screenshots(Path(sys.argv[1]), Path(sys.argv[2]))
