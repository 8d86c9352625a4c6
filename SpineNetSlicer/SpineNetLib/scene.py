"""A result comes into the scene in one step, or not at all."""

from __future__ import annotations

from functools import partial
from typing import Any

from SpineNetLib.analysis import Analysis, follow_scan, new_analysis
from SpineNetLib.folders import file_away
from SpineNetLib.heat_maps import add_heat_maps
from SpineNetLib.markers import add_markers, show_in_sagittal_views
from SpineNetLib.one_step import in_one_step
from SpineNetLib.results import Result
from SpineNetLib.scan_nodes import Node, active_points_kept, check_scan, in_scan_order
from SpineNetLib.segments import add_disc_segments
from SpineNetLib.tables import add_tables


def add_result(scene: Any, scan: Node, result: Result) -> Analysis:
    """Add everything of a result to the scene, under the transform of its scan; `scene.Undo` takes it out again.

    Raises InputError, and leaves the scene as it was, where the scan or the result cannot be used together.
    """
    check_scan(scan)
    result = result.with_each_volume(partial(in_scan_order, scan))
    with in_one_step(scene):
        analysis = new_analysis(scene, scan, result.findings)
        add_tables(analysis)
        add_heat_maps(analysis, result.hotspots)
        add_disc_segments(analysis, result.disc_labels)
        with active_points_kept(scene):
            add_markers(analysis)
        show_in_sagittal_views(analysis)
        follow_scan(analysis)
        file_away(analysis)
    return analysis
