from __future__ import annotations

from datetime import UTC, datetime

import pytest
import slicer
import vtk
from report_making import UNSCORED

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.errors import InputError
from SpineNetLib.analysis import Part
from SpineNetLib.checking import correct_grade, move_levels, reading_of
from SpineNetLib.corrections import GradeCorrection, LevelsMoved, Signature, correction_of, row_of
from SpineNetLib.folders import folder_of
from SpineNetLib.markers import show_in_sagittal_views
from SpineNetLib.tables import corrections, current_readings, rows

NOON = Signature(datetime(2026, 3, 1, 12, tzinfo=UTC), "AB")
LATER = Signature(datetime(2026, 3, 1, 13, tzinfo=UTC))


def shown(analysis, level: str) -> dict[str, str]:
    table = analysis.node(Part.SCORES)
    names = [table.GetColumnName(place) for place in range(table.GetNumberOfColumns())]
    return dict(zip(names, rows(table)[DISC_LEVELS.index(level)], strict=True))


def test_a_correction_stands_in_the_table_and_keeps_what_it_was(an_analysis):
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    row = shown(an_analysis, "L4-L5")
    assert (row["Pfirrmann"], row["Corrected"], row["Pfirrmann uncertainty"]) == ("2", "Pfirrmann", "")
    assert corrections(an_analysis) == [GradeCorrection(NOON, "L4-L5", Task.PFIRRMANN, 5, 2)]
    reading = reading_of(an_analysis, "L4-L5").grades[Task.PFIRRMANN]
    assert (reading.grade, reading.automatic.grade, reading.probability) == (2, 5, pytest.approx(0.0625))


def test_the_last_correction_stands_and_all_are_kept(an_analysis):
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 3, LATER)
    assert shown(an_analysis, "L4-L5")["Pfirrmann"] == "3"
    assert [(entry.original, entry.new) for entry in corrections(an_analysis)] == [(5, 2), (2, 3)]


def test_a_correction_can_be_taken_back(an_analysis):
    before = shown(an_analysis, "L4-L5")
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, None, LATER)
    assert shown(an_analysis, "L4-L5") == before


@pytest.mark.parametrize(("task", "grade"), [(Task.PFIRRMANN, 0), (Task.NARROWING, 5), (Task.LOWER_MARROW, 2)])
def test_a_grade_that_the_task_does_not_have_is_refused(an_analysis, task, grade):
    with pytest.raises(InputError, match=f"{task.title} has no grade {grade}"):
        correct_grade(an_analysis, "L4-L5", task, grade, NOON)
    assert corrections(an_analysis) == []


def test_a_disc_that_was_not_found_cannot_be_graded(an_analysis):
    with pytest.raises(InputError, match=f"No disc was found at {UNSCORED}"):
        correct_grade(an_analysis, UNSCORED, Task.PFIRRMANN, 2, NOON)


@pytest.mark.parametrize("initials", ["=A1()", "much too long to be so", "A,B"])
def test_initials_that_a_spreadsheet_could_misread_are_refused(initials):
    with pytest.raises(InputError, match="cannot be a reader's initials"):
        Signature(NOON.time, initials)


def test_levels_move_towards_the_head_with_their_scores_and_corrections(an_analysis):
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    before = {reading.level: reading for reading in current_readings(an_analysis)}
    move_levels(an_analysis, -1, LATER)
    after = {reading.level: reading for reading in current_readings(an_analysis)}
    for lower, upper in (("L1-L2", "T12-L1"), ("L4-L5", "L3-L4"), ("L5-S1", "L4-L5")):
        assert after[upper].grades == before[lower].grades
    assert (after["L5-S1"].status, after["L5-S1"].grades) == ("not scored", {})
    assert "levels were moved" in shown(an_analysis, "L5-S1")["Reason"]
    assert corrections(an_analysis)[-1] == LevelsMoved(LATER, 0, -1)


def test_names_in_the_views_move_with_the_levels(an_analysis):
    move_levels(an_analysis, 1, NOON)
    labels = {}
    for part in (Part.VERTEBRA_NAMES, Part.DISC_NAMES):
        node = an_analysis.node(part)
        for place in range(node.GetNumberOfControlPoints()):
            labels[node.GetNthControlPointDescription(place)] = node.GetNthControlPointLabel(place)
    assert (labels["L4"], labels["S1"], labels["L4-L5"], labels["L5-S1"]) == ("L5", "S2", "L5-S1", "S1-S2")
    curves = {curve.GetNthControlPointDescription(0): curve.GetName() for curve in an_analysis.outlines()}
    assert (curves["T12"], curves["T12-L1"]) == ("L1", "L1-L2")
    segmentation = an_analysis.node(Part.DISC_SEGMENTS).GetSegmentation()
    assert segmentation.GetSegment("L4-L5").GetName() == "L5-S1"


def test_moving_up_and_down_again_changes_nothing(an_analysis):
    before = rows(an_analysis.node(Part.SCORES))
    names = [curve.GetName() for curve in an_analysis.outlines()]
    move_levels(an_analysis, 1, NOON)
    move_levels(an_analysis, -1, NOON)
    assert rows(an_analysis.node(Part.SCORES)) == before
    assert [curve.GetName() for curve in an_analysis.outlines()] == names


def test_a_grade_given_after_a_move_belongs_to_the_disc_as_it_is_called_now(an_analysis):
    move_levels(an_analysis, 1, NOON)
    correct_grade(an_analysis, "L5-S1", Task.NARROWING, 1, LATER)
    assert corrections(an_analysis)[-1] == GradeCorrection(LATER, "L4-L5", Task.NARROWING, 4, 1)
    assert shown(an_analysis, "L5-S1")["Narrowing"] == "1"


def test_where_the_segments_were_deleted_no_level_moves(an_analysis, a_scene):
    a_scene.RemoveNode(an_analysis.node(Part.DISC_SEGMENTS))
    with pytest.raises(InputError, match="analyse the scan again"):
        move_levels(an_analysis, 1, NOON)
    assert corrections(an_analysis) == []


@pytest.mark.parametrize("part", [Part.SCORES, Part.VERTEBRA_NAMES, Part.DISC_NAMES])
def test_what_can_be_done_without_is_not_missed(an_analysis, a_scene, part):
    a_scene.RemoveNode(an_analysis.node(part))
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    move_levels(an_analysis, 1, NOON)
    show_in_sagittal_views(an_analysis)
    assert shown(an_analysis, "L5-S1")["Pfirrmann"] == "2"
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(a_scene)
    assert tree.GetItemParent(tree.GetItemByDataNode(an_analysis.node(Part.SCORES))) == folder_of(an_analysis)


def test_points_that_a_user_added_keep_their_names(an_analysis):
    names = an_analysis.node(Part.DISC_NAMES)
    names.SetFixedNumberOfControlPoints(False)
    names.AddControlPoint(vtk.vtkVector3d(0, 0, 0), "mine")
    move_levels(an_analysis, 1, NOON)
    assert names.GetNthControlPointLabel(names.GetNumberOfControlPoints() - 1) == "mine"


def test_levels_move_by_two_at_most(an_analysis):
    move_levels(an_analysis, 2, NOON)
    with pytest.raises(InputError, match="cannot lie 3 from"):
        move_levels(an_analysis, 1, NOON)


@pytest.mark.parametrize(
    "entry",
    [
        GradeCorrection(NOON, "L4-L5", Task.PFIRRMANN, 3, 4),
        GradeCorrection(LATER, "L1-L2", Task.LOWER_MARROW, None, 0),
        GradeCorrection(LATER, "L1-L2", Task.LOWER_MARROW, 0, None),
        LevelsMoved(NOON, 0, -1),
    ],
)
def test_an_entry_of_the_log_reads_back_as_it_was(entry):
    assert correction_of(row_of(entry)) == entry


def test_a_log_that_somebody_edited_is_told_with_its_row(an_analysis):
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    an_analysis.node(Part.CORRECTIONS).SetCellText(0, 3, "mood")
    with pytest.raises(InputError, match=r"cannot be read at .*mood"):
        corrections(an_analysis)
