from __future__ import annotations

import pytest
from answer_making import a_label, a_measure, sure_of
from grader_making import a_disc

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.grading.measures import MEASURES

UPPER, LOWER = Task.UPPER_MARROW, Task.LOWER_MARROW


@pytest.mark.parametrize("task", list(Task))
def test_a_task_is_told_by_a_single_grade_alone(task):
    measure = a_measure(task.value)
    last = task.grades[-1]

    assert measure.truth(a_label({task: {last}})) == len(task.grades) - 1
    assert measure.truth(a_label({task: set(task.grades[:2])})) is None
    assert measure.truth(a_label({})) is None
    assert measure.chances(sure_of({task: last}))[-1] == 0.9


@pytest.mark.parametrize(("admitted", "told"), [({1}, 0), ({2}, 1), ({2, 3, 4}, 1), ({1, 2}, None), (set(), None)])
def test_narrowing_is_some_wherever_none_is_ruled_out(admitted, told):
    assert a_measure("narrowed").truth(a_label({Task.NARROWING: admitted})) == told


@pytest.mark.parametrize(
    ("grades", "changed", "told"),
    [
        ({UPPER: {0}, LOWER: {0}}, False, 0),
        ({UPPER: {0}, LOWER: {1}}, False, 1),
        ({UPPER: {1}}, False, 1),
        ({}, True, 1),
        ({UPPER: {0}}, False, None),
        ({}, False, None),
    ],
)
def test_marrow_is_changed_when_one_side_is_and_normal_when_both_are(grades, changed, told):
    assert a_measure("any_marrow").truth(a_label(grades, changed)) == told


def test_every_measure_shares_out_the_whole_of_its_chances():
    chances = sure_of({Task.PFIRRMANN: 3, Task.NARROWING: 2, UPPER: 1})
    for measure in MEASURES:
        shares = measure.chances(chances)
        assert len(shares) == len(measure.grades)
        assert sum(shares) == pytest.approx(1)
    assert a_measure("narrowed").chances(chances) == pytest.approx((0.1 / 3, 1 - 0.1 / 3))
    assert a_measure("any_marrow").chances(chances) == pytest.approx((0.1, 0.9))


def test_answers_are_those_of_the_score_table_s_grades():
    doubtful = sure_of({}) | {UPPER: (0.6, 0.4), LOWER: (0.55, 0.45), Task.NARROWING: (0.4, 0.3, 0.2, 0.1)}
    changed, narrowed = a_measure("any_marrow"), a_measure("narrowed")

    assert changed.chances(doubtful) == pytest.approx((0.55, 0.45))
    assert changed.answer(doubtful) == 0
    assert changed.chances(doubtful | {LOWER: (0.4, 0.6)}) == pytest.approx((0.4, 0.6))
    assert changed.answer(doubtful | {LOWER: (0.4, 0.6)}) == 1
    assert narrowed.chances(doubtful) == pytest.approx((0.4, 0.6))
    assert narrowed.answer(doubtful) == 0
    assert narrowed.answer(doubtful | {Task.NARROWING: (0.3, 0.2, 0.1, 0.4)}) == 1
    assert a_measure("narrowing").answer(doubtful | {Task.NARROWING: (0.3, 0.2, 0.1, 0.4)}) == 3


def test_a_disc_to_learn_from_gives_back_the_label_it_was_made_of():
    grades = {Task.PFIRRMANN: {3}, Task.NARROWING: {2, 3, 4}, Task.UPPER_ENDPLATE: {0}}
    assert a_disc(grades, marrow_changed=True).label == a_label(grades, marrow_changed=True)
