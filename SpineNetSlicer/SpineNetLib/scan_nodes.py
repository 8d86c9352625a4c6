"""The scan as a node: whether it can be analysed, and where its voxels lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from SpineNetCore.anatomy import Affine
from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import RAS_FROM_LPS, FileVolume, checked_scan
from SpineNetCore.image_files import write_image

Node = Any
"""A MRML node; Slicer's classes carry no types."""

EVIDENCE_MARK = "SpineNet.Evidence"
"""Attribute of every heat map."""

SAME_PLACE_VOXELS = 0.1
"""How far apart two grids may lie at their corners, in voxels, and still be one. ours: NIfTI rounds its affine."""


def check_scan(scan: Node | None) -> None:
    """Raise InputError unless the node is one sagittal series that can be analysed."""
    if scan is not None and is_evidence(scan):
        raise InputError(f"'{scan.GetName()}' is the evidence of an analysis: choose the scan itself.")
    volume = volume_of(scan)
    _check_not_bent(scan)
    checked_scan(volume)


@contextmanager
def active_points_kept(scene: Any) -> Iterator[None]:
    """Slicer makes every new markups node the one that points are placed into: let it stay the user's own."""
    selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    before = selection and (selection.GetActivePlaceNodeClassName(), selection.GetActivePlaceNodeID())
    yield
    if before:
        selection.SetReferenceActivePlaceNodeClassName(before[0])
        selection.SetReferenceActivePlaceNodeID(before[1])


def is_evidence(node: Node) -> bool:
    """Whether the node is a heat map that an analysis added."""
    return node.GetAttribute(EVIDENCE_MARK) is not None


def write_scan(scan: Node, path: Path) -> None:
    """Write the scan in its own frame, without the transforms above it; raises InputError where that cannot be."""
    volume = volume_of(scan)
    write_image(volume.voxels, volume.lps_from_ijk, path)


def volume_of(scan: Node | None) -> FileVolume:
    """The node's voxels [i, j, k] and place, without the transforms above it; raises InputError for other nodes."""
    if scan is None:
        raise InputError("No scan is chosen: choose a sagittal T2 series.")
    name = scan.GetName()
    if not scan.IsA("vtkMRMLScalarVolumeNode") or scan.IsA("vtkMRMLLabelMapVolumeNode"):
        raise InputError(f"'{name}' is a {scan.GetNodeTagName()}, not a scan: choose a sagittal T2 series.")
    image = scan.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        raise InputError(f"'{name}' holds no voxels: load the scan again.")
    if image.GetNumberOfScalarComponents() != 1:
        count = image.GetNumberOfScalarComponents()
        raise InputError(f"'{name}' has {count} values a voxel: choose a sagittal T2 series with one.")
    voxels = slicer.util.arrayFromVolume(scan).transpose(2, 1, 0)
    return FileVolume(voxels, RAS_FROM_LPS @ ras_from_ijk(scan), Path(name))


def in_scan_order(scan: Node, volume: FileVolume) -> FileVolume:
    """The volume with its voxels in the order of the scan's, whatever the order of its own axes was.

    Raises InputError unless it holds a voxel for every voxel of the scan.
    """
    ras_from_volume = RAS_FROM_LPS @ volume.lps_from_ijk
    if not is_grid_of(scan, volume.voxels.shape, ras_from_volume):
        raise InputError(
            f"'{volume.source}' does not lie on the voxels of '{scan.GetName()}': "
            "choose the result of this scan, or analyse it again."
        )
    turn = (np.linalg.inv(ras_from_ijk(scan)) @ ras_from_volume)[:3, :3]
    axes = np.abs(turn).argmax(axis=1).tolist()
    backwards = tuple(place for place, axis in enumerate(axes) if turn[place, axis] < 0)
    voxels = np.flip(volume.voxels.transpose(axes), backwards)
    return replace(volume, voxels=voxels, lps_from_ijk=RAS_FROM_LPS @ ras_from_ijk(scan))


def is_grid_of(scan: Node, shape: Sequence[int], ras_from_indices: Affine) -> bool:
    """Whether a grid has a voxel for every voxel of the scan, in whatever order of its axes."""
    scan_from_grid = np.linalg.inv(ras_from_ijk(scan)) @ ras_from_indices
    last = np.array(scan.GetImageData().GetDimensions()) - 1
    reached = (_corners(shape) @ scan_from_grid.T)[:, :3]
    lowest, highest = reached.min(axis=0), reached.max(axis=0)
    return sorted(shape) == sorted(last + 1) and np.allclose(
        [lowest, highest], [np.zeros(3), last], rtol=0, atol=SAME_PLACE_VOXELS
    )


def has_voxels_of(scan: Node, volume: Node) -> bool:
    """Whether a volume has a voxel for every voxel of the scan, index for index."""
    image, dimensions = volume.GetImageData(), scan.GetImageData().GetDimensions()
    if image is None or image.GetDimensions() != dimensions:
        return False
    ends = _corners(dimensions)
    reached = ends @ (np.linalg.inv(ras_from_ijk(scan)) @ ras_from_ijk(volume)).T
    return np.allclose(reached, ends, rtol=0, atol=SAME_PLACE_VOXELS)


def ras_from_ijk(volume: Node) -> Affine:
    """(4, 4) from the node's voxel indices to RAS millimetres, without the transforms above it."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return np.array(slicer.util.arrayFromVTKMatrix(matrix), dtype=np.float64)


def place_volume(node: Node, volume: FileVolume) -> None:
    """Give a volume node the voxels and the place of `volume`."""
    matrix = vtk.vtkMatrix4x4()
    slicer.util.updateVTKMatrixFromArray(matrix, RAS_FROM_LPS @ volume.lps_from_ijk)
    node.SetIJKToRASMatrix(matrix)
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(volume.voxels.transpose(2, 1, 0)))


def _check_not_bent(scan: Node) -> None:
    transform = scan.GetParentTransformNode()
    if transform is not None and not transform.IsTransformToWorldLinear():
        raise InputError(
            f"'{scan.GetName()}' is bent by the non-linear transform '{transform.GetName()}': harden that transform or "
            "take the scan out of it."
        )


def _corners(shape: Sequence[int]) -> NDArray[np.float64]:
    """(8, 4) homogeneous indices of a grid's corners."""
    return np.array([[*corner, 1] for corner in product(*((0, count - 1) for count in shape))], dtype=np.float64)
