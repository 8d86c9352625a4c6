from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.anatomy import Task
from SpineNetCore.learning import evaluation
from SpineNetCore.learning.disc_examples import MOST_GRADES, DiscExample
from SpineNetCore.learning.evaluation import grading_accuracy
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.scores import TaskScore


def labelled(grades: dict[Task, set[int]], marrow_changed: bool = False) -> DiscExample:
    admissible = np.zeros((len(Task), MOST_GRADES), dtype=bool)
    for row, task in enumerate(Task):
        for grade in grades.get(task, set()):
            admissible[row, task.grades.index(grade)] = True
    return DiscExample("1", "L4-L5", np.ones((1, 192, 320), np.uint8), 6, admissible, marrow_changed)


def said(pfirrmann: int, narrowing: int, upper_marrow: int) -> tuple[TaskScore, ...]:
    grades = {Task.PFIRRMANN: pfirrmann, Task.NARROWING: narrowing, Task.UPPER_MARROW: upper_marrow}
    return tuple(
        TaskScore(
            task, chosen, tuple(0.9 if grade == chosen else 0.1 / (len(task.grades) - 1) for grade in task.grades), 0
        )
        for task in Task
        for chosen in [grades.get(task, 0)]
    )


def test_accuracies_are_those_counted_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    narrowed = {2, 3, 4}
    truths = [
        labelled({Task.PFIRRMANN: {1}, Task.NARROWING: {1}, Task.UPPER_MARROW: {0}, Task.LOWER_MARROW: {0}}),
        labelled({Task.PFIRRMANN: {1}, Task.NARROWING: {1}, Task.UPPER_MARROW: {0}, Task.LOWER_MARROW: {0}}),
        labelled({Task.PFIRRMANN: {3}, Task.NARROWING: narrowed}, marrow_changed=True),
        labelled({Task.PFIRRMANN: {5}, Task.NARROWING: narrowed}, marrow_changed=True),
    ]
    answers = iter([said(1, 1, 0), said(2, 2, 0), said(3, 3, 1), said(3, 1, 0)])
    monkeypatch.setattr(evaluation, "score_discs", lambda *_: [next(answers)])
    grader = GradingNetwork(NetworkConfig(fc6=2, fc7=2, conv_widths=(2, 2, 2, 2, 2)))
    measured = {row.measure: row for row in grading_accuracy(truths, grader)}
    assert measured["pfirrmann"].balanced == pytest.approx((0.5 + 1 + 0) / 3)
    assert measured["pfirrmann"].within_one == pytest.approx(3 / 4)
    assert measured["narrowing (binary)"].balanced == pytest.approx((0.5 + 0.5) / 2)
    assert measured["marrow, either side"].balanced == pytest.approx((1 + 0.5) / 2)
