"""A line along a disc, from its front to its back, that a reader drags to move and tilt the disc."""

from __future__ import annotations

import numpy as np
import vtk

from SpineNetCore.anatomy import Point
from SpineNetCore.errors import InputError
from SpineNetCore.scan import mapped
from SpineNetLib.analysis import Analysis, Part, follow_scan
from SpineNetLib.checking import reading_of
from SpineNetLib.folders import file_beside
from SpineNetLib.navigation import on_nearest_slice
from SpineNetLib.one_step import in_one_step
from SpineNetLib.placements import Placement, placement
from SpineNetLib.results import DiscFinding
from SpineNetLib.scan_nodes import Node, active_points_kept, ras_from_ijk

LINE_COLOUR = (0.0, 0.85, 0.62)
"""ours: the bluish green of the Okabe-Ito palette, lighter, apart from outlines and evidence."""
_DISC = "SpineNet.Disc"
_SHORTEST_MM = 5.0
_LARGEST_TURN_DEG = 60.0


def add_disc_line(analysis: Analysis, level: str) -> Node:
    """Lay a line along the disc now called `level`, on the scan's nearest slice, instead of an earlier line.

    Raises InputError where no disc was found, or the scan was moved away from it.
    """
    finding = reading_of(analysis, level).finding
    if finding is None or finding.centre_ras_mm is None or finding.geometry is None:
        raise InputError(f"No disc was found at {level}: move one that is in the table with its scores.")
    follow_scan(analysis)
    centre = on_nearest_slice(analysis.scan, finding.centre_ras_mm)
    half = finding.geometry.width_mm / 2 * finding.geometry.posterior
    remove_disc_line(analysis)
    with in_one_step(analysis.scene), active_points_kept(analysis.scene):
        line = analysis.scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", f"{level} moved")
        line.SetAttribute(_DISC, finding.level)
        _style(line)
        for place, label in ((centre - half, "front"), (centre + half, "back")):
            line.AddControlPoint(vtk.vtkVector3d(*place.tolist()), label)
        analysis.refer(Part.DISC_LINE, line)
        line.SetAndObserveTransformNodeID(analysis.scan.GetTransformNodeID())
        file_beside(analysis, line)
    return line


def remove_disc_line(analysis: Analysis) -> None:
    """Drop the line, if there is one, with all that was dragged."""
    line = analysis.node_or_none(Part.DISC_LINE)
    if line is not None:
        analysis.scene.RemoveNode(line)


def lined_disc(analysis: Analysis) -> str | None:
    """Level, in the analysis, of the disc that the line is for; None where there is no line."""
    line = analysis.node_or_none(Part.DISC_LINE)
    return None if line is None else str(line.GetAttribute(_DISC))


def placement_on_line(analysis: Analysis, finding: DiscFinding) -> Placement:
    """Where the line puts the disc: its middle the centre, its direction the tilt within the sagittal plane.

    Raises InputError where that can be no place for it.
    """
    line, geometry = analysis.node(Part.DISC_LINE), finding.geometry
    if geometry is None or line.GetNumberOfControlPoints() != 2:
        raise InputError("The line needs its front and its back: cancel the move and start it again.")
    front, back = (np.array(line.GetNthControlPointPosition(place)) for place in range(2))
    along = back - front - ((back - front) @ geometry.left) * geometry.left
    length_mm = float(np.linalg.norm(along))
    if length_mm < _SHORTEST_MM:
        raise InputError(f"The line is {length_mm:.1f} mm long: drag its ends to the front and back of the disc.")
    posterior = along / length_mm
    turn = np.degrees(np.arccos(np.clip(posterior @ geometry.posterior, -1, 1)))
    if turn > _LARGEST_TURN_DEG:
        raise InputError(
            f"The line is turned by {turn:.0f} degrees: keep 'front' in front, within {_LARGEST_TURN_DEG:g} degrees."
        )
    centre = (front + back) / 2
    _check_inside(analysis.scan, centre)
    return placement(centre, posterior)


def _check_inside(scan: Node, centre_ras_mm: Point) -> None:
    indices = mapped(np.asarray(np.linalg.inv(ras_from_ijk(scan)), dtype=np.float64), centre_ras_mm)
    if not ((indices >= -0.5) & (indices < np.array(scan.GetImageData().GetDimensions()) - 0.5)).all():
        where = ", ".join(f"{value:.1f}" for value in centre_ras_mm)
        raise InputError(f"The line's middle ({where}) mm lies outside '{scan.GetName()}': drag it back onto the disc.")


def _style(line: Node) -> None:
    line.CreateDefaultDisplayNodes()
    display = line.GetDisplayNode()
    display.SetSelectedColor(*LINE_COLOUR)
    display.SetActiveColor(1.0, 1.0, 1.0)
    display.SetGlyphScale(1.6)
    display.SetTextScale(2.6)
    display.SetPropertiesLabelVisibility(False)
    display.SetHandlesInteractive(True)  # the whole line is moved and turned by its handles
