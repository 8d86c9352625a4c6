from __future__ import annotations

import numpy as np
import pytest
import torch
from grader_making import ROWS, a_disc

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.grader_loss import LabelBatch, balancing_weights, set_loss


def labels_of(*discs: DiscExample, weights: float | list[float] = 1.0) -> LabelBatch:
    per_disc = np.broadcast_to(np.asarray(weights, dtype=np.float32), (len(discs), len(Task)))
    return LabelBatch(
        torch.from_numpy(np.stack([disc.admissible for disc in discs])),
        torch.from_numpy(per_disc.copy()),
        torch.tensor([disc.marrow_changed for disc in discs]),
    )


def scores_of(**chances: list[list[float]]) -> dict[Task, torch.Tensor]:
    """Scores that softmax turns into the given probabilities, (N, classes) per task; even ones for all other tasks."""
    discs = len(next(iter(chances.values())))
    even = {task: [[1 / len(task.grades)] * len(task.grades)] * discs for task in Task}
    return {task: torch.tensor(chances.get(task.value, even[task])).log() + 3 for task in Task}


def test_a_single_label_costs_minus_the_log_of_its_probability():
    loss = set_loss(
        scores_of(pfirrmann=[[0.1, 0.2, 0.4, 0.2, 0.1]]), labels_of(a_disc({Task.PFIRRMANN: {3}}), weights=2.5)
    )

    assert loss.item() == pytest.approx(-2.5 * np.log(0.4), rel=1e-5)


def test_a_set_costs_minus_the_log_of_the_probability_of_all_its_grades():
    loss = set_loss(scores_of(narrowing=[[0.7, 0.1, 0.15, 0.05]]), labels_of(a_disc({Task.NARROWING: {2, 3, 4}})))

    assert loss.item() == pytest.approx(-np.log(0.3), rel=1e-5)


def test_missing_labels_cost_nothing_and_teach_nothing():
    scores = {task: values.requires_grad_() for task, values in scores_of(narrowing=[[0.7, 0.1, 0.1, 0.1]]).items()}
    loss = set_loss(scores, labels_of(a_disc({})))
    gradients = torch.autograd.grad(loss, list(scores.values()))

    assert loss.item() == 0
    assert all((gradient == 0).all() for gradient in gradients)


def test_marrow_change_on_an_unknown_side_costs_minus_the_log_that_not_both_are_normal():
    weights = [1.0, 1.0, 1.0, 1.0, 0.5, 1.5]
    scores = scores_of(upper_marrow=[[0.8, 0.2]], lower_marrow=[[0.6, 0.4]])
    loss = set_loss(scores, labels_of(a_disc({}, marrow_changed=True), weights=weights))

    assert loss.item() == pytest.approx(-2 * np.log(1 - 0.8 * 0.6), rel=1e-5)


def test_tasks_add_up_and_discs_are_averaged():
    discs = (
        a_disc({Task.PFIRRMANN: {1}, Task.UPPER_MARROW: {0}, Task.LOWER_MARROW: {0}}),
        a_disc({Task.UPPER_ENDPLATE: {1}}),
    )
    scores = scores_of(
        pfirrmann=[[0.5, 0.2, 0.1, 0.1, 0.1], [0.2] * 5],
        upper_marrow=[[0.9, 0.1], [0.5, 0.5]],
        lower_marrow=[[0.7, 0.3], [0.5, 0.5]],
        upper_endplate=[[0.5, 0.5], [0.2, 0.8]],
    )

    assert set_loss(scores, labels_of(*discs)).item() == pytest.approx(-np.log(0.5 * 0.9 * 0.7 * 0.8) / 2, rel=1e-5)


def test_a_grader_that_is_sure_of_the_wrong_side_still_gets_a_finite_gradient():
    sure = {task: torch.zeros(1, len(task.grades)) for task in Task}
    for task in (Task.UPPER_MARROW, Task.LOWER_MARROW):
        sure[task] = torch.tensor([[60.0, -60.0]])
    scores = {task: values.requires_grad_() for task, values in sure.items()}
    loss = set_loss(scores, labels_of(a_disc({Task.PFIRRMANN: {1}}, marrow_changed=True)))

    assert loss.item() > 10
    assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(loss, list(scores.values())))


def test_weights_are_inverse_to_how_often_a_label_occurs_and_average_one():
    examples = [a_disc({Task.PFIRRMANN: {grade}}) for grade in (1, 1, 1, 5)] + [a_disc({Task.NARROWING: {1}})]
    weights = balancing_weights(examples)

    assert weights[:4, ROWS[Task.PFIRRMANN]] == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
    assert weights[:4, ROWS[Task.PFIRRMANN]].mean() == pytest.approx(1)
    assert weights[4, ROWS[Task.NARROWING]] == 1
    assert weights[4, ROWS[Task.PFIRRMANN]] == 0
    assert (weights[:, ROWS[Task.UPPER_ENDPLATE]] == 0).all()


def test_marrow_change_on_an_unknown_side_counts_as_a_label_of_both_sides():
    normal = a_disc({Task.UPPER_MARROW: {0}, Task.LOWER_MARROW: {0}})
    weights = balancing_weights([normal, normal, normal, a_disc({}, marrow_changed=True)])

    for task in (Task.UPPER_MARROW, Task.LOWER_MARROW):
        assert weights[:, ROWS[task]] == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
