from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from SpineNetCore.anatomy import Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE
from SpineNetCore.learning import grader_training
from SpineNetCore.learning.checkpoints import save_checkpoint
from SpineNetCore.learning.disc_examples import MOST_GRADES, DiscExample
from SpineNetCore.learning.grader_training import (
    DiscBatch,
    DiscPool,
    GraderRecipe,
    balancing_weights,
    draw_context,
    set_loss,
    train_grader,
)
from SpineNetCore.network import NetworkConfig

TINY = NetworkConfig(fc6=8, fc7=8, conv_widths=(4, 4, 4, 4, 4), batch_norm=True)
RECIPE = GraderRecipe(network=TINY, steps=4, batch=2, checkpoint_every=2)
ROWS = {task: row for row, task in enumerate(Task)}
MIDDLE = CONTEXT_SHAPE[0] // 2


def a_disc(
    grades: dict[Task, set[int]], slices: int = 9, marrow_changed: bool = False, brightness: int = 200
) -> DiscExample:
    admissible = np.zeros((len(Task), MOST_GRADES), dtype=bool)
    for task, admitted in grades.items():
        admissible[ROWS[task], [task.grades.index(grade) for grade in admitted]] = True
    voxels = np.random.default_rng(slices).integers(brightness // 2, brightness, (slices, *CONTEXT_SHAPE[1:]))
    return DiscExample("1", "L4-L5", voxels.astype(np.uint8), MIDDLE - slices // 2, admissible, marrow_changed)


@pytest.fixture(scope="module")
def pool() -> DiscPool:
    bright = a_disc({Task.PFIRRMANN: {1}, Task.NARROWING: {1}}, brightness=250)
    dark = a_disc({Task.PFIRRMANN: {5}, Task.NARROWING: {2, 3, 4}}, slices=1, marrow_changed=True, brightness=60)
    return DiscPool([bright, dark], 1.0)


def a_batch(*discs: DiscExample, weights: float | list[float] = 1.0) -> DiscBatch:
    per_disc = np.broadcast_to(np.asarray(weights, dtype=np.float32), (len(discs), len(Task)))
    return DiscBatch(
        torch.zeros(len(discs), 9, 112, 224),
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
        scores_of(pfirrmann=[[0.1, 0.2, 0.4, 0.2, 0.1]]), a_batch(a_disc({Task.PFIRRMANN: {3}}), weights=2.5)
    )

    assert loss.item() == pytest.approx(-2.5 * np.log(0.4), rel=1e-5)


def test_a_set_costs_minus_the_log_of_the_probability_of_all_its_grades():
    loss = set_loss(scores_of(narrowing=[[0.7, 0.1, 0.15, 0.05]]), a_batch(a_disc({Task.NARROWING: {2, 3, 4}})))

    assert loss.item() == pytest.approx(-np.log(0.3), rel=1e-5)


def test_missing_labels_cost_nothing_and_teach_nothing():
    scores = {task: values.requires_grad_() for task, values in scores_of(narrowing=[[0.7, 0.1, 0.1, 0.1]]).items()}
    loss = set_loss(scores, a_batch(a_disc({})))
    gradients = torch.autograd.grad(loss, list(scores.values()))

    assert loss.item() == 0
    assert all((gradient == 0).all() for gradient in gradients)


def test_marrow_change_on_an_unknown_side_costs_minus_the_log_that_not_both_are_normal():
    weights = [1.0, 1.0, 1.0, 1.0, 0.5, 1.5]
    scores = scores_of(upper_marrow=[[0.8, 0.2]], lower_marrow=[[0.6, 0.4]])
    loss = set_loss(scores, a_batch(a_disc({}, marrow_changed=True), weights=weights))

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

    assert set_loss(scores, a_batch(*discs)).item() == pytest.approx(-np.log(0.5 * 0.9 * 0.7 * 0.8) / 2, rel=1e-5)


def test_a_grader_that_is_sure_of_the_wrong_side_still_gets_a_finite_gradient():
    sure = {task: torch.zeros(1, len(task.grades)) for task in Task}
    for task in (Task.UPPER_MARROW, Task.LOWER_MARROW):
        sure[task] = torch.tensor([[60.0, -60.0]])
    scores = {task: values.requires_grad_() for task, values in sure.items()}
    loss = set_loss(scores, a_batch(a_disc({Task.PFIRRMANN: {1}}, marrow_changed=True)))

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


@pytest.mark.parametrize("slices", [1, 5, 13])
def test_a_drawn_context_keeps_the_middle_slice(slices):
    example = a_disc({}, slices)
    context = example.context()
    shown = context[MIDDLE] > 0
    for seed in range(8):
        drawn = draw_context(np.random.default_rng(seed), example)
        exponents = np.log(drawn[MIDDLE][shown]) / np.log(context[MIDDLE][shown])
        assert np.ptp(exponents) < 1e-3
        assert drawn.min() >= 0
        assert drawn.max() <= 1
        assert drawn.dtype == np.float32


def test_thick_stacks_are_blanked_evenly_around_the_middle():
    example = a_disc({}, slices=13)
    shown = {tuple(draw_context(np.random.default_rng(seed), example).any(axis=(1, 2))) for seed in range(30)}

    assert {sum(slices) for slices in shown} >= {1, 3, 5, 13}
    assert all(slices == slices[::-1] for slices in shown)


def test_a_lone_slice_is_repeated_with_small_shifts():
    example = a_disc({}, slices=1)
    drawn = [draw_context(np.random.default_rng(seed), example) for seed in range(20)]
    shown = {int(context.any(axis=(1, 2)).sum()) for context in drawn}
    wide = next(context for context in drawn if context.any(axis=(1, 2)).sum() > 1)
    neighbour = wide[MIDDLE + 1]
    shifts = [(row, column) for row in range(-2, 3) for column in range(-2, 3)]
    likeness = [np.corrcoef(np.roll(wide[MIDDLE], s, (0, 1)).ravel(), neighbour.ravel())[0, 1] for s in shifts]

    assert 1 in shown
    assert max(shown) > 5
    assert max(likeness) > 0.99


def killed_after(killing_step: int):
    def save_and_die(training, step, path):
        save_checkpoint(training, step, path)
        if step == killing_step:
            raise KeyboardInterrupt

    return save_and_die


def are_equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_killed_and_resumed_training_equals_an_uninterrupted_one(pool, tmp_path, monkeypatch):
    whole = train_grader([pool], RECIPE, tmp_path / "whole.pt")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(grader_training, "save_checkpoint", killed_after(2))
        train_grader([pool], RECIPE, tmp_path / "killed.pt")
    resumed = train_grader([pool], RECIPE, tmp_path / "killed.pt")

    assert are_equal(resumed, whole)
    assert not resumed.training


def test_the_network_starts_from_the_mean_of_every_slice_that_is_there(pool, tmp_path):
    first, last = 2, 10
    bright, dark = (example.context()[first : last + 1, 40:152, 48:272] for example in pool.examples)
    network = train_grader([pool], replace(RECIPE, steps=1), tmp_path / "one.pt")
    expected = bright.mean(axis=(1, 2))
    expected[4] = (bright[4].mean() + dark[4].mean()) / 2

    assert network.slice_means.numpy() == pytest.approx(expected, abs=1e-5)


def test_the_loss_falls_on_two_discs(pool, tmp_path, caplog):
    recipe = replace(RECIPE, network=replace(TINY, dropout=0.0), steps=24, batch=4, rate=1e-2, checkpoint_every=1)
    with caplog.at_level(logging.INFO, logger=grader_training.log.name):
        train_grader([pool], recipe, tmp_path / "two.pt")
    losses = [record.args[2] for record in caplog.records]

    assert len(losses) == recipe.steps
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
