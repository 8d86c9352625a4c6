from __future__ import annotations

import csv
import io
from statistics import mean, stdev
from xml.etree import ElementTree

import numpy as np
import pytest
from answer_making import a_measure

from SpineNetCore.learning.bootstrap import Estimate
from SpineNetCore.learning.grading.point_plots import point_plots
from SpineNetCore.learning.grading.repeats import (
    figure_tables,
    point_tables,
    repeats,
    repeats_csv,
    tables_text,
)
from SpineNetCore.learning.grading.repeats_page import points_page, repeats_page
from SpineNetCore.learning.grading.summary import Figure, Line


def a_line(name: str, balanced: float, kappa: float = 0.5, group: str = "Drawn", discs: int = 12) -> Line:
    figures = {Figure.BALANCED: balanced, Figure.KAPPA: kappa}
    estimates = {figure: Estimate(value, value, value) for figure, value in figures.items()}
    return Line(group, a_measure(name), 2, np.diag([discs - 1, 1]), estimates)


@pytest.fixture
def two_models():
    first = [a_line("pfirrmann", 0.70), a_line("narrowed", 0.8), a_line("pfirrmann", 0.6, group="Other")]
    second = [a_line("narrowed", 0.86, discs=20), a_line("pfirrmann", 0.74), a_line("any_marrow", 0.9)]
    return repeats(first, second)


def test_measures_of_both_models_are_paired_whatever_their_order(two_models):
    assert [(one.measure.name, one.discs) for one in two_models] == [("pfirrmann", (12, 12)), ("narrowed", (12, 20))]


def test_mean_and_deviation_are_those_of_a_sample_of_two(two_models):
    spread = two_models[0].spreads[Figure.BALANCED]
    assert spread.mean == pytest.approx(mean([0.70, 0.74]))
    assert spread.deviation == pytest.approx(stdev([0.70, 0.74]))


def test_the_table_tells_every_figure_that_both_have(two_models):
    ((group, (titles, first, second)),) = figure_tables(two_models)
    assert group == "Drawn"
    assert dict(zip(titles, first, strict=True)) == {
        "task": "Pfirrmann",
        "discs": "12 + 12",
        "balanced %": "72.0 ± 2.8",
        "accuracy %": "",
        "within 1 %": "",
        "kappa": "0.50 ± 0.00",
    }
    assert second[:3] == ["Narrowing, none or some", "12 + 20", "83.0 ± 4.2"]


def test_branch_points_stand_side_by_side_and_gaps_stay_empty(two_models):
    ((heading, (titles, first, second)),) = point_tables({"none": two_models[:1], "conv5": two_models})
    assert heading == "Drawn, balanced accuracy %"
    assert titles == ["task", "none", "conv5"]
    assert first == ["Pfirrmann", "72.0 ± 2.8", "72.0 ± 2.8"]
    assert second == ["Narrowing, none or some", "", "83.0 ± 4.2"]
    assert "72.0 ± 2.8" in tables_text([(heading, [titles, first, second])])


def test_every_figure_is_a_row_with_both_models(two_models):
    rows = list(csv.DictReader(io.StringIO(repeats_csv({"conv5": two_models}))))
    assert len(rows) == 4
    assert rows[0] == {
        "branch_point": "conv5",
        "group": "Drawn",
        "task": "pfirrmann",
        "figure": "balanced_accuracy",
        "first": "0.7000",
        "second": "0.7400",
        "mean": "0.7200",
        "standard_deviation": "0.0283",
    }


def test_the_page_shows_the_table_and_what_it_means(two_models):
    page = repeats_page("Title <1>", [("Grader", "<a>")], two_models)
    assert "72.0 ± 2.8" in page
    assert "Title &lt;1&gt;" in page
    assert "Research use only" in page
    assert "confusion" not in page


def test_the_page_of_branch_points_has_a_plot_for_every_measure(two_models):
    page = points_page("Title", [], {"none": two_models[:1], "conv5": two_models})
    body = ElementTree.fromstring(page[page.index("<main>") : page.index("</main>") + len("</main>")])
    assert len(body.findall(".//svg")) == 2
    assert "72.0 ± 2.8" in page


def test_a_plot_marks_both_models_and_their_mean_in_its_point_of_the_scale(two_models):
    plots = ElementTree.fromstring(f"<p>{point_plots({'none': [], 'conv5': two_models[:1]}, 'Drawn')}</p>")
    ticks = {
        float(text.text): float(text.get("y")) - 4 for text in plots.iter("text") if text.get("text-anchor") == "end"
    }
    low, high = min(ticks), max(ticks)
    marks = {
        kind: [float(c.get("cy")) for c in plots.iter("circle") if c.get("class") == kind] for kind in ("mean", "model")
    }

    def per_cent(y: float) -> float:
        return high - (high - low) * (y - ticks[high]) / (ticks[low] - ticks[high])

    assert (low, high) == (65, 75)
    assert [per_cent(y) for y in marks["mean"]] == pytest.approx([72], abs=0.1)
    assert [per_cent(y) for y in marks["model"]] == pytest.approx([70, 74], abs=0.1)
