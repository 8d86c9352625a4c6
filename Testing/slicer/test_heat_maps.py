"""A heat map over the scan, looked at as a reader does: by its colours on the picture."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
import slicer
import vtk
from headless_slicer import SliceView, reorder, scan_node
from phantom_result import a_phantom, perfect_report
from scipy import ndimage

from SpineNetCore.anatomy import DISC_LEVELS, Task, disc_label
from SpineNetCore.errors import InputError
from SpineNetCore.learning.phantom import DiscTruth, Phantom
from SpineNetCore.report import write_report
from SpineNetCore.scan import mapped
from SpineNetLib.analysis import Analysis, Part, nodes_of_class
from SpineNetLib.checking import correct_grade
from SpineNetLib.corrections import Signature
from SpineNetLib.heat_maps import Overlay, hide_heat_maps, show_heat_map
from SpineNetLib.navigation import go_to_disc
from SpineNetLib.readings import levels_shown
from SpineNetLib.results import read_result
from SpineNetLib.scan_nodes import is_evidence, ras_from_ijk
from SpineNetLib.scene import add_result
from SpineNetLib.tables import current_readings

SIZE = (360, 480)


@pytest.fixture(scope="module")
def the_phantom() -> Phantom:
    return a_phantom()


@pytest.fixture(scope="module")
def the_result(the_phantom, tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom") / "result"
    write_report(perfect_report(the_phantom), folder)
    return read_result(folder)


@pytest.fixture
def an_analysis(a_scene, the_phantom, the_result) -> Analysis:
    return add_result(a_scene, scan_node(a_scene, the_phantom.scan), the_result)


@pytest.fixture
def a_view(an_application) -> SliceView:
    return SliceView(an_application, "Yellow", "Sagittal", SIZE)


def sick_discs(phantom: Phantom, task: Task) -> list[DiscTruth]:
    return [disc for disc in phantom.discs if disc.grades[task] == 1 and disc.level in DISC_LEVELS]


def hot_pixels(picture: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """Where the overlay changed the picture towards the warm colours of heat 1."""
    change = picture.astype(int) - bare
    return (np.abs(change).max(axis=2) > 40) & (picture[..., 0] > picture[..., 2].astype(int) + 30)


def without_marks(analysis: Analysis) -> None:
    for node in (*analysis.outlines(), analysis.node(Part.VERTEBRA_NAMES), analysis.node(Part.DISC_NAMES)):
        node.GetDisplayNode().SetVisibility(False)


@pytest.mark.parametrize("task", [Task.UPPER_MARROW, Task.LOWER_ENDPLATE])
def test_heat_lies_on_the_picture_where_the_lesion_is(an_analysis, a_view, the_phantom, task):
    disc = sick_discs(the_phantom, task)[0]
    lesion = the_phantom.lesion_mask(disc, task)
    without_marks(an_analysis)
    place = go_to_disc(an_analysis, disc.level)
    a_view.node.RotateToVolumePlane(an_analysis.scan)
    strongest = int(lesion.sum(axis=(1, 2)).argmax())
    place += (strongest - mapped(the_phantom.scan.ijk_from_ras, place)[0]) * the_phantom.scan.ras_from_ijk[:3, 0]
    a_view.node.JumpSliceByCentering(*place)
    show_heat_map(an_analysis, task, Overlay(opacity=0.0))
    bare = a_view.picture()
    show_heat_map(an_analysis, task, Overlay(opacity=1.0))
    hot = hot_pixels(a_view.picture(), bare)

    inside = perfect_report(the_phantom).hotspots[task][strongest] > 0
    voxels = np.argwhere(lesion[strongest])
    centre = np.array([strongest, *voxels[len(voxels) // 2]], dtype=float)
    assert hot[a_view.pixel_of(mapped(the_phantom.scan.ras_from_ijk, centre))]
    rows, columns = np.nonzero(hot)
    pixel_to_ras = slicer.util.arrayFromVTKMatrix(a_view.node.GetXYToRAS())
    xy = np.stack([columns, SIZE[1] - 1 - rows, np.zeros_like(rows), np.ones_like(rows)])
    indices = np.rint(mapped(the_phantom.scan.ijk_from_ras, (pixel_to_ras @ xy)[:3].T)).astype(int)
    within_a_voxel = ndimage.binary_dilation(inside, iterations=1, structure=np.ones((3, 3)))
    assert within_a_voxel[tuple(np.clip(indices[:, 1:], 0, np.array(inside.shape) - 1).T)].mean() > 0.99


def test_where_nothing_is_hot_the_scan_shows_as_it_is(an_analysis, a_view, the_phantom):
    without_marks(an_analysis)
    go_to_disc(an_analysis, "L3-L4")
    hide_heat_maps(an_analysis.scene)
    show_heat_map(an_analysis, Task.NARROWING, Overlay(opacity=0.0))
    bare = a_view.picture()
    slicer.util.arrayFromVolume(an_analysis.heat_map(Task.NARROWING))[:] = 0
    slicer.util.arrayFromVolumeModified(an_analysis.heat_map(Task.NARROWING))
    show_heat_map(an_analysis, Task.NARROWING, Overlay(opacity=1.0, threshold=0.0))
    assert np.abs(a_view.picture().astype(int) - bare).max() <= 1


def test_all_tasks_share_one_table_of_colours_that_is_clear_at_zero(an_analysis):
    tables = {node.GetDisplayNode().GetColorNodeID() for node in an_analysis.heat_maps().values()}
    (table,) = (an_analysis.scene.GetNodeByID(identity) for identity in tables)
    colour = [0.0] * 4
    table.GetColor(0, colour)
    assert colour[3] == 0
    table.GetColor(255, colour)
    assert colour[3] > 0.7


def test_only_the_shown_heat_map_has_its_legend(an_analysis, a_view):
    for task in (Task.PFIRRMANN, Task.NARROWING):
        show_heat_map(an_analysis, task, Overlay())
    legends = nodes_of_class(an_analysis.scene, "vtkMRMLColorLegendDisplayNode")
    assert [legend.GetTitleText() for legend in legends if legend.GetVisibility()] == ["Narrowing\nevidence"]
    hide_heat_maps(an_analysis.scene)
    assert not any(legend.GetVisibility() for legend in legends)


def test_opacity_and_threshold_reach_every_view(an_application, an_analysis):
    views = [SliceView(an_application, name, "Sagittal", SIZE) for name in ("Red", "Green")]
    node = show_heat_map(an_analysis, Task.PFIRRMANN, Overlay(opacity=0.4, threshold=0.3))
    for view in views:
        assert view.layers.GetBackgroundVolumeID() == an_analysis.scan.GetID()
        assert view.layers.GetForegroundVolumeID() == node.GetID()
        assert view.layers.GetForegroundOpacity() == 0.4
    assert node.GetDisplayNode().GetLowerThreshold() == pytest.approx(0.3)


def test_hiding_leaves_the_scan_and_other_overlays(an_analysis, a_view):
    hide_heat_maps(an_analysis.scene)
    a_view.layers.SetForegroundVolumeID(an_analysis.scan.GetID())
    hide_heat_maps(an_analysis.scene)
    assert a_view.layers.GetForegroundVolumeID() == an_analysis.scan.GetID()
    a_view.layers.SetForegroundOpacity(0.25)
    for task in (Task.PFIRRMANN, Task.NARROWING):
        show_heat_map(an_analysis, task, Overlay())
    hide_heat_maps(an_analysis.scene)
    assert a_view.layers.GetForegroundVolumeID() == an_analysis.scan.GetID()
    assert a_view.layers.GetForegroundOpacity() == 0.25
    assert a_view.layers.GetBackgroundVolumeID() == an_analysis.scan.GetID()


def test_a_view_given_to_another_scan_loses_the_evidence_at_the_next_pick(an_analysis, a_view, an_application):
    other_view = SliceView(an_application, "Red", "Axial", (100, 100))
    other = an_analysis.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1")
    show_heat_map(an_analysis, Task.NARROWING, Overlay())
    other_view.layers.SetBackgroundVolumeID(other.GetID())
    show_heat_map(an_analysis, Task.PFIRRMANN, Overlay())
    assert other_view.layers.GetForegroundVolumeID() is None
    assert a_view.layers.GetForegroundVolumeID() == an_analysis.heat_map(Task.PFIRRMANN).GetID()


def test_an_overlay_deleted_meanwhile_does_not_come_back(an_analysis, a_view):
    other = an_analysis.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1")
    a_view.layers.SetForegroundVolumeID(other.GetID())
    show_heat_map(an_analysis, Task.PFIRRMANN, Overlay())
    an_analysis.scene.RemoveNode(other)
    hide_heat_maps(an_analysis.scene)
    assert a_view.layers.GetForegroundVolumeID() is None


def test_a_view_of_another_scan_keeps_its_layers(an_analysis, a_view, an_application):
    other_view = SliceView(an_application, "Red", "Axial", (100, 100))
    first, second = (an_analysis.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name) for name in ("T1", "STIR"))
    a_view.layers.SetBackgroundVolumeID(an_analysis.scan.GetID())
    other_view.layers.SetBackgroundVolumeID(first.GetID())
    other_view.layers.SetForegroundVolumeID(second.GetID())
    go_to_disc(an_analysis, "L4-L5")
    show_heat_map(an_analysis, Task.PFIRRMANN, Overlay())
    assert a_view.layers.GetForegroundVolumeID() == an_analysis.heat_map(Task.PFIRRMANN).GetID()
    assert other_view.layers.GetBackgroundVolumeID() == first.GetID()
    assert other_view.layers.GetForegroundVolumeID() == second.GetID()


def test_the_heat_of_one_disc_is_shown_alone(an_analysis, a_view, the_phantom):
    task = Task.UPPER_MARROW
    first, second = sick_discs(the_phantom, task)[:2]
    whole = an_analysis.heat_map(task)
    labels = perfect_report(the_phantom).disc_labels
    grid = the_phantom.scan.file_grid
    for disc in (first, second):
        node = show_heat_map(an_analysis, task, Overlay(discs=(disc.level,)))
        inside = grid.file_from_standard(labels == disc.label).transpose(2, 1, 0)
        heat = slicer.util.arrayFromVolume(whole)
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), np.where(inside, heat, 0))
        np.testing.assert_allclose(ras_from_ijk(node), ras_from_ijk(whole))
        assert slicer.util.arrayFromVolume(node).any()
    assert not node.GetSaveWithScene()


def test_one_volume_serves_for_the_heat_of_every_choice_of_discs_and_goes_with_a_closed_scene(a_scene, an_analysis):
    first = show_heat_map(an_analysis, Task.PFIRRMANN, Overlay(discs=("L4-L5",)))
    assert show_heat_map(an_analysis, Task.NARROWING, Overlay(threshold=0.4, discs=("L5-S1",))) is first
    assert first.GetDisplayNode().GetLowerThreshold() == 0.4
    assert is_evidence(first)

    a_scene.Clear(False)
    assert nodes_of_class(a_scene, "vtkMRMLScalarVolumeNode") == []


def test_evidence_of_abnormal_grades_is_shown_alone(an_analysis, a_view, the_phantom):
    task = Task.UPPER_MARROW
    levels = levels_shown(current_readings(an_analysis), task, None, abnormal_only=True)
    sick = {disc.level for disc in sick_discs(the_phantom, task)}
    assert 0 < len(sick) < len(DISC_LEVELS)
    assert set(levels) == sick
    node = show_heat_map(an_analysis, task, Overlay(discs=levels))
    shown, labels = slicer.util.arrayFromVolume(node), perfect_report(the_phantom).disc_labels
    for level in DISC_LEVELS:
        inside = the_phantom.scan.file_grid.file_from_standard(labels == disc_label(level)).transpose(2, 1, 0)
        assert shown[inside].any() == (level in sick)


def test_one_disc_shows_its_evidence_only_if_it_is_abnormal_where_that_is_asked_for(an_analysis, the_phantom):
    task, readings = Task.UPPER_MARROW, current_readings(an_analysis)
    (sick, *_), sick_levels = sick_discs(the_phantom, task), {disc.level for disc in sick_discs(the_phantom, task)}
    healthy = next(level for level in DISC_LEVELS if level not in sick_levels)
    assert levels_shown(readings, task, sick.level, abnormal_only=True) == (sick.level,)
    assert levels_shown(readings, task, healthy, abnormal_only=True) == ()
    assert levels_shown(readings, task, healthy, abnormal_only=False) == (healthy,)
    assert levels_shown(readings, task, None, abnormal_only=False) is None


def test_a_corrected_grade_decides_whether_its_evidence_is_shown(an_analysis, the_phantom):
    task = Task.UPPER_MARROW
    sick = sick_discs(the_phantom, task)[0].level
    correct_grade(an_analysis, sick, task, 0, Signature(datetime(2026, 3, 1, tzinfo=UTC)))
    assert sick not in levels_shown(current_readings(an_analysis), task, None, abnormal_only=True)


@pytest.mark.parametrize("is_moved_later", [False, True])
@pytest.mark.parametrize("is_one_disc", [False, True])
def test_evidence_follows_a_scan_under_a_linear_transform(
    a_scene, the_phantom, the_result, is_one_disc, is_moved_later
):
    scan = scan_node(a_scene, the_phantom.scan)
    transform = a_scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "turn")
    turn = vtk.vtkTransform()
    turn.Translate(30, -20, 10)
    turn.RotateX(20)
    transform.SetMatrixTransformToParent(turn.GetMatrix())
    if not is_moved_later:
        scan.SetAndObserveTransformNodeID(transform.GetID())
    analysis, task = add_result(a_scene, scan, the_result), Task.UPPER_MARROW
    scan.SetAndObserveTransformNodeID(transform.GetID())
    disc = sick_discs(the_phantom, task)[0]
    place = go_to_disc(analysis, disc.level)
    expected = turn.TransformPoint(disc.centre_ras_mm)
    assert np.linalg.norm(place - expected) <= the_phantom.scan.spacing_mm[0] / 2 + 0.01
    node = show_heat_map(analysis, task, Overlay(discs=(disc.level,) if is_one_disc else None))
    assert node.GetTransformNodeID() == transform.GetID()
    inside = perfect_report(the_phantom).disc_labels == disc_label(disc.level)
    inside = the_phantom.scan.file_grid.file_from_standard(inside).transpose(2, 1, 0)
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(node)[inside], slicer.util.arrayFromVolume(analysis.heat_map(task))[inside]
    )


@pytest.mark.parametrize(("axes", "backwards"), [((0, 1, 2), (0,)), ((0, 1, 2), (1, 2)), ((2, 0, 1), ())])
def test_heat_maps_of_an_earlier_version_in_another_order_are_refused(an_analysis, axes, backwards):
    for node in an_analysis.heat_maps().values():
        reorder(node, axes, backwards)
    with pytest.raises(InputError, match=r"in a scene of an earlier version: load the scan and its result again\.$"):
        show_heat_map(an_analysis, Task.UPPER_MARROW, Overlay(discs=("L4-L5",)))


def test_the_heat_of_no_disc_is_none(an_analysis, a_view):
    node = show_heat_map(an_analysis, Task.PFIRRMANN, Overlay(discs=()))
    assert not slicer.util.arrayFromVolume(node).any()


@pytest.mark.parametrize("wrong", [{"opacity": 1.5}, {"threshold": -0.1}])
def test_an_overlay_out_of_range_is_refused(wrong):
    (name,) = wrong
    with pytest.raises(InputError, match=f"{name} cannot be {wrong[name]}"):
        Overlay(**wrong)
