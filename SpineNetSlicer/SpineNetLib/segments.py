"""The discs' label map as a segmentation, and as a mask for heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from SpineNetCore.anatomy import DISC_LEVELS, disc_label
from SpineNetCore.file_volume import FileVolume
from SpineNetLib.analysis import Analysis, Part
from SpineNetLib.scan_nodes import Node

COLOURS = ((0.34, 0.71, 0.91), (0.0, 0.45, 0.70))
"""ours: two blues of the Okabe-Ito palette by turns, so that neighbours are told apart and heat stays in front."""


def add_disc_segments(analysis: Analysis, disc_labels: FileVolume) -> None:
    """Add a segmentation, hidden at first, with a segment per disc found.

    disc_labels: in the scan's order. A segment's ID is its disc's level in the analysis, whatever it is called later.
    """
    node = analysis.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{analysis.scan.GetName()} discs")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(analysis.scan)
    node.GetDisplayNode().SetVisibility(False)
    analysis.refer(Part.DISC_SEGMENTS, node)
    for level in reversed(DISC_LEVELS):
        mask = disc_labels.voxels.transpose(2, 1, 0) == disc_label(level)
        if mask.any():
            replace_disc_segment(analysis, level, level, mask)


def rename_segments(analysis: Analysis, names: dict[str, str]) -> None:
    """Name every segment after its disc; names: from the level of the analysis to the one it has now."""
    segmentation = analysis.node(Part.DISC_SEGMENTS).GetSegmentation()
    for level, name in names.items():
        segment = segmentation.GetSegment(level)
        if segment is not None:
            segment.SetName(name)


def replace_disc_segment(analysis: Analysis, level: str, name: str, mask: NDArray[np.bool_]) -> None:
    """Give the disc of that level of the analysis other voxels; mask: [k, j, i] of the scan.

    Where there is no segment, the disc being graded for the first time or its segment deleted, one is added. name: what
    the disc is called now.
    """
    node, logic = analysis.node(Part.DISC_SEGMENTS), slicer.vtkSlicerSegmentationsModuleLogic
    if node.GetSegmentation().GetSegment(level) is None:
        _add_segment(node, level, name)
    image = _image_on(analysis.scan)
    values = numpy_to_vtk(mask.astype(np.uint8).ravel(), deep=True)
    image.GetPointData().SetScalars(values)
    if not logic.SetBinaryLabelmapToSegment(image, node, level, logic.MODE_REPLACE):
        raise RuntimeError(f"the segment {level} took no voxels")


def disc_mask(analysis: Analysis, levels: Sequence[str]) -> NDArray[np.bool_]:
    """Voxels [k, j, i] of the scan that belong to the discs of those levels of the analysis."""
    node = analysis.node(Part.DISC_SEGMENTS)
    reference = _image_on(analysis.scan)
    mask = np.zeros(slicer.util.arrayFromVolume(analysis.scan).shape, dtype=bool)
    for level in levels:
        if node.GetSegmentation().GetSegment(level) is not None:
            mask |= _segment_on(reference, node, level)
    return mask


def _image_on(scan: Node) -> Any:
    """The scan's grid as an oriented image in the scan's own frame, which the segmentation is drawn in, too."""
    own_frame = scan.GetParentTransformNode()
    image = slicer.vtkSlicerSegmentationsModuleLogic.CreateOrientedImageDataFromVolumeNode(scan, own_frame)
    image.UnRegister(None)  # it comes with a reference that is ours to give back
    return image


def _segment_on(reference: Any, node: Node, level: str) -> NDArray[np.bool_]:
    """[k, j, i] of an oriented image; the segmentation itself may keep no more than the box around its segments."""
    segment, placed = slicer.vtkOrientedImageData(), slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(level, segment)
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(segment, reference, placed)
    values = vtk_to_numpy(placed.GetPointData().GetScalars())
    return np.asarray(values.reshape(placed.GetDimensions()[::-1]) > 0)


def _add_segment(node: Node, level: str, name: str) -> None:
    node.GetSegmentation().AddEmptySegment(level, name, COLOURS[DISC_LEVELS.index(level) % 2])
