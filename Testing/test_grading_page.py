from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from answer_making import a_graded_disc, a_label

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.grading.page import Evaluation, evaluation_page
from SpineNetCore.learning.grading.plots import confusion_plot, reliability_plot
from SpineNetCore.learning.grading.result import write_agreement, write_grading
from SpineNetCore.learning.grading.summary import summaries


@pytest.fixture(scope="module")
def discs():
    rng = np.random.default_rng(0)
    return [
        a_graded_disc(
            a_label({Task.PFIRRMANN: {truth}, Task.UPPER_ENDPLATE: {truth % 2}}),
            {Task.PFIRRMANN: int(np.clip(truth + rng.integers(-1, 2), 1, 5)), Task.UPPER_ENDPLATE: truth % 2},
            f"p{k}",
            split,
            group="Reader <1>",
            chance=float(rng.uniform(0.5, 0.99)),
        )
        for split in (Split.TEST, Split.VALIDATION)
        for k, truth in enumerate([1, 2, 3, 4, 5] * 3)
    ]


@pytest.fixture(scope="module")
def an_evaluation(discs):
    lines = summaries(discs, np.random.default_rng(0))
    return Evaluation("How well <discs> are graded", (("Grader", "models/<a>"),), tuple(lines))


def test_the_page_is_whole_and_fetches_nothing(an_evaluation):
    page = evaluation_page(an_evaluation)
    body = ElementTree.fromstring(page[page.index("<main>") : page.index("</main>") + len("</main>")])
    assert len(body.findall(".//figure//svg")) == 2 * len(an_evaluation.lines) == 4
    assert RESEARCH_USE_NOTICE in page
    assert "models/&lt;a&gt;" in page
    assert "Reader &lt;1&gt; (15 patients)" in page
    assert not re.findall(r"<script|(?:href|src)=", page)


def test_a_page_without_probabilities_shows_no_reliability_and_does_not_explain_it(an_evaluation, discs):
    lines = tuple(replace(line, raw=(), scaled=()) for line in an_evaluation.lines)
    page = evaluation_page(replace(an_evaluation, lines=lines))
    assert page.count("<svg") == 2
    assert "Reliability diagram" not in page
    assert "Expected calibration error" not in page


def test_the_matrix_shows_every_count_in_its_row_and_column(an_evaluation):
    line = an_evaluation.lines[0]
    root = ElementTree.fromstring(confusion_plot(line))
    boxes = {(float(r.get("x")), float(r.get("y"))): float(r.get("fill-opacity")) for r in root.findall("rect")}
    xs, ys = sorted({x for x, _ in boxes}), sorted({y for _, y in boxes})
    shares = [[boxes[x, y] for x in xs] for y in ys]
    assert shares == pytest.approx(line.counts / line.counts.sum(axis=1, keepdims=True), abs=0.005)


def test_the_diagram_marks_every_bin_at_its_confidence_and_share(an_evaluation):
    line = an_evaluation.lines[0]
    root = ElementTree.fromstring(reliability_plot(line))
    frame = next(r for r in root.findall("rect") if r.get("class") == "frame")
    left, top, side = (float(frame.get(name)) for name in ("x", "y", "width"))
    marks = [(float(c.get("cx")), float(c.get("cy"))) for c in root.findall("circle")]
    found = [((x - left) / side, 1 - (y - top) / side) for x, y in marks]
    assert np.array(found) == pytest.approx(np.array([(b.confidence, b.right) for b in line.raw]), abs=0.001)
    assert len([r for r in root.findall("rect") if r.get("class") == "scaled"]) == len(line.scaled) > 0


def test_the_result_is_the_page_and_its_tables(an_evaluation, discs, tmp_path):
    write_grading(an_evaluation, discs, tmp_path / "grading")
    write_agreement(an_evaluation, tmp_path / "agreement")
    assert {path.name for path in (tmp_path / "grading").iterdir()} == {"grading.html", "grading.csv", "discs.csv"}
    assert {path.name for path in (tmp_path / "agreement").iterdir()} == {"agreement.html", "agreement.csv"}


def test_a_folder_that_holds_other_things_is_left_alone(an_evaluation, discs, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"holds other files, such as 'letter.txt'"):
        write_grading(an_evaluation, discs, tmp_path)
