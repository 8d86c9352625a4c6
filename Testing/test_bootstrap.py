from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.learning.bootstrap import UNKNOWN, bootstrapped_together


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_patients_are_drawn_with_all_that_is_theirs(rng):
    values = np.array([0.0, 1, 10, 11])
    seen: set[tuple[int, ...]] = set()

    def mean(places):
        seen.add(tuple(places))
        return [values[places].mean()]

    (found,) = bootstrapped_together(["a", "a", "b", "b"], mean, rng)
    assert seen == {(0, 1, 2, 3), (2, 3, 0, 1), (0, 1, 0, 1), (2, 3, 2, 3)}
    assert (found.low, found.value, found.high) == (0.5, 5.5, 10.5)


def test_an_interval_covers_the_truth_about_as_often_as_it_says(rng):
    hits, patients = 0, [str(k) for k in range(30)]
    for _ in range(100):
        values = rng.normal(3, 1, 30)
        (found,) = bootstrapped_together(patients, lambda at, of=values: [of[at].mean()], rng)
        hits += found.low <= 3 <= found.high
    assert 85 <= hits <= 100


def test_figures_asked_together_come_from_the_same_draws(rng):
    values = np.arange(8.0)
    patients = [str(k) for k in range(8)]
    first, second = bootstrapped_together(patients, lambda at: [values[at].mean(), 2 * values[at].mean()], rng)

    assert second.low == pytest.approx(2 * first.low)
    assert second.high == pytest.approx(2 * first.high)


def test_what_was_not_measured_is_unknown_and_what_a_draw_lacks_is_left_out(rng):
    values = np.array([np.nan, 1, 2, 3])
    patients = ["a", "b", "c", "d"]

    def known_mean(at):
        known = values[at][~np.isnan(values[at])]
        return known.mean() if len(known) else np.nan

    nothing, mean = bootstrapped_together(patients, lambda at: [np.nan, known_mean(at)], rng)
    assert nothing is UNKNOWN
    assert mean.value == 2
    assert 1 <= mean.low < mean.high <= 3
    assert bootstrapped_together(patients, lambda _: [np.nan], rng) == [UNKNOWN]


def test_one_patient_however_often_measured_has_a_figure_and_no_interval(rng):
    values = np.array([1.0, 2, 6])
    (alone,) = bootstrapped_together(["a"] * 3, lambda at: [values[at].mean()], rng)
    assert alone.value == 3
    assert np.isnan(alone.low) and np.isnan(alone.high)


def test_figures_can_be_asked_without_intervals_and_are_then_taken_once():
    asked = []

    def count(places):
        asked.append(places.tolist())
        return [len(places)]

    (found,) = bootstrapped_together(["a", "b"], count, None)
    assert (found.value, asked) == (2, [[0, 1]])
    assert np.isnan(found.low)
