"""All slice views go to a disc."""

from __future__ import annotations

import numpy as np
import vtk

from SpineNetCore.anatomy import Point
from SpineNetCore.errors import InputError
from SpineNetCore.scan import mapped
from SpineNetLib.analysis import Analysis, follow_scan, nodes_of_class
from SpineNetLib.checking import reading_of
from SpineNetLib.heat_maps import layers_for
from SpineNetLib.markers import show_in_sagittal_views
from SpineNetLib.scan_nodes import Node, ras_from_ijk

VIEW_DISC_WIDTHS = 3.0
"""Width of a slice view in widths of the disc: the disc, both bodies and the canal. ours."""
_USUAL_DISC_WIDTH_MM = 35.0


def go_to_disc(analysis: Analysis, level: str) -> Point:
    """Centre and zoom all slice views on the scan's slice through the disc now called `level`.

    Returns that place, (3,) in world RAS millimetres. Raises InputError where no disc was found, or the scan was moved
    away from it.
    """
    finding = reading_of(analysis, level).finding
    if finding is None or finding.centre_ras_mm is None:
        reason = "" if finding is None or finding.reason is None else f" ({finding.reason.rstrip('.')})"
        raise InputError(f"No disc was found at {level}{reason}: choose a level that was scored.")
    follow_scan(analysis)
    for layers in layers_for(analysis.scan):
        layers.SetBackgroundVolumeID(analysis.scan.GetID())
    place = _in_world(analysis.scan, on_nearest_slice(analysis.scan, finding.centre_ras_mm))
    disc_mm = _USUAL_DISC_WIDTH_MM if finding.geometry is None else finding.geometry.width_mm
    for view in nodes_of_class(analysis.scene, "vtkMRMLSliceNode"):
        _zoom(view, VIEW_DISC_WIDTHS * disc_mm)
        view.JumpSliceByCentering(*place.tolist())
    show_in_sagittal_views(analysis)
    return place


def on_nearest_slice(scan: Node, point_ras_mm: Point) -> Point:
    """Move a point across the slices, on to the middle of the nearest one."""
    ras_from_indices = ras_from_ijk(scan)
    axis = _slice_axis(scan)
    indices = mapped(np.asarray(np.linalg.inv(ras_from_indices), dtype=np.float64), point_ras_mm)
    indices[axis] = np.clip(np.rint(indices[axis]), 0, scan.GetImageData().GetDimensions()[axis] - 1)
    return mapped(ras_from_indices, indices)


def _slice_axis(scan: Node) -> int:
    """Index axis of the node that runs from slice to slice: the one most along right to left."""
    directions = ras_from_ijk(scan)[0, :3] / np.linalg.norm(ras_from_ijk(scan)[:3, :3], axis=0)
    return int(np.abs(directions).argmax())


def _in_world(scan: Node, point_ras_mm: Point) -> Point:
    transform = scan.GetParentTransformNode()
    if transform is None:
        return point_ras_mm
    world_from_scan = vtk.vtkGeneralTransform()  # also where the transform is not linear
    transform.GetTransformToWorld(world_from_scan)
    return np.array(world_from_scan.TransformPoint(point_ras_mm.tolist()))


def _zoom(view: Node, width_mm: float) -> None:
    """Show so many millimetres along the shorter side of the view."""
    columns, rows, _ = view.GetDimensions()
    pixel_mm = width_mm / max(1, min(columns, rows))
    view.SetFieldOfView(columns * pixel_mm, rows * pixel_mm, view.GetFieldOfView()[2])
