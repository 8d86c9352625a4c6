from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.learning.grading.calibration import fitted_temperature, sureness
from SpineNetCore.temperature import tempered


@pytest.fixture
def honest():
    """Probabilities of 4,000 discs and true classes drawn from them."""
    rng = np.random.default_rng(0)
    chances = rng.dirichlet([1, 0.6, 0.4], 4000)
    return chances, (rng.random((4000, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)


def everywhere(chances):
    return np.arange(len(chances))


def test_losses_and_errors_are_those_counted_by_hand():
    chances = np.array([[0.92, 0.08], [0.08, 0.92], [0.68, 0.32], [0.62, 0.38]])
    truth = np.array([0, 0, 0, 1])
    sure = sureness(chances, truth)

    assert sure.loss(everywhere(chances)) == pytest.approx(-np.log([0.92, 0.08, 0.68, 0.38]).mean())
    # two bins of two discs: half right at 0.92, half right at 0.65
    assert sure.error(everywhere(chances)) == pytest.approx((0.42 + 0.15) / 2)
    assert [(one.discs, one.right) for one in sure.bins()] == [(2, 0.5), (2, 0.5)]
    assert [one.confidence for one in sure.bins()] == pytest.approx([0.65, 0.92])


def test_a_given_class_that_is_not_the_likeliest_is_held_for_as_sure_as_its_own_probability():
    sure = sureness(np.array([[0.4, 0.6]]), np.array([0]), np.array([0]))
    assert (sure.confidences.tolist(), sure.right.tolist()) == ([0.4], [True])


def test_honest_probabilities_have_hardly_any_error_and_need_no_temperature(honest):
    chances, truth = honest
    assert sureness(chances, truth).error(everywhere(chances)) < 0.02
    assert fitted_temperature(chances, truth) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize("temperature", [0.5, 2.5])
def test_the_fitted_temperature_undoes_another(honest, temperature):
    chances, truth = honest
    wrong = tempered(chances, 1 / temperature)
    fitted = fitted_temperature(wrong, truth)
    before, after = sureness(wrong, truth), sureness(tempered(wrong, fitted), truth)

    assert fitted == pytest.approx(temperature, rel=0.08)
    assert after.loss(everywhere(chances)) < before.loss(everywhere(chances))
    assert after.error(everywhere(chances)) < 0.02 < before.error(everywhere(chances))


def test_a_temperature_changes_no_grade_and_keeps_sums(honest):
    chances, _ = honest
    for temperature in (0.3, 1, 4):
        milder = tempered(chances, temperature)
        assert (milder.argmax(axis=1) == chances.argmax(axis=1)).all()
        assert milder.sum(axis=1) == pytest.approx(np.ones(len(chances)))
    assert tempered(chances, 1) == pytest.approx(chances, abs=1e-6)


def test_certainty_that_is_wrong_costs_much_but_not_everything():
    sure = sureness(np.array([[1.0, 0.0]]), np.array([1]))
    assert 10 < sure.loss(np.array([0])) < 20


def test_one_class_alone_fits_no_temperature():
    assert np.isnan(fitted_temperature(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 0])))
    assert np.isnan(fitted_temperature(np.zeros((0, 2)), np.zeros(0, dtype=int)))


def test_a_few_discs_move_the_temperature_little_and_many_as_far_as_they_say():
    few = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    truth = np.array([0, 1, 0])
    timid, sure = fitted_temperature(few, truth), fitted_temperature(np.tile(few, (100, 1)), np.tile(truth, 100))

    assert 0.5 < timid < 1
    assert sure < 0.3
