"""The HTML page written from the scene, held against the one of the command line."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from headless_slicer import bent, moved, reorder, turned_over
from report_making import UNSCORED, a_report

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetLib.checking import correct_grade, move_levels
from SpineNetLib.corrections import Signature
from SpineNetLib.page import current_report, export_page
from SpineNetLib.results import read_findings
from SpineNetLib.scene import add_result

NOON = Signature(datetime(2026, 3, 1, 12, tzinfo=UTC), "AB")


def test_an_analysis_that_nobody_changed_is_reported_as_the_command_line_did(an_analysis):
    ours, theirs = current_report(an_analysis), a_report()
    assert [vertebra.level for vertebra in ours.vertebrae] == [vertebra.level for vertebra in theirs.vertebrae]
    assert (ours.models, ours.timings_s, ours.warnings) == (theirs.models, theirs.timings_s, theirs.warnings)
    np.testing.assert_array_equal(ours.scan.voxels, theirs.scan.voxels)
    np.testing.assert_array_equal(ours.disc_labels, theirs.disc_labels)
    for task in Task:
        np.testing.assert_array_equal(ours.hotspots[task], theirs.hotspots[task])
    for our, their in zip(ours.discs, theirs.discs, strict=True):
        assert (our.level, our.status, our.reason) == (their.level, their.status, their.reason)
        for ours_of_task, theirs_of_task in zip(our.scores or (), their.scores or (), strict=True):
            assert (ours_of_task.task, ours_of_task.grade) == (theirs_of_task.task, theirs_of_task.grade)
            assert ours_of_task.probabilities == pytest.approx(theirs_of_task.probabilities, abs=1e-6)
        if our.disc is not None:
            np.testing.assert_allclose(our.disc.centre_ras_mm, their.disc.centre_ras_mm, atol=1e-3)


@pytest.mark.parametrize(("axes", "backwards"), [((0, 1, 2), (1, 2)), ((2, 0, 1), ()), ((1, 2, 0), (0, 1))])
def test_a_scan_in_another_order_than_its_result_is_reported_alike(a_scene, a_scan_node, a_result, axes, backwards):
    reorder(a_scan_node, axes, backwards)
    ours, theirs = current_report(add_result(a_scene, a_scan_node, a_result)), a_report()
    np.testing.assert_array_equal(ours.scan.voxels, theirs.scan.voxels)
    np.testing.assert_array_equal(ours.disc_labels, theirs.disc_labels)
    for task in Task:
        np.testing.assert_array_equal(ours.hotspots[task], theirs.hotspots[task])


def test_a_scan_under_a_transform_is_reported_alike_and_one_moved_for_good_refused(an_analysis):
    moved(an_analysis.scan, 0, 0, 40)
    np.testing.assert_array_equal(current_report(an_analysis).disc_labels, a_report().disc_labels)
    an_analysis.scan.HardenTransform()
    with pytest.raises(InputError, match="was moved since its analysis: analyse it again"):
        current_report(an_analysis)


def test_a_bent_scan_is_reported_alike_and_a_mirrored_one_refused(an_analysis):
    bent(an_analysis.scan)
    ours, theirs = current_report(an_analysis), a_report()
    np.testing.assert_array_equal(ours.scan.voxels, theirs.scan.voxels)
    np.testing.assert_array_equal(ours.disc_labels, theirs.disc_labels)
    turned_over(an_analysis.scan, 0)
    with pytest.raises(InputError, match="load the scan and its result again"):
        current_report(an_analysis)


def test_a_readers_grade_stands_on_the_page_beside_a_disc_that_was_not_scored(a_scene, a_scan_node, a_result, tmp_path):
    content = json.loads(a_result.findings.text)
    content["discs"][3] |= {"status": "not scored", "reason": "It was not asked for.", "scores": {}}
    result = replace(a_result, findings=read_findings(json.dumps(content), "report"))
    analysis = add_result(a_scene, a_scan_node, result)
    assert current_report(analysis).discs[3].reason == "It was not asked for."
    correct_grade(analysis, "L3-L4", Task.PFIRRMANN, 4, NOON)
    (score,) = current_report(analysis).discs[3].scores
    assert (score.task, score.grade) == (Task.PFIRRMANN, 4)
    export_page(analysis, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert re.search(r'<th scope="row">L3-L4</th><td class="s3"><span class="grade">4</span>', page)
    assert "L3-L4 (as analysed): Pfirrmann 4 was given by AB" in page
    assert "unchecked by a reader unless a note says so." in page


def test_the_page_holds_pictures_grades_and_the_notice_and_fetches_nothing(an_analysis, tmp_path):
    export_page(an_analysis, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Research use only, not a medical device." in page
    assert f"{UNSCORED} was not scored" in page
    assert page.count("data:image/png") >= 5
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_readers_grades_and_levels_stand_on_the_page_and_are_told(an_analysis, tmp_path):
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    move_levels(an_analysis, 1, NOON)
    report = current_report(an_analysis)
    lowest = report.discs[-1]
    assert (lowest.level, lowest.score(Task.PFIRRMANN).grade) == ("L5-S1", 2)
    assert lowest.score(Task.PFIRRMANN).uncertainty is None
    assert lowest.score(Task.NARROWING).uncertainty == 0.0625
    assert report.vertebrae[-1].level == "S2"
    assert report.discs[0].reason == "Nothing was analysed here: the levels were moved."
    export_page(an_analysis, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "The levels were moved by +1." in page
    assert "Pfirrmann 2 instead of 5 was given by AB at 2026-03-01T12:00:00+00:00." in page


def test_doubts_about_names_are_told_until_the_levels_were_moved(an_analysis):
    content = json.loads(an_analysis.record.GetText()) | {"warnings": ["They may be wrong.", "It looks like T1."]}
    content["naming"]["doubts"] = ["They may be wrong."]
    an_analysis.record.SetText(json.dumps(content))
    assert current_report(an_analysis).warnings == ("They may be wrong.", "It looks like T1.")
    move_levels(an_analysis, 1, NOON)
    assert current_report(an_analysis).warnings == ("It looks like T1.", "The levels were moved by +1.")


def test_a_page_that_cannot_be_written_leaves_the_earlier_file(an_analysis, tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        export_page(an_analysis, tmp_path / "report.html")
    assert list(tmp_path.glob(".report*")) == []
