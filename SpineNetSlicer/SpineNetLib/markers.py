"""Outlines of vertebrae and discs, and their names, as markups."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import vtk
from numpy.typing import NDArray

from SpineNetCore.anatomy import Affine, Point, Vertebra, disc_level, neighbours
from SpineNetCore.errors import InputError
from SpineNetCore.scan import mapped
from SpineNetLib.analysis import Analysis, Part, analyses, nodes_of_class
from SpineNetLib.results import DiscFinding
from SpineNetLib.scan_nodes import Node

VERTEBRA_COLOUR = (0.90, 0.62, 0.0)
DISC_COLOUR = (0.34, 0.71, 0.91)
"""ours: orange and sky blue of the Okabe-Ito palette, as on the report's page."""

_NAME_BEHIND = 0.75
"""Disc widths from a disc's centre to its name: behind the canal, clear of the evidence. ours."""


def add_markers(analysis: Analysis) -> None:
    """Add a locked closed curve per vertebra and disc, and two lists of names."""
    findings = analysis.findings
    for vertebra in findings.vertebrae:
        _add_outline(analysis, vertebra.level, vertebra.corners_ras_mm, VERTEBRA_COLOUR)
    for upper, lower in neighbours(findings.vertebrae):
        _add_outline(analysis, disc_level(upper.level, lower.level), _disc_corners(upper, lower), DISC_COLOUR)
    places = {vertebra.level: vertebra.centre_ras_mm for vertebra in findings.vertebrae}
    _add_names(analysis, Part.VERTEBRA_NAMES, places, VERTEBRA_COLOUR)
    _add_names(analysis, Part.DISC_NAMES, _disc_name_places(findings.discs), DISC_COLOUR)


def show_markers_of(analysis: Analysis) -> None:
    """Show one analysis' outlines and names, and not those of others of its scan, which may name discs otherwise."""
    for other in analyses(analysis.scene):
        if other.node_or_none(Part.SCAN) is analysis.node_or_none(Part.SCAN):
            _set_visible(other, other.record.GetID() == analysis.record.GetID())


def hide_markers_of(analysis: Analysis) -> None:
    """Hide an analysis' outlines and names."""
    _set_visible(analysis, False)


def _set_visible(analysis: Analysis, is_visible: bool) -> None:
    for markups in analysis.markers():
        if markups.GetDisplayNode() is not None:
            markups.GetDisplayNode().SetVisibility(is_visible)


def show_in_sagittal_views(analysis: Analysis) -> None:
    """Keep outlines and names out of the slice views that cut across the spine, where they would lie on each other."""
    scene = analysis.scene
    chosen = [view.GetID() for view in nodes_of_class(scene, "vtkMRMLSliceNode") if _is_sagittal(view)]
    chosen += [view.GetID() for view in nodes_of_class(scene, "vtkMRMLViewNode")]
    for markups in analysis.markers():
        display = markups.GetDisplayNode()
        shown = [display.GetNthViewNodeID(place) for place in range(display.GetNumberOfViewNodeIDs())]
        if shown != chosen:  # every view hears of every call that follows
            display.RemoveAllViewNodeIDs()
            for view_id in chosen:
                display.AddViewNodeID(view_id)


def move_disc_markers(analysis: Analysis, level: str, earlier: DiscFinding) -> None:
    """Take the outline and the name of a disc, by its level in the analysis, to where its finding now has it."""
    finding = analysis.findings.disc(level)
    names, place = analysis.node_or_none(Part.DISC_NAMES), _disc_name_places((finding,))[level]
    if names is not None:
        for number in range(names.GetNumberOfControlPoints()):
            if names.GetNthControlPointDescription(number) == level:
                names.SetNthControlPointPosition(number, vtk.vtkVector3d(*place.tolist()))
    for curve in analysis.outlines():
        if curve.GetNthControlPointDescription(0) == level:
            _move_outline(curve, earlier, finding)


def _move_outline(curve: Node, earlier: DiscFinding, now: DiscFinding) -> None:
    """As one piece: the corners keep their places in the disc's own frame."""
    now_from_earlier = _ras_from_disc(now) @ np.linalg.inv(_ras_from_disc(earlier))
    for number in range(curve.GetNumberOfControlPoints()):
        corner = mapped(now_from_earlier, np.array(curve.GetNthControlPointPosition(number)))
        curve.SetNthControlPointPosition(number, vtk.vtkVector3d(*corner.tolist()))


def _ras_from_disc(disc: DiscFinding) -> Affine:
    """(4, 4) from millimetres to the left, downwards and to the back of the disc's centre."""
    if disc.geometry is None or disc.centre_ras_mm is None:
        raise InputError(f"{disc.level} was not found: choose a disc that was scored.")
    frame = np.eye(4)
    axes = [disc.geometry.left, disc.geometry.inferior, disc.geometry.posterior, disc.centre_ras_mm]
    frame[:3] = np.column_stack(axes)
    return frame


def rename_markers(analysis: Analysis, names: Mapping[str, str]) -> None:
    """Write other names; names: from the level of the analysis to the one it has now.

    Points that a user added have no level, and keep their names.
    """
    for markups in analysis.markers():
        for place in range(markups.GetNumberOfControlPoints()):
            name = names.get(markups.GetNthControlPointDescription(place))
            if name is not None:
                markups.SetNthControlPointLabel(place, name)
    for curve in analysis.outlines():
        curve.SetName(names.get(curve.GetNthControlPointDescription(0), curve.GetName()))


def _is_sagittal(view: Node) -> bool:
    """Whether the view's normal runs rather from right to left than any other way."""
    slice_to_ras = view.GetSliceToRAS()
    rightwards, *others = (abs(float(slice_to_ras.GetElement(row, 2))) for row in range(3))
    return rightwards >= max(others)


def _disc_corners(upper: Vertebra, lower: Vertebra) -> NDArray[np.float64]:
    """(4, 3) around the space between two bodies, in the order of a vertebra's corners."""
    _, _, upper_posterior, upper_anterior = upper.corners_ras_mm
    lower_anterior, lower_posterior, _, _ = lower.corners_ras_mm
    return np.array([upper_anterior, upper_posterior, lower_posterior, lower_anterior])


def _disc_name_places(discs: tuple[DiscFinding, ...]) -> dict[str, Point]:
    places = {}
    for disc in discs:
        if disc.centre_ras_mm is not None and disc.geometry is not None:
            behind_mm = _NAME_BEHIND * disc.geometry.width_mm
            places[disc.level] = disc.centre_ras_mm + behind_mm * disc.geometry.posterior
    return places


def _add_outline(
    analysis: Analysis, level: str, corners_ras_mm: NDArray[np.float64], colour: tuple[float, float, float]
) -> None:
    curve = analysis.scene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", level)
    curve.SetCurveTypeToLinear()
    _style(curve, colour)
    display = curve.GetDisplayNode()
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    display.SetLineThickness(0.3)
    for corner in corners_ras_mm:
        _add_point(curve, level, corner)
    curve.SetLocked(True)
    analysis.refer(Part.OUTLINES, curve)


def _add_names(analysis: Analysis, part: Part, places: Mapping[str, Point], colour: tuple[float, float, float]) -> None:
    what = "vertebrae" if part is Part.VERTEBRA_NAMES else "disc levels"
    names = analysis.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", f"{analysis.scan.GetName()} {what}")
    _style(names, colour)
    names.GetDisplayNode().SetTextScale(3.0)
    text = names.GetDisplayNode().GetTextProperty()
    text.SetBackgroundColor(0.0, 0.0, 0.0)
    text.SetBackgroundOpacity(0.5)
    for level, place in places.items():
        _add_point(names, level, place)
    names.SetLocked(True)
    names.SetFixedNumberOfControlPoints(True)  # a locked list still takes points while it is the active one
    analysis.refer(part, names)


def _style(markups: Node, colour: tuple[float, float, float]) -> None:
    """Seen on every sagittal slice, since a body or disc reaches through many of them."""
    markups.CreateDefaultDisplayNodes()
    display = markups.GetDisplayNode()
    display.SetSelectedColor(*colour)
    display.SetColor(*colour)
    display.SetGlyphScale(0.6)
    display.SetSliceProjection(True)
    display.SetSliceProjectionUseFiducialColor(True)
    display.SetSliceProjectionOpacity(1.0)


def _add_point(markups: Node, level: str, place_ras_mm: Point) -> None:
    """The description keeps the level that the analysis gave, whatever the label says later."""
    place = markups.AddControlPoint(vtk.vtkVector3d(*place_ras_mm.tolist()), level)
    markups.SetNthControlPointDescription(place, level)
