from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.agreement import (
    accuracy,
    balanced_accuracy,
    confusion,
    quadratic_kappa,
    recalls,
    within_one,
)

TRUTH = np.array([0, 0, 0, 0, 1, 2, 2, 4])
GIVEN = np.array([0, 0, 1, 2, 1, 1, 4, 4])


@pytest.fixture
def counts():
    return confusion(TRUTH, GIVEN, 5)


def test_rows_of_the_matrix_are_the_truth_and_columns_what_was_given(counts):
    assert counts.shape == (5, 5)
    assert counts[0].tolist() == [2, 1, 1, 0, 0]
    assert counts[2].tolist() == [0, 1, 0, 0, 1]
    assert counts.sum() == len(TRUTH)


def test_figures_are_those_counted_by_hand(counts):
    assert accuracy(counts) == pytest.approx(4 / 8)
    assert within_one(counts) == pytest.approx(6 / 8)
    assert balanced_accuracy(counts) == pytest.approx((2 / 4 + 1 + 0 + 1) / 4)
    assert recalls(counts) == pytest.approx([0.5, 1, 0, np.nan, 1], nan_ok=True)


def test_kappa_follows_its_textbook_formula(counts):
    observed = ((TRUTH - GIVEN) ** 2).mean()
    expected = ((TRUTH[:, None] - GIVEN[None]) ** 2).mean()

    assert quadratic_kappa(counts) == pytest.approx(1 - observed / expected)
    assert quadratic_kappa(counts.T) == pytest.approx(quadratic_kappa(counts))


def test_perfect_agreement_is_one_and_independent_answers_are_nought():
    every = np.arange(5)
    assert quadratic_kappa(confusion(every, every, 5)) == 1
    assert quadratic_kappa(confusion(np.repeat(every, 5), np.tile(every, 5), 5)) == pytest.approx(0)


def test_what_cannot_be_told_is_nan():
    alike = confusion(np.array([1, 1]), np.array([1, 1]), 2)
    nothing = confusion(np.array([], dtype=int), np.array([], dtype=int), 2)

    assert accuracy(alike) == 1
    assert np.isnan([balanced_accuracy(alike), quadratic_kappa(alike)]).all()
    assert np.isnan([accuracy(nothing), within_one(nothing), balanced_accuracy(nothing)]).all()
