from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from answer_making import a_graded_disc, a_label, a_measure

from SpineNetCore.anatomy import Task
from SpineNetCore.learning import bootstrap
from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.grading.label_files import LabelPair
from SpineNetCore.learning.grading.summary import Figure, agreements, answered_by_labels, summaries
from SpineNetCore.learning.grading.table import discs_csv, figures_csv, table_text

NARROWED = {2, 3, 4}
NORMAL = {Task.UPPER_MARROW: {0}, Task.LOWER_MARROW: {0}}


@pytest.fixture(autouse=True)
def few_resamplings(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLINGS", 60)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def discs():
    """Four discs of four patients, some rightly graded, with the labels that SPIDER can give."""
    told = [
        (a_label({Task.PFIRRMANN: {1}, Task.NARROWING: {1}, **NORMAL}), {Task.PFIRRMANN: 1}),
        (a_label({Task.PFIRRMANN: {1}, Task.NARROWING: {1}, **NORMAL}), {Task.PFIRRMANN: 2, Task.NARROWING: 2}),
        (
            a_label({Task.PFIRRMANN: {3}, Task.NARROWING: NARROWED}, marrow_changed=True),
            {Task.PFIRRMANN: 3, Task.NARROWING: 3, Task.UPPER_MARROW: 1},
        ),
        (a_label({Task.PFIRRMANN: {5}, Task.NARROWING: NARROWED}, marrow_changed=True), {Task.PFIRRMANN: 3}),
    ]
    return [a_graded_disc(truth, given, str(patient)) for patient, (truth, given) in enumerate(told)]


def watched(discs, chance: float):
    """The same for validation, of other patients, graded as surely as told."""
    given = [{Task.PFIRRMANN: 1 + int(np.argmax(disc.chances[Task.PFIRRMANN]))} for disc in discs]
    return [
        a_graded_disc(disc.label, grades, f"v{k}", Split.VALIDATION, chance=chance)
        for k, (disc, grades) in enumerate(zip(discs, given, strict=True))
    ]


def test_figures_are_those_counted_by_hand(discs, rng):
    lines = {line.measure.name: line for line in summaries(discs, rng)}
    values = {name: {f: e.value for f, e in line.figures.items()} for name, line in lines.items()}

    assert values["pfirrmann"][Figure.BALANCED] == pytest.approx((0.5 + 1 + 0) / 3)
    assert values["pfirrmann"][Figure.ACCURACY] == pytest.approx(2 / 4)
    assert values["pfirrmann"][Figure.WITHIN_ONE] == pytest.approx(3 / 4)
    assert values["pfirrmann"][Figure.LOSS] == pytest.approx(-np.log([0.9, 0.025, 0.9, 0.025]).mean())
    assert values["pfirrmann"][Figure.ERROR] == pytest.approx(0.9 - 0.5)
    assert values["narrowed"][Figure.BALANCED] == pytest.approx((0.5 + 0.5) / 2)
    assert values["any_marrow"][Figure.BALANCED] == pytest.approx((1 + 0.5) / 2)
    assert Figure.WITHIN_ONE not in values["narrowed"]
    assert lines["pfirrmann"].counts[[0, 0, 2, 4], [0, 1, 2, 2]].tolist() == [1, 1, 1, 1]


def test_tasks_in_which_nothing_can_be_told_apart_are_left_out(discs, rng):
    assert [line.measure.name for line in summaries(discs, rng)] == ["pfirrmann", "narrowed", "any_marrow"]
    assert summaries(discs[:1], rng) == []


def test_intervals_contain_their_figures_and_one_patient_has_none(discs, rng):
    for line in summaries(discs * 3, rng):
        assert all(e.low <= e.value + 1e-9 and e.value <= e.high + 1e-9 for e in line.figures.values())
    alone = [a_graded_disc(disc.label, {}, "same") for disc in discs]
    assert all(np.isnan(e.low) for line in summaries(alone, rng) for e in line.figures.values())


def test_temperatures_are_fitted_on_validation_patients_of_the_same_group_alone(discs, rng):
    def temperature(*others):
        return summaries([*discs, *others], rng)[0].temperature

    bold, timid = watched(discs, 0.99), watched(discs, 0.4)
    elsewhere = [a_graded_disc(d.label, {}, d.patient, d.split, group="Other") for d in bold]
    assert np.isnan(temperature())
    assert np.isnan(temperature(*elsewhere))
    assert temperature(*bold) > 1 > temperature(*timid)
    relabelled = [a_graded_disc(a_label({Task.PFIRRMANN: {4}}), {}, "9")]
    assert temperature(*bold, *relabelled) == temperature(*bold)


def test_scaling_makes_bold_answers_milder_and_changes_no_grade(discs, rng):
    line = summaries([*discs, *watched(discs, 0.9)], rng)[0]
    plain = summaries(discs, rng)[0]

    assert line.figures[Figure.SCALED_LOSS].value < line.figures[Figure.LOSS].value
    assert line.figures[Figure.SCALED_ERROR].value < line.figures[Figure.ERROR].value
    assert (line.counts == plain.counts).all()
    assert Figure.SCALED_LOSS not in plain.figures
    assert plain.scaled == ()
    assert sum(one.discs for one in line.scaled) == 4


def test_two_labels_are_compared_where_both_tell(rng):
    pairs = [
        LabelPair("1", a_label({Task.NARROWING: {1}}), a_label({Task.NARROWING: {1, 2}})),
        LabelPair("1", a_label({Task.NARROWING: {2}}), a_label({Task.NARROWING: NARROWED})),
        LabelPair("2", a_label({Task.NARROWING: {1}}), a_label({Task.NARROWING: {3}})),
    ]
    exact = answered_by_labels(pairs, a_measure("narrowing"))
    coarse = answered_by_labels(pairs, a_measure("narrowed"))
    assert (exact.truth.tolist(), exact.given.tolist()) == ([0], [2])
    assert (coarse.truth.tolist(), coarse.given.tolist()) == ([1, 0], [1, 1])
    first, second = agreements(pairs, "A", rng)
    assert [line.measure.name for line in (first, second)] == ["narrowing", "narrowed"]
    assert set(first.figures) == {Figure.ACCURACY, Figure.WITHIN_ONE, Figure.KAPPA}
    assert set(second.figures) == {Figure.BALANCED, Figure.ACCURACY, Figure.KAPPA}


def test_a_block_s_patients_are_all_of_them_whatever_is_known_of_each(rng):
    pfirrmann = [LabelPair(str(n), *2 * [a_label({Task.PFIRRMANN: {1 + n}})]) for n in range(3)]
    marrow = [LabelPair(f"m{n}", *2 * [a_label({Task.UPPER_MARROW: {n % 2}})]) for n in range(4)]
    assert table_text(agreements([*pfirrmann, *marrow], "Both", rng)).startswith("Both (7 patients)")


def test_the_table_has_a_block_per_group_and_leaves_out_what_was_not_measured(discs, rng):
    text = table_text(summaries(discs, rng))
    heading, titles, first, *_ = text.splitlines()
    assert heading == "Drawn (4 patients)"
    assert "NLL" in titles
    assert "temp." not in titles
    assert first.startswith("Pfirrmann")
    assert "50.0 (0.0-" in first


def test_every_figure_is_a_row_and_every_count_a_cell(discs, rng):
    rows = list(csv.DictReader(io.StringIO(figures_csv(summaries([*discs, *watched(discs, 0.9)], rng)))))
    pfirrmann = [row for row in rows if row["task"] == "pfirrmann"]
    counts = {(row["truth"], row["given"]): row["value"] for row in pfirrmann if row["figure"] == "count"}
    single = {row["figure"]: row for row in pfirrmann if not row["truth"]}

    assert len(counts) == 25
    assert counts["5", "3"] == "1"
    assert float(single["balanced_accuracy"]["value"]) == pytest.approx(0.5)
    assert float(single["balanced_accuracy"]["low"]) <= 0.5 <= float(single["balanced_accuracy"]["high"])
    assert float(single["temperature"]["value"]) > 1
    assert {figure.value for figure in Figure} <= set(single)


def test_every_disc_is_a_row_with_its_truth_and_probabilities(discs):
    rows = list(csv.DictReader(io.StringIO(discs_csv([*discs, *watched(discs, 0.9)]))))
    assert [row["split"] for row in rows] == ["test"] * 4 + ["validation"] * 4
    assert rows[2]["narrowing_truth"] == "2|3|4"
    assert [row["any_marrow_truth"] for row in rows[:4]] == ["0", "0", "1", "1"]
    assert rows[0]["upper_endplate_truth"] == ""
    assert float(rows[1]["pfirrmann_p2"]) == pytest.approx(0.9)
