"""Draw the extension's screenshot from a scan and its result folder: take_screenshot.py SCAN RESULT LEVEL PICTURE."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "SpineNetSlicer")]

import numpy as np  # noqa: E402
from headless_slicer import HeadlessSlicer, SliceView, scan_node  # noqa: E402
from PIL import Image  # noqa: E402

from SpineNetCore.anatomy import Task  # noqa: E402
from SpineNetCore.scan_files import read_scan  # noqa: E402
from SpineNetLib.heat_maps import Overlay, hide_heat_maps, show_heat_map  # noqa: E402
from SpineNetLib.navigation import go_to_disc  # noqa: E402
from SpineNetLib.results import read_result  # noqa: E402
from SpineNetLib.scene import add_result  # noqa: E402

SIZE = (520, 640)


def take_screenshot(scan: Path, result: Path, level: str, picture: Path) -> None:
    """The slice through a disc without and with the evidence for its Pfirrmann grade, side by side."""
    with tempfile.TemporaryDirectory() as cache:
        application = HeadlessSlicer(Path(cache))
        analysis = add_result(application.scene, scan_node(application.scene, read_scan(scan)), read_result(result))
        view = SliceView(application, "Yellow", "Sagittal", SIZE)
        go_to_disc(analysis, level)
        show_heat_map(analysis, Task.PFIRRMANN, Overlay())
        evidence = view.picture()
        hide_heat_maps(analysis)
        Image.fromarray(np.hstack([view.picture(), evidence])).save(picture, optimize=True)
        application.close()


if __name__ == "__main__":
    take_screenshot(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
