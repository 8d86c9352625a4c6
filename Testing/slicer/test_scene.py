from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import slicer
import vtk
from headless_slicer import reorder, scan_node
from report_making import UNSCORED, a_report

from SpineNetCore.anatomy import DISC_LEVELS, Task, disc_label
from SpineNetCore.errors import InputError
from SpineNetCore.report import write_report
from SpineNetLib import markers
from SpineNetLib.analysis import Part, analyses, check_in_place
from SpineNetLib.checking import correct_grade, move_levels
from SpineNetLib.corrections import Signature
from SpineNetLib.disc_line import add_disc_line
from SpineNetLib.folders import folder_of
from SpineNetLib.page import current_report
from SpineNetLib.reference_table import keep_reference, kept_reference
from SpineNetLib.results import read_result
from SpineNetLib.scan_nodes import in_scan_order, ras_from_ijk
from SpineNetLib.scene import add_result
from SpineNetLib.segments import disc_mask
from SpineNetLib.tables import corrections, rows

NOON = Signature(datetime(2026, 3, 1, 12, tzinfo=UTC), "AB")


def kinds(scene) -> Counter[str]:
    return Counter(scene.GetNthNode(place).GetClassName() for place in range(scene.GetNumberOfNodes()))


def tree_of(scene):
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def move_scene(scene, other_scene, tmp_path) -> None:
    assert scene.WriteToMRB(str(tmp_path / "scene.mrb"))
    assert other_scene.ReadFromMRB(str(tmp_path / "scene.mrb"))


def test_everything_of_a_result_comes_into_the_scene(an_analysis):
    assert set(an_analysis.heat_maps()) == set(Task)
    assert len(an_analysis.outlines()) == 7 + 6
    assert [row[0] for row in rows(an_analysis.node(Part.SCORES))] == list(DISC_LEVELS)
    assert an_analysis.node(Part.VERTEBRA_NAMES).GetNumberOfControlPoints() == 7
    assert an_analysis.node(Part.DISC_NAMES).GetNumberOfControlPoints() == 5


def test_across_a_missing_vertebra_no_disc_is_outlined(a_scene, a_scan_node, tmp_path):
    report = a_report()
    without = replace(report, vertebrae=tuple(vertebra for vertebra in report.vertebrae if vertebra.level != "L2"))
    write_report(without, tmp_path / "result")
    analysis = add_result(a_scene, a_scan_node, read_result(tmp_path / "result"))
    move_levels(analysis, 1, NOON)
    assert len(analysis.outlines()) == 6 + 4
    discs = {disc.level: disc.disc for disc in current_report(analysis).discs}
    assert [level for level, disc in discs.items() if disc is None] == ["T12-L1", "L1-L2", "L2-L3", "L3-L4"]
    assert (discs["L4-L5"].upper.level, discs["L4-L5"].lower.level) == ("L4", "L5")


def test_a_heat_map_lies_where_its_file_says(an_analysis, a_scan_node):
    scan = a_report().scan
    expected = scan.file_grid.file_from_standard(a_report().hotspots[Task.NARROWING]).transpose(2, 1, 0)
    node = an_analysis.heat_map(Task.NARROWING)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), expected)
    np.testing.assert_allclose(ras_from_ijk(node), ras_from_ijk(a_scan_node), atol=1e-4)


def test_the_score_table_says_grade_probability_and_uncertainty(an_analysis):
    table = an_analysis.node(Part.SCORES)
    names = [table.GetColumnName(place) for place in range(table.GetNumberOfColumns())]
    row = dict(zip(names, rows(table)[DISC_LEVELS.index("L4-L5")], strict=True))
    assert (row["Pfirrmann"], row["Pfirrmann probability"], row["Pfirrmann uncertainty"]) == ("5", "0.75", "0.06")
    unscored = dict(zip(names, rows(table)[DISC_LEVELS.index(UNSCORED)], strict=True))
    assert (unscored["Status"], unscored["Pfirrmann"]) == ("not scored", "")


def test_segments_hold_the_voxels_of_their_disc(an_analysis):
    report = a_report()
    labels = report.scan.file_grid.file_from_standard(report.disc_labels).transpose(2, 1, 0)
    for level in DISC_LEVELS:
        mask = disc_mask(an_analysis, [level])
        np.testing.assert_array_equal(mask, labels == disc_label(level))


@pytest.mark.parametrize("missing", ["L5-S1", "L3-L4"])
def test_segments_hold_the_voxels_of_their_disc_where_another_is_missing(a_scene, a_scan_node, a_result, missing):
    labels = in_scan_order(a_scan_node, a_result.disc_labels)
    labels = replace(labels, voxels=np.where(labels.voxels == disc_label(missing), 0, labels.voxels))
    analysis = add_result(a_scene, a_scan_node, replace(a_result, disc_labels=labels))
    assert analysis.node(Part.DISC_SEGMENTS).GetSegmentation().GetSegment(missing) is None
    for level in DISC_LEVELS:
        expected = labels.voxels.transpose(2, 1, 0) == disc_label(level)
        np.testing.assert_array_equal(disc_mask(analysis, [level]), expected)


def test_everything_lies_in_one_folder(an_analysis, a_scene):
    tree, folder = tree_of(a_scene), folder_of(an_analysis)
    inner = tree.GetItemByDataNode(an_analysis.outlines()[0])
    parents = {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in an_analysis.own_nodes()}
    assert parents == {folder, tree.GetItemParent(inner)}
    assert tree.GetItemParent(tree.GetItemParent(inner)) == folder
    assert tree.GetItemName(folder) == f"{an_analysis.scan.GetName()} SpineNet"


def test_a_result_of_another_scan_leaves_the_scene_as_it_was(a_scene, a_scan_node, a_result):
    moved = a_scan_node.GetOrigin()
    a_scan_node.SetOrigin(moved[0] + 5, moved[1], moved[2])
    before = kinds(a_scene)
    with pytest.raises(InputError, match="choose the result of this scan"):
        add_result(a_scene, a_scan_node, a_result)
    assert kinds(a_scene) == before


def test_a_failure_half_way_leaves_the_scene_as_it_was(a_scene, a_scan_node, a_result, monkeypatch):
    before, items = kinds(a_scene), tree_of(a_scene).GetNumberOfItems()
    monkeypatch.setattr(markers, "_add_names", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        add_result(a_scene, a_scan_node, a_result)
    assert kinds(a_scene) == before
    assert tree_of(a_scene).GetNumberOfItems() == items


def test_points_go_on_into_the_users_own_list(an_application, a_scene, a_scan_node, a_result):
    mine = a_scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "my points")
    analysis = add_result(a_scene, a_scan_node, a_result)
    add_disc_line(analysis, "L4-L5")
    selection = an_application.logic.GetSelectionNode()
    assert selection.GetActivePlaceNodeID() == mine.GetID()
    names = analysis.node(Part.DISC_NAMES)
    assert names.AddControlPoint(vtk.vtkVector3d(0, 0, 0)) == -1


def test_a_result_is_undone_in_one_step(a_scene, a_scan_node, a_result):
    a_scene.SetUndoOn()
    before = kinds(a_scene)
    add_result(a_scene, a_scan_node, a_result)
    assert kinds(a_scene) != before
    a_scene.Undo()
    assert kinds(a_scene) == before
    assert a_scene.IsNodePresent(a_scan_node)


def test_a_result_is_there_again_after_redo(a_scene, a_scan_node, a_result):
    a_scene.SetUndoOn()
    analysis = add_result(a_scene, a_scan_node, a_result)
    scores = rows(analysis.node(Part.SCORES))
    heat = slicer.util.arrayFromVolume(analysis.heat_map(Task.NARROWING)).copy()
    a_scene.Undo()
    a_scene.Redo()
    (again,) = analyses(a_scene)
    assert again.scan is a_scan_node
    assert rows(again.node(Part.SCORES)) == scores
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(again.heat_map(Task.NARROWING)), heat)
    assert len(again.outlines()) == 7 + 6
    assert all(node.GetDisplayNode() is not None for node in (*again.heat_maps().values(), *again.outlines()))
    correct_grade(again, "L4-L5", Task.PFIRRMANN, 2, NOON)
    assert [entry.new for entry in corrections(again)] == [2]


def test_corrections_moves_and_references_are_each_undone_in_one_step(a_scene, an_analysis):
    a_scene.SetUndoOn()
    before = rows(an_analysis.node(Part.SCORES))
    changes = (
        lambda: correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON),
        lambda: move_levels(an_analysis, -1, NOON),
        lambda: keep_reference(an_analysis, {("L4-L5", Task.PFIRRMANN): 3}),
    )
    for change in changes:
        change()
        a_scene.Undo()
        (again,) = analyses(a_scene)
        assert rows(again.node(Part.SCORES)) == before
        assert corrections(again) == []
        assert kept_reference(again) == {}
        assert next(curve.GetName() for curve in again.outlines()) == "T12"


def test_two_analyses_of_scans_with_one_name_stay_apart(a_scene, a_result):
    scans = [scan_node(a_scene, a_report().scan) for _ in range(2)]
    first, second = (add_result(a_scene, scan, a_result) for scan in scans)
    correct_grade(first, "L4-L5", Task.PFIRRMANN, 1, NOON)
    assert (len(corrections(first)), len(corrections(second))) == (1, 0)
    assert [analysis.scan.GetID() for analysis in analyses(a_scene)] == [scan.GetID() for scan in scans]
    for node in tuple(first.own_nodes()):
        a_scene.RemoveNode(node)
    assert [analysis.record.GetID() for analysis in analyses(a_scene)] == [second.record.GetID()]
    assert set(second.heat_maps()) == set(Task)


def test_results_follow_the_transform_of_their_scan(a_scene, a_scan_node, a_result):
    transform = a_scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "shift")
    a_scan_node.SetAndObserveTransformNodeID(transform.GetID())
    analysis = add_result(a_scene, a_scan_node, a_result)
    followers = [*analysis.heat_maps().values(), *analysis.outlines(), analysis.node(Part.DISC_SEGMENTS)]
    assert {node.GetTransformNodeID() for node in followers} == {transform.GetID()}


def test_a_deleted_heat_map_is_told_by_its_name(an_analysis, a_scene):
    a_scene.RemoveNode(an_analysis.heat_map(Task.NARROWING))
    with pytest.raises(InputError, match="no Narrowing heat map in the scene"):
        an_analysis.heat_map(Task.NARROWING)


def test_a_saved_scene_is_the_same_after_it_is_loaded(a_scene, a_result, another_application, tmp_path):
    scan = scan_node(a_scene, replace(a_report().scan, name="T2 sagittal"))
    analysis = add_result(a_scene, scan, a_result)
    correct_grade(analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    correct_grade(analysis, "L3-L4", Task.UPPER_MARROW, 0, Signature(NOON.time))
    move_levels(analysis, -1, NOON)
    reference = {("L4-L5", Task.PFIRRMANN): 3, ("L5-S1", Task.LOWER_MARROW): 0}
    keep_reference(analysis, reference)

    move_scene(a_scene, another_application.scene, tmp_path)
    (again,) = analyses(another_application.scene)
    assert again.scan.GetName() == "T2 sagittal"
    assert corrections(again) == corrections(analysis)
    assert kept_reference(again) == reference
    for part in (Part.SCORES, Part.CORRECTIONS):
        assert rows(again.node(part)) == rows(analysis.node(part))
    for task in Task:
        np.testing.assert_array_equal(
            slicer.util.arrayFromVolume(again.heat_map(task)), slicer.util.arrayFromVolume(analysis.heat_map(task))
        )
    assert [curve.GetName() for curve in again.outlines()] == [curve.GetName() for curve in analysis.outlines()]
    assert tree_of(another_application.scene).GetItemName(folder_of(again)) == "T2 sagittal SpineNet"


@pytest.mark.parametrize("backwards", [(), (2,)])
def test_scan_and_heat_maps_turn_alike_when_a_scene_is_loaded(
    a_scene, a_result, another_application, tmp_path, backwards
):
    scan = scan_node(a_scene, replace(a_report().scan, name="T2 sagittal"))
    reorder(scan, (0, 1, 2), backwards)  # one of the two is left-handed
    add_result(a_scene, scan, a_result)
    move_scene(a_scene, another_application.scene, tmp_path)
    (again,) = analyses(another_application.scene)
    check_in_place(again)
    np.testing.assert_array_equal(current_report(again).hotspots[Task.NARROWING], a_report().hotspots[Task.NARROWING])


def test_work_goes_on_after_the_scene_is_loaded(a_scene, a_result, another_application, tmp_path):
    scan = scan_node(a_scene, replace(a_report().scan, name="T2 sagittal"))
    correct_grade(add_result(a_scene, scan, a_result), "L4-L5", Task.PFIRRMANN, 2, NOON)
    move_scene(a_scene, another_application.scene, tmp_path)
    (again,) = analyses(another_application.scene)
    correct_grade(again, "L4-L5", Task.PFIRRMANN, 3, NOON)
    move_levels(again, 1, NOON)
    assert [entry.new for entry in corrections(again)] == [2, 3, 1]
    assert rows(again.node(Part.SCORES))[-1][2] == "3"
