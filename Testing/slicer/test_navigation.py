from __future__ import annotations

import json

import numpy as np
import pytest
import slicer
import vtk
from headless_slicer import SliceView, bent, moved, scan_node, turned_over
from report_making import REASON, UNSCORED, a_report

from SpineNetCore.errors import InputError
from SpineNetCore.scan import mapped
from SpineNetLib.analysis import Part
from SpineNetLib.navigation import VIEW_DISC_WIDTHS, go_to_disc


@pytest.fixture
def the_views(an_application) -> list[SliceView]:
    planes = {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}
    return [SliceView(an_application, name, plane, (300, 200)) for name, plane in planes.items()]


def middle_of(view: SliceView) -> np.ndarray:
    return slicer.util.arrayFromVTKMatrix(view.node.GetSliceToRAS())[:3, 3]


def centre_of(level: str) -> np.ndarray:
    return next(disc.centre_ras_mm for disc in a_report().discs if disc.level == level)


def test_all_views_go_to_the_disc(an_analysis, the_views):
    place = go_to_disc(an_analysis, "L4-L5")
    np.testing.assert_allclose(place, centre_of("L4-L5"), atol=0.01)
    for view in the_views:
        np.testing.assert_allclose(middle_of(view), place, atol=1e-6)


def test_a_view_shows_the_disc_with_its_surroundings(an_analysis, the_views):
    go_to_disc(an_analysis, "L4-L5")
    for view in the_views:
        width, height, _ = view.node.GetFieldOfView()
        assert height == pytest.approx(VIEW_DISC_WIDTHS * 40.0)
        assert width / height == pytest.approx(300 / 200)


def test_names_and_outlines_stay_out_of_views_across_the_spine(an_analysis, the_views):
    sagittal = the_views[1]
    go_to_disc(an_analysis, "L4-L5")
    for markups in (*an_analysis.outlines(), an_analysis.node(Part.DISC_NAMES)):
        assert markups.GetDisplayNode().GetViewNodeIDs() == (sagittal.node.GetID(),)
    the_views[0].node.SetOrientation("Sagittal")
    go_to_disc(an_analysis, "L4-L5")
    assert set(markups.GetDisplayNode().GetViewNodeIDs()) == {view.node.GetID() for view in the_views[:2]}


def test_the_views_stop_on_the_middle_of_a_slice(an_analysis, the_views):
    scan = a_report().scan
    report = json.loads(an_analysis.record.GetText())
    disc = report["discs"][4]
    disc["centre_ras_mm"] = (np.array(disc["centre_ras_mm"]) + scan.ras_from_ijk[:3, 0] / 3).tolist()
    an_analysis.record.SetText(json.dumps(report))
    slice_index, *in_plane = mapped(scan.ijk_from_ras, go_to_disc(an_analysis, disc["level"]))
    assert slice_index == pytest.approx(2, abs=1e-3)
    np.testing.assert_allclose(in_plane, mapped(scan.ijk_from_ras, centre_of("L4-L5"))[1:], atol=1e-3)


def test_the_transform_above_the_scan_is_honoured(a_scene, an_analysis, a_scan_node, the_views):
    before = go_to_disc(an_analysis, "L4-L5")
    matrix = vtk.vtkMatrix4x4()
    slicer.util.updateVTKMatrixFromArray(matrix, np.array([[0, -1, 0, 9], [1, 0, 0, 0], [0, 0, 1, -4], [0, 0, 0, 1.0]]))
    transform = a_scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "turn")
    transform.SetMatrixTransformToParent(matrix)
    a_scan_node.SetAndObserveTransformNodeID(transform.GetID())
    x, y, z = before
    np.testing.assert_allclose(go_to_disc(an_analysis, "L4-L5"), [9 - y, x, z - 4], atol=1e-6)


def test_all_of_an_analysis_follows_a_scan_that_is_moved_later(an_analysis, the_views):
    own = [node for node in an_analysis.own_nodes() if node.IsA("vtkMRMLTransformableNode")]
    transform = moved(an_analysis.scan, 0, 0, 40)
    go_to_disc(an_analysis, "L4-L5")
    assert {node.GetTransformNodeID() for node in own} == {transform.GetID()}
    an_analysis.scan.SetAndObserveTransformNodeID(None)
    go_to_disc(an_analysis, "L4-L5")
    assert {node.GetTransformNodeID() for node in own} == {None}


@pytest.mark.parametrize("is_cut", [False, True])
def test_on_a_scan_whose_own_voxels_were_moved_or_cut_no_disc_is_shown(an_analysis, the_views, is_cut):
    before, scan = middle_of(the_views[0]).copy(), an_analysis.scan
    if is_cut:
        slicer.util.updateVolumeFromArray(scan, slicer.util.arrayFromVolume(scan)[1:].copy())
    else:
        moved(scan, 0, 0, 40)
        scan.HardenTransform()
    with pytest.raises(InputError, match="was moved since its analysis: analyse it again"):
        go_to_disc(an_analysis, "L4-L5")
    np.testing.assert_array_equal(middle_of(the_views[0]), before)


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (1, 2)])
def test_on_a_scan_that_was_mirrored_or_turned_about_its_middle_no_disc_is_shown(an_analysis, the_views, axes):
    before = middle_of(the_views[0]).copy()
    turned_over(an_analysis.scan, *axes)
    with pytest.raises(InputError, match=r"mirrored or turned, .*: load the scan and its result again\.$"):
        go_to_disc(an_analysis, "L4-L5")
    np.testing.assert_array_equal(middle_of(the_views[0]), before)


def test_markers_that_are_where_they_belong_are_left_alone(an_analysis, the_views):
    go_to_disc(an_analysis, "L4-L5")
    before = [markups.GetDisplayNode().GetMTime() for markups in an_analysis.markers()]
    go_to_disc(an_analysis, "L5-S1")
    assert before == [markups.GetDisplayNode().GetMTime() for markups in an_analysis.markers()]


def test_the_views_go_where_a_bent_scan_has_the_disc(an_analysis, the_views):
    before = go_to_disc(an_analysis, "L4-L5")
    bend = bent(an_analysis.scan)
    place = go_to_disc(an_analysis, "L4-L5")
    np.testing.assert_allclose(place, bend.TransformPoint(before), atol=1e-6)
    assert np.linalg.norm(place - before) > 10
    np.testing.assert_allclose(middle_of(the_views[0]), place, atol=1e-6)


def test_the_views_show_the_scan_that_was_analysed(an_analysis, a_scene, the_views):
    another = scan_node(a_scene, a_report().scan)
    for view in the_views:
        view.layers.SetBackgroundVolumeID(another.GetID())
    go_to_disc(an_analysis, "L4-L5")
    assert {view.layers.GetBackgroundVolumeID() for view in the_views} == {an_analysis.scan.GetID()}


def test_a_disc_that_was_not_found_is_refused_with_its_reason(an_analysis, the_views):
    before = middle_of(the_views[0]).copy()
    with pytest.raises(InputError, match=f"No disc was found at {UNSCORED} \\({REASON}\\)"):
        go_to_disc(an_analysis, UNSCORED)
    np.testing.assert_array_equal(middle_of(the_views[0]), before)


def test_an_unknown_level_is_refused(an_analysis):
    with pytest.raises(InputError, match="'L6-L7' is no graded level"):
        go_to_disc(an_analysis, "L6-L7")
