"""A disc put elsewhere by a reader, graded there, and taken into the analysis: on Slicer's real scene."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import slicer
from headless_slicer import moved, reorder, scan_node, turned_over
from report_making import UNSCORED, a_report, with_disc

from SpineNetCore.anatomy import DISC_LEVELS, Task, disc_label
from SpineNetCore.errors import InputError
from SpineNetCore.given_spine import read_spine
from SpineNetCore.report import write_report
from SpineNetLib.analysis import Analysis, Part, analyses
from SpineNetLib.checking import correct_grade, move_levels, reading_of
from SpineNetLib.corrections import DiscMoved, Signature, correction_of, row_of
from SpineNetLib.disc_line import add_disc_line, lined_disc, remove_disc_line
from SpineNetLib.folders import folder_of
from SpineNetLib.navigation import go_to_disc
from SpineNetLib.page import current_report
from SpineNetLib.rescoring import Rescoring, asked_rescoring, take_in
from SpineNetLib.results import Result, read_findings, read_result
from SpineNetLib.scene import add_result
from SpineNetLib.segments import disc_mask
from SpineNetLib.tables import corrections, current_readings, rows

NOON = Signature(datetime(2026, 3, 1, 12, tzinfo=UTC), "AB")
LEVEL = "L4-L5"
PLACE = DISC_LEVELS.index(LEVEL)
DOWN_MM, BACK_MM = 2.0, 3.0


@pytest.fixture(scope="module")
def the_fresh_result(tmp_path_factory) -> Result:
    """L4-L5 graded alone, all grades lowest, its box four rows lower, its evidence 1 throughout."""
    report = a_report()
    labels = np.roll(np.where(report.disc_labels == disc_label(LEVEL), report.disc_labels, 0), 4, axis=1)
    old = report.discs[PLACE]
    scores = tuple(replace(score, grade=score.task.grades[0], uncertainty=0.5) for score in old.scores or ())
    fresh = replace(report, disc_labels=labels, hotspots={task: np.float32(1) * (labels > 0) for task in Task})
    folder = tmp_path_factory.mktemp("fresh") / "result"
    write_report(with_disc(fresh, replace(old, scores=scores)), folder)
    return read_result(folder)


def drag(analysis: Analysis, down_mm: float, back_mm: float, lift_back_mm: float = 0.0) -> None:
    """Move the line as a whole, and its back end upwards."""
    geometry = analysis.findings.discs[PLACE].geometry
    line = analysis.node(Part.DISC_LINE)
    for number in range(2):
        place = np.array(line.GetNthControlPointPosition(number))
        place += down_mm * geometry.inferior + back_mm * geometry.posterior - number * lift_back_mm * geometry.inferior
        line.SetNthControlPointPosition(number, *place)


def asked(analysis: Analysis) -> Rescoring:
    add_disc_line(analysis, LEVEL)
    drag(analysis, DOWN_MM, BACK_MM, lift_back_mm=4.0)
    return asked_rescoring(analysis)


def with_place_of(result: Result, rescoring: Rescoring) -> Result:
    """What the command line would give back: the disc where it was asked for."""
    wanted = json.loads(rescoring.report)["discs"][PLACE]
    content = json.loads(result.findings.text)
    content["discs"][PLACE] |= {name: wanted[name] for name in ("centre_ras_mm", "geometry")}
    return replace(result, findings=replace(result.findings, text=json.dumps(content)))


def state(analysis: Analysis) -> dict[str, object]:
    """All that a re-scoring may change."""
    names = analysis.node(Part.DISC_NAMES)
    return {
        "report": analysis.record.GetText(),
        "heat": {task: slicer.util.arrayFromVolume(node).tobytes() for task, node in analysis.heat_maps().items()},
        "mask": disc_mask(analysis, [LEVEL]).tobytes(),
        "scores": rows(analysis.node(Part.SCORES)),
        "log": corrections(analysis),
        "names": [names.GetNthControlPointPosition(place) for place in range(names.GetNumberOfControlPoints())],
    }


def test_the_line_lies_along_the_disc_from_front_to_back(an_analysis):
    line = add_disc_line(an_analysis, LEVEL)
    finding = an_analysis.findings.discs[PLACE]
    front, back = (np.array(line.GetNthControlPointPosition(place)) for place in range(2))
    np.testing.assert_allclose(back - front, finding.geometry.width_mm * finding.geometry.posterior, atol=0.01)
    assert np.linalg.norm((front + back) / 2 - finding.centre_ras_mm) <= 2.0  # half a slice
    assert [line.GetNthControlPointLabel(place) for place in range(2)] == ["front", "back"]
    assert lined_disc(an_analysis) == LEVEL


def test_there_is_one_line_and_it_can_be_dropped(an_analysis, a_scene):
    before = a_scene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode")
    add_disc_line(an_analysis, LEVEL)
    add_disc_line(an_analysis, "L3-L4")
    assert (a_scene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode"), lined_disc(an_analysis)) == (before + 1, "L3-L4")
    remove_disc_line(an_analysis)
    assert (a_scene.GetNumberOfNodesByClass("vtkMRMLMarkupsLineNode"), lined_disc(an_analysis)) == (before, None)


def test_the_line_lies_in_the_analysis_folder_under_the_scans_transform(a_scene, a_scan_node, a_result):
    transform = a_scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "shift")
    a_scan_node.SetAndObserveTransformNodeID(transform.GetID())
    analysis = add_result(a_scene, a_scan_node, a_result)
    line = add_disc_line(analysis, LEVEL)
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(a_scene)
    assert tree.GetItemParent(tree.GetItemByDataNode(line)) == folder_of(analysis)
    assert line.GetTransformNodeID() == transform.GetID()


def test_a_disc_that_was_not_found_cannot_be_moved(an_analysis):
    with pytest.raises(InputError, match=f"No disc was found at {UNSCORED}"):
        add_disc_line(an_analysis, UNSCORED)
    with pytest.raises(InputError, match="No disc is being moved"):
        asked_rescoring(an_analysis)


def test_the_core_reads_the_disc_where_the_line_puts_it(an_analysis, tmp_path):
    earlier = an_analysis.findings.discs[PLACE]
    line = add_disc_line(an_analysis, LEVEL)
    middle = np.mean([line.GetNthControlPointPosition(place) for place in range(2)], axis=0)
    drag(an_analysis, DOWN_MM, BACK_MM, lift_back_mm=4.0)
    (tmp_path / "report.json").write_text(asked_rescoring(an_analysis).report, "utf-8")
    disc = read_spine(Path(tmp_path / "report.json"), a_report().scan).disc(LEVEL)

    moved = middle + (DOWN_MM - 2.0) * earlier.geometry.inferior + BACK_MM * earlier.geometry.posterior
    np.testing.assert_allclose(disc.centre_ras_mm, moved, atol=0.02)
    width = earlier.geometry.width_mm
    tilted = (width * earlier.geometry.posterior - 4.0 * earlier.geometry.inferior) / np.hypot(width, 4.0)
    np.testing.assert_allclose(disc.posterior, tilted, atol=2e-4)
    assert (disc.width_mm, disc.height_mm) == (width, earlier.geometry.height_mm)
    np.testing.assert_allclose(np.cross(disc.inferior, disc.posterior), disc.left, atol=1e-3)


@pytest.mark.parametrize(
    ("ends_mm", "said"),
    [
        (((0, 0), (0, 0)), "0.0 mm long"),
        (((0, 20), (0, -20)), "turned by 180 degrees"),
        (((500, -20), (500, 20)), "lies outside"),
    ],
)
def test_a_line_that_can_be_no_disc_is_refused(an_analysis, ends_mm, said):
    line, finding = add_disc_line(an_analysis, LEVEL), an_analysis.findings.discs[PLACE]
    for number, (down, back) in enumerate(ends_mm):
        place = finding.centre_ras_mm + down * finding.geometry.inferior + back * finding.geometry.posterior
        line.SetNthControlPointPosition(number, *place)
    with pytest.raises(InputError, match=said):
        asked_rescoring(an_analysis)


def test_a_disc_graded_anew_takes_its_place_among_the_others(an_analysis, the_fresh_result):
    others = {reading.level: reading.grades for reading in current_readings(an_analysis) if reading.level != LEVEL}
    rescoring = asked(an_analysis)
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)

    grades = reading_of(an_analysis, LEVEL).grades
    assert all(grade.grade == task.grades[0] for task, grade in grades.items())
    assert {reading.level: reading.grades for reading in current_readings(an_analysis) if reading.level in others} == (
        others
    )
    finding = an_analysis.findings.discs[PLACE]
    np.testing.assert_allclose(finding.centre_ras_mm, rescoring.new.centre_ras_mm, atol=0.01)
    assert lined_disc(an_analysis) is None


def test_its_evidence_and_voxels_are_exchanged_and_those_of_the_others_stay(an_analysis, the_fresh_result):
    grid, labels = a_report().scan.file_grid, a_report().disc_labels
    before = {task: slicer.util.arrayFromVolume(node).copy() for task, node in an_analysis.heat_maps().items()}
    rescoring = asked(an_analysis)
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)

    moved = np.roll(labels == disc_label(LEVEL), 4, axis=1)
    here = grid.file_from_standard(moved).transpose(2, 1, 0)
    was = grid.file_from_standard(labels == disc_label(LEVEL)).transpose(2, 1, 0)
    np.testing.assert_array_equal(disc_mask(an_analysis, [LEVEL]), here)
    other = grid.file_from_standard(labels == disc_label("L3-L4")).transpose(2, 1, 0)
    np.testing.assert_array_equal(disc_mask(an_analysis, ["L3-L4"]), other)
    for task, node in an_analysis.heat_maps().items():
        heat = slicer.util.arrayFromVolume(node)
        assert (heat[here] == before[task][was].max()).all()
        assert not heat[was & ~here].any()
        np.testing.assert_array_equal(heat[other], before[task][other])


@pytest.mark.parametrize(("axes", "backwards"), [((0, 1, 2), (2,)), ((2, 0, 1), ())])
def test_a_scan_in_another_order_than_its_result_is_changed_alike(
    an_analysis, the_fresh_result, a_result, axes, backwards
):
    another_scan = scan_node(an_analysis.scene, a_report().scan)
    reorder(another_scan, axes, backwards)
    another = add_result(an_analysis.scene, another_scan, a_result)
    for analysis in (an_analysis, another):
        rescoring = asked(analysis)
        take_in(analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    ours, theirs = current_report(another), current_report(an_analysis)
    np.testing.assert_array_equal(ours.disc_labels, theirs.disc_labels)
    for task in Task:
        np.testing.assert_array_equal(ours.hotspots[task], theirs.hotspots[task])


def test_a_disc_whose_segment_was_deleted_gets_it_back_under_its_present_name(an_analysis, the_fresh_result):
    move_levels(an_analysis, 1, NOON)
    add_disc_line(an_analysis, "L5-S1")
    rescoring, was = asked_rescoring(an_analysis), disc_mask(an_analysis, [LEVEL])
    segmentation = an_analysis.node(Part.DISC_SEGMENTS).GetSegmentation()
    colour = segmentation.GetSegment(LEVEL).GetColor()
    segmentation.RemoveSegment(LEVEL)
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    segment, now = segmentation.GetSegment(LEVEL), disc_mask(an_analysis, [LEVEL])
    assert (segment.GetName(), segment.GetColor()) == ("L5-S1", colour)
    assert now.sum() == was.sum()
    for node in an_analysis.heat_maps().values():
        heat = slicer.util.arrayFromVolume(node)
        assert heat[now].all()
        assert not heat[was & ~now].any()


def test_where_other_segments_were_deleted_too_nothing_changes(an_analysis, the_fresh_result):
    move_levels(an_analysis, 1, NOON)
    add_disc_line(an_analysis, "L5-S1")
    rescoring, segmentation = asked_rescoring(an_analysis), an_analysis.node(Part.DISC_SEGMENTS).GetSegmentation()
    for level in (LEVEL, "L3-L4", "L2-L3"):
        segmentation.RemoveSegment(level)
    before = state(an_analysis)
    with pytest.raises(InputError, match=r"of other discs \(L3-L4, L4-L5\) were deleted: load the result again"):
        take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    assert state(an_analysis) == before
    assert segmentation.GetSegment(LEVEL) is None


def test_a_disc_that_has_its_segment_is_taken_in_although_others_were_deleted(an_analysis, the_fresh_result):
    rescoring, other = asked(an_analysis), disc_mask(an_analysis, ["L3-L4"])
    before = {task: slicer.util.arrayFromVolume(node)[other] for task, node in an_analysis.heat_maps().items()}
    an_analysis.node(Part.DISC_SEGMENTS).GetSegmentation().RemoveSegment("L3-L4")
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    for task, node in an_analysis.heat_maps().items():
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(node)[other], before[task])


def test_a_disc_that_was_not_asked_for_at_first_is_graded_where_it_is_put(
    a_scene, a_scan_node, a_result, the_fresh_result
):
    content = json.loads(a_result.findings.text)
    content["discs"][PLACE] |= {"status": "not scored", "reason": "It was not asked for.", "scores": {}}
    voxels = a_result.disc_labels.voxels
    labels = replace(a_result.disc_labels, voxels=np.where(voxels == disc_label(LEVEL), 0, voxels))
    findings = read_findings(json.dumps(content), "report")
    analysis = add_result(a_scene, a_scan_node, replace(a_result, findings=findings, disc_labels=labels))
    rescoring = asked(analysis)
    take_in(analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    assert reading_of(analysis, LEVEL).grades[Task.PFIRRMANN].grade == 1
    assert disc_mask(analysis, [LEVEL]).any()
    assert corrections(analysis)[0].original_grades == ()


def test_its_outline_and_name_go_with_it(an_analysis, the_fresh_result):
    (outline,) = (curve for curve in an_analysis.outlines() if curve.GetName() == LEVEL)
    earlier = an_analysis.findings.discs[PLACE]

    def corners_in_disc(finding):
        axes = np.column_stack([finding.geometry.left, finding.geometry.inferior, finding.geometry.posterior])
        return (slicer.util.arrayFromMarkupsControlPoints(outline) - finding.centre_ras_mm) @ axes

    before = corners_in_disc(earlier)
    rescoring = asked(an_analysis)
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    np.testing.assert_allclose(corners_in_disc(an_analysis.findings.discs[PLACE]), before, atol=0.02)
    names = an_analysis.node(Part.DISC_NAMES)
    (place,) = (n for n in range(names.GetNumberOfControlPoints()) if names.GetNthControlPointLabel(n) == LEVEL)
    finding = an_analysis.findings.discs[PLACE]
    behind = np.array(names.GetNthControlPointPosition(place)) - finding.centre_ras_mm
    np.testing.assert_allclose(behind, 0.75 * finding.geometry.width_mm * finding.geometry.posterior, atol=0.02)


def test_what_moved_is_logged_with_place_grades_time_and_reader(an_analysis, the_fresh_result):
    rescoring = asked(an_analysis)
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    (entry,) = corrections(an_analysis)
    worst, best = (tuple(task.grades[place] for task in Task) for place in (-1, 0))
    assert entry == DiscMoved(NOON, LEVEL, rescoring.original, rescoring.new, worst, best)
    assert correction_of(row_of(entry)) == entry
    centre = " ".join(f"{value:.2f}" for value in rescoring.new.centre_ras_mm)
    assert row_of(entry)[-1].startswith(f"1 1 0 0 0 0 graded at ({centre}) mm, back towards (")


def test_a_readers_grade_stays_when_the_disc_is_graded_anew(an_analysis, the_fresh_result):
    correct_grade(an_analysis, LEVEL, Task.PFIRRMANN, 3, NOON)
    rescoring = asked(an_analysis)
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    grade = reading_of(an_analysis, LEVEL).grades[Task.PFIRRMANN]
    assert (grade.grade, grade.automatic.grade) == (3, 1)


def test_a_moved_disc_keeps_the_level_it_is_called_by(an_analysis, the_fresh_result):
    move_levels(an_analysis, 1, NOON)
    add_disc_line(an_analysis, "L5-S1")
    rescoring = asked_rescoring(an_analysis)
    assert rescoring.level == LEVEL
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    assert reading_of(an_analysis, "L5-S1").grades[Task.PFIRRMANN].grade == 1


def test_taking_it_in_is_undone_and_redone_in_one_step(an_analysis, the_fresh_result, a_scene):
    a_scene.SetUndoOn()
    rescoring = asked(an_analysis)
    before = state(an_analysis)
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    after = state(an_analysis)
    assert all(after[name] != before[name] for name in before)
    a_scene.Undo()
    (again,) = analyses(a_scene)
    assert state(again) == before
    a_scene.Redo()
    (again,) = analyses(a_scene)
    assert state(again) == after


def test_a_disc_that_could_not_be_graded_there_changes_nothing(an_analysis, the_fresh_result):
    rescoring, before = asked(an_analysis), state(an_analysis)
    report = json.loads(the_fresh_result.findings.text)
    report["discs"][PLACE] |= {"status": "not scored", "reason": "Outside the scan.", "scores": {}}
    discs = list(the_fresh_result.findings.discs)
    discs[PLACE] = replace(discs[PLACE], scores={}, reason="Outside the scan.")
    findings = replace(the_fresh_result.findings, text=json.dumps(report), discs=tuple(discs))
    with pytest.raises(InputError, match=r"L4-L5 could not be graded there \(Outside the scan\)"):
        take_in(an_analysis, rescoring, replace(the_fresh_result, findings=findings), NOON)
    assert state(an_analysis) == before
    assert lined_disc(an_analysis) == LEVEL


@pytest.mark.parametrize("part", [Part.CORRECTIONS, Part.DISC_SEGMENTS])
def test_where_a_part_of_the_analysis_was_deleted_nothing_changes(an_analysis, the_fresh_result, a_scene, part):
    rescoring = asked(an_analysis)
    a_scene.RemoveNode(an_analysis.node(part))
    before = an_analysis.record.GetText()
    with pytest.raises(InputError, match="analyse the scan again"):
        take_in(an_analysis, rescoring, the_fresh_result, NOON)
    assert an_analysis.record.GetText() == before


def test_a_disc_graded_by_another_model_is_not_put_beside_the_others(an_analysis, the_fresh_result):
    rescoring = asked(an_analysis)
    report = json.loads(the_fresh_result.findings.text)
    report["models"]["grader"]["digest"] = "another"
    findings = replace(the_fresh_result.findings, text=json.dumps(report))
    with pytest.raises(InputError, match=r"by another model \(0123456789ab, not another\): choose the folder"):
        take_in(an_analysis, rescoring, replace(the_fresh_result, findings=findings), NOON)


def test_a_disc_is_graded_through_as_many_views_as_the_others(an_analysis):
    content = json.loads(an_analysis.record.GetText())
    content["settings"] |= {"views": 5, "hotspot_views": 3}
    an_analysis.record.SetText(json.dumps(content))
    rescoring = asked(an_analysis)
    assert (rescoring.views, rescoring.hotspot_views) == (5, 3)


def test_a_scan_moved_under_its_line_is_not_graded_before_the_line_followed(an_analysis):
    add_disc_line(an_analysis, LEVEL)
    before = asked_rescoring(an_analysis)
    moved(an_analysis.scan, 0, 0, 40)
    with pytest.raises(InputError, match="was moved away from the line"):
        asked_rescoring(an_analysis)
    go_to_disc(an_analysis, LEVEL)
    assert asked_rescoring(an_analysis) == before
    an_analysis.scan.HardenTransform()
    with pytest.raises(InputError, match="was moved since its analysis: analyse it again"):
        asked_rescoring(an_analysis)


def test_a_disc_graded_while_its_scan_came_under_a_transform_is_taken_in_alike(an_analysis, the_fresh_result):
    rescoring = asked(an_analysis)
    moved(an_analysis.scan, 0, 0, 40)
    take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    here = np.roll(a_report().disc_labels == disc_label(LEVEL), 4, axis=1)
    expected = a_report().scan.file_grid.file_from_standard(here).transpose(2, 1, 0)
    np.testing.assert_array_equal(disc_mask(an_analysis, [LEVEL]), expected)


def test_a_disc_graded_while_its_scan_was_mirrored_changes_nothing(an_analysis, the_fresh_result):
    rescoring, before = asked(an_analysis), state(an_analysis)
    turned_over(an_analysis.scan, 1)
    with pytest.raises(InputError, match="load the scan and its result again"):
        take_in(an_analysis, rescoring, with_place_of(the_fresh_result, rescoring), NOON)
    assert state(an_analysis) == before


def test_a_result_on_another_grid_changes_nothing(an_analysis, the_fresh_result):
    rescoring, before = asked(an_analysis), state(an_analysis)
    cut = replace(the_fresh_result.disc_labels, voxels=the_fresh_result.disc_labels.voxels[:-1])
    with pytest.raises(InputError, match="does not lie on the voxels of"):
        take_in(an_analysis, rescoring, replace(the_fresh_result, disc_labels=cut), NOON)
    assert state(an_analysis) == before


def test_a_move_begun_goes_on_after_the_scene_is_loaded(a_scene, a_scan_node, a_result, another_application, tmp_path):
    a_scan_node.SetName("T2")  # Slicer cannot load a scene with an ampersand in the name of a file
    an_analysis = add_result(a_scene, a_scan_node, a_result)
    add_disc_line(an_analysis, LEVEL)
    drag(an_analysis, DOWN_MM, BACK_MM)
    assert a_scene.WriteToMRB(str(tmp_path / "scene.mrb"))
    assert another_application.scene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    (again,) = analyses(another_application.scene)
    ours, theirs = asked_rescoring(an_analysis).new, asked_rescoring(again).new
    np.testing.assert_allclose(theirs.centre_ras_mm, ours.centre_ras_mm, atol=0.02)
    np.testing.assert_allclose(theirs.posterior_ras, ours.posterior_ras, atol=1e-3)
