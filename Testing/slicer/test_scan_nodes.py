from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import slicer
from headless_slicer import bent, reordered
from report_making import a_report

from SpineNetCore.errors import InputError
from SpineNetCore.scan_files import read_scan
from SpineNetLib.scan_nodes import check_scan, in_scan_order, volume_of, write_scan


def added(scene, kind: str, voxels: np.ndarray, spacing_mm: tuple[float, float, float] = (4.0, 1.0, 1.0)):
    node = scene.AddNewNodeByClass(kind, "Other")
    slicer.util.updateVolumeFromArray(node, voxels)
    node.SetSpacing(spacing_mm)
    return node


def test_a_sagittal_scan_is_accepted(a_scan_node):
    check_scan(a_scan_node)


def test_no_scan_is_said_so():
    with pytest.raises(InputError, match="No scan is chosen"):
        check_scan(None)


def test_an_axial_series_is_refused(a_scene):
    voxels = np.random.default_rng(0).normal(size=(12, 64, 64))
    with pytest.raises(InputError, match="'Other' looks axial"):
        check_scan(added(a_scene, "vtkMRMLScalarVolumeNode", voxels, (1.0, 1.0, 5.0)))


@pytest.mark.parametrize("kind", ["vtkMRMLLabelMapVolumeNode", "vtkMRMLVectorVolumeNode"])
def test_a_label_map_and_a_volume_of_several_values_are_refused(a_scene, kind):
    shape = (64, 64, 8) if "Label" in kind else (3, 64, 64, 8)
    with pytest.raises(InputError, match="'Other'"):
        check_scan(added(a_scene, kind, np.ones(shape, np.uint8)))


def test_a_node_without_voxels_is_refused(a_scene):
    with pytest.raises(InputError, match="holds no voxels"):
        check_scan(a_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty"))


def test_a_bent_scan_is_refused_and_a_turned_one_accepted(a_scene, a_scan_node):
    linear = a_scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "turn")
    a_scan_node.SetAndObserveTransformNodeID(linear.GetID())
    check_scan(a_scan_node)
    bent(a_scan_node)
    with pytest.raises(InputError, match="non-linear transform 'bend'"):
        check_scan(a_scan_node)


def test_a_written_scan_reads_as_the_same_scan(a_scan_node, tmp_path):
    write_scan(a_scan_node, tmp_path / "scan.nrrd")
    again, scan = read_scan(tmp_path / "scan.nrrd"), a_report().scan
    np.testing.assert_array_equal(again.voxels, scan.voxels)
    np.testing.assert_allclose(again.ras_from_ijk, scan.ras_from_ijk, atol=1e-6)


@pytest.mark.parametrize("backwards", [(), (0,), (1, 2)])
@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_the_same_voxels_in_another_order_come_into_the_scans_own(a_scan_node, axes, backwards):
    volume = volume_of(a_scan_node)
    again = in_scan_order(a_scan_node, reordered(volume, axes, backwards))
    np.testing.assert_array_equal(again.voxels, volume.voxels)
    np.testing.assert_allclose(again.lps_from_ijk, volume.lps_from_ijk)


@pytest.mark.parametrize("change", ["moved", "cut", "turned over"])
def test_another_grid_is_refused(a_scan_node, change):
    volume = volume_of(a_scan_node)
    place, voxels = volume.lps_from_ijk.copy(), volume.voxels
    if change == "moved":
        place[0, 3] += 2
    elif change == "cut":
        voxels = voxels[:-1]
    else:
        place[:3, 0] *= -1
    with pytest.raises(InputError, match="does not lie on the voxels of"):
        in_scan_order(a_scan_node, replace(volume, voxels=voxels, lps_from_ijk=place))
