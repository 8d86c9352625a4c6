from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.learning.implant_shapes import PIXEL_MM, Endplate, darkened, dented, narrowed, with_marrow_changed

UPPER, LOWER = np.array([[80.0, 103], [80, 216]]), np.array([[110.0, 103], [110, 216]])
DISC, MARROW = 0.1, 0.5
SEEDS = range(6)


@pytest.fixture
def slices():
    """Five slices, places 4 to 8 of the context: marrow, and between rows 80 and 110 a disc."""
    slices = np.full((5, 192, 320), MARROW, dtype=np.float32)
    slices[:, 80:111, 103:217] = DISC
    return slices


def side(name):
    return Endplate(UPPER, -1, 4) if name == "upper" else Endplate(LOWER, 1, 4)


def into_body(name):
    rows = np.arange(192)[:, None] * np.ones((1, 320))
    return 80 - rows if name == "upper" else rows - 110


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["upper", "lower"])
def test_a_dent_is_as_deep_as_asked_for_and_its_own_side_alone_changes(slices, name, seed):
    out, lesion = dented(np.random.default_rng(seed), slices, side(name), depth_mm=5.0)
    away, is_disc = into_body(name), out < 0.3
    deepest_mm = (away * is_disc.any(axis=0)).max() * PIXEL_MM
    assert 3.0 < deepest_mm < 7.5  # rippled, off the middle slice, and smoothed
    assert np.array_equal(out[:, away < -25], slices[:, away < -25])
    assert lesion[:, (away > -3) & (away < 25)].sum() == lesion.sum() > 40
    turned_into_disc = (slices > 0.4) & is_disc
    assert turned_into_disc.sum() > 100
    assert lesion[turned_into_disc].mean() > 0.8


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dent_below_is_one_above_turned_over(slices, seed):
    upper, of_upper = dented(np.random.default_rng(seed), slices, side("upper"), 5.0)
    over = Endplate(np.array([[191 - 80.0, 103], [191 - 80, 216]]), 1, 4)
    lower, of_lower = dented(np.random.default_rng(seed), slices[:, ::-1], over, 5.0)
    assert np.allclose(lower, upper[:, ::-1], atol=1e-5)
    assert np.array_equal(of_lower, of_upper[:, ::-1])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["upper", "lower"])
def test_marrow_changes_where_it_is_said_to_and_disc_stays_dark(slices, name, seed):
    out, lesion = with_marrow_changed(np.random.default_rng(seed), slices, side(name))
    away, change = into_body(name), np.abs(out - slices)
    assert change[:, away < 0].max() < 0.05
    assert change[slices == np.float32(DISC)].max() < 0.01
    assert lesion.sum() > 80
    assert change[lesion].mean() > 5 * change[~lesion].mean()
    assert lesion[:, away > 60].sum() == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_away_from_the_endplate_leaves_the_marrow_beside_it(slices, seed):
    out, _ = with_marrow_changed(np.random.default_rng(seed), slices, side("lower"), away_mm=12.0)
    away = into_body("lower")
    assert np.abs(out - slices)[:, (away > 0) & (away * PIXEL_MM < 9)].max() < 0.05
    assert np.abs(out - slices).max() > 0.05


@pytest.mark.parametrize("share", [0.9, 0.6, 0.3])
def test_a_disc_keeps_the_share_of_its_height_and_tells_where_its_endplates_are(slices, share):
    out, endplates = narrowed(slices, np.stack([UPPER, LOWER]), share)
    heights = (out[:, 40:150, 130:190] < 0.3).sum(axis=1)
    assert heights == pytest.approx(31 * share, abs=1.6)
    assert endplates[0, :, 0] == pytest.approx(95 - 15 * share)
    assert endplates[1, :, 0] == pytest.approx(95 + 15 * share)
    assert np.array_equal(endplates[..., 1], np.stack([UPPER, LOWER])[..., 1])


def test_a_darkened_disc_is_dark_throughout_and_its_bodies_stay_as_they_are(slices):
    slices[:, 86:105, 115:205] = 0.8
    out = darkened(np.random.default_rng(0), slices, np.stack([UPPER, LOWER]))
    assert out[:, 82:109, 120:200].max() < 0.35
    assert np.abs(out - slices)[:, :76].max() < 0.02
    assert np.abs(out - slices)[:, 115:].max() < 0.02


def test_a_lone_slice_has_all_of_the_depth(slices):
    alone, _ = dented(np.random.default_rng(0), slices[:1], Endplate(UPPER, -1, 6), 5.0)
    assert ((80 - np.arange(192)) * (alone[0] < 0.3).any(axis=1)).max() * PIXEL_MM > 3.0
