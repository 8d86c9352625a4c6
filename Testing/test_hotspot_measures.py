from __future__ import annotations

import numpy as np
import pytest
from lesion_making import BLOCK, a_lesion

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import DISC_SHAPE
from SpineNetCore.learning.hotspot_scorecard.measures import alikeness, localisation, rank_alikeness
from SpineNetCore.learning.lesions import Mask

ALL_SLICES = np.ones(DISC_SHAPE[0], dtype=bool)


@pytest.fixture
def lesion() -> Mask:
    return a_lesion()


def noise(seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).random(DISC_SHAPE, dtype=np.float32)


def a_point(slice_number: int, row: int, column: int) -> FloatArray:
    heat = np.full(DISC_SHAPE, 0.01, dtype=np.float32)
    heat[slice_number, row, column] = 1
    return heat


def test_a_map_of_the_lesion_itself_is_perfect(lesion: Mask) -> None:
    shown = localisation(lesion.astype(np.float32), lesion, ALL_SLICES, Task.UPPER_ENDPLATE)
    assert (shown.points, shown.points_in_plane, shown.iou, shown.precision) == (1, 1, 1, 1)
    assert (shown.side, shown.points_to_side) == (1, 1)
    assert shown.energy_ratio == pytest.approx(lesion.size / lesion.sum())


def test_an_even_map_does_no_better_than_chance(lesion: Mask) -> None:
    shown = localisation(np.ones(DISC_SHAPE, np.float32), lesion, ALL_SLICES, Task.LOWER_MARROW)
    assert shown.energy_ratio == pytest.approx(1)
    assert shown.precision == pytest.approx(lesion.mean())
    assert shown.side == pytest.approx(0.5)


def test_a_map_of_zeros_shows_nothing(lesion: Mask) -> None:
    shown = localisation(np.zeros(DISC_SHAPE, np.float32), lesion, ALL_SLICES, Task.UPPER_MARROW)
    assert (shown.points, shown.points_in_plane, shown.energy_ratio, shown.iou, shown.precision) == (0, 0, 0, 0, 0)
    assert (shown.side, shown.points_to_side) == (0, 0)


@pytest.mark.parametrize(
    ("peak", "points", "in_plane"),
    [((3, 35, 110), 1, 1), ((3, 28, 110), 1, 1), ((3, 27, 110), 0, 0), ((3, 28, 98), 0, 0), ((6, 35, 110), 0, 1)],
)
def test_the_maximum_may_lie_two_pixels_off_but_in_no_other_slice(
    lesion: Mask, peak: tuple[int, int, int], points: int, in_plane: int
) -> None:
    shown = localisation(a_point(*peak), lesion, ALL_SLICES, Task.UPPER_ENDPLATE)
    assert (shown.points, shown.points_in_plane) == (points, in_plane)


def test_of_equal_maxima_each_counts_whatever_their_order(lesion: Mask) -> None:
    heat = np.full(DISC_SHAPE, 0.01, dtype=np.float32)
    heat[:, 35, 110] = 1  # in every slice, of which two show the lesion
    shown = localisation(heat, lesion, ALL_SLICES, Task.UPPER_ENDPLATE)
    assert (shown.points, shown.points_in_plane, shown.points_to_side) == (pytest.approx(2 / 9), 1, 1)
    heat[0, 90, 10] = 1
    shown = localisation(heat, lesion, ALL_SLICES, Task.UPPER_ENDPLATE)
    assert (shown.points, shown.points_in_plane, shown.points_to_side) == pytest.approx((0.2, 0.9, 0.9))


@pytest.mark.parametrize(
    ("task", "row", "side"),
    [
        (Task.UPPER_MARROW, 55, 1),
        (Task.UPPER_MARROW, 56, 0),
        (Task.LOWER_ENDPLATE, 55, 0),
        (Task.LOWER_ENDPLATE, 56, 1),
    ],
)
def test_upper_tasks_look_above_mid_disc_and_lower_ones_below(lesion: Mask, task: Task, row: int, side: int) -> None:
    assert localisation(a_point(4, row, 100), lesion, ALL_SLICES, task).points_to_side == side


def test_tasks_of_the_whole_disc_have_no_side(lesion: Mask) -> None:
    assert np.isnan(localisation(noise(), lesion, ALL_SLICES, Task.NARROWING).side)


def test_overlap_and_precision_are_those_counted_by_hand(lesion: Mask) -> None:
    heat = np.zeros(DISC_SHAPE, dtype=np.float32)
    heat[BLOCK[0], BLOCK[1], 115:145] = 2  # half of the lesion, and as much beside it
    heat[lesion & (heat == 0)] = 1
    shown = localisation(heat, lesion, ALL_SLICES, Task.UPPER_ENDPLATE)
    assert shown.iou == pytest.approx(300 / 900)
    assert shown.precision == pytest.approx(0.5 * 300 / 600 + 0.5 * 600 / 900)
    assert shown.energy_ratio == pytest.approx(900 / 1500 * lesion.size / 600)


def test_slices_that_the_scan_does_not_have_count_as_no_area(lesion: Mask) -> None:
    in_scan = np.arange(DISC_SHAPE[0]) >= 3
    heat = in_scan[:, None, None] * np.ones(DISC_SHAPE, np.float32)
    shown = localisation(heat, lesion, in_scan, Task.UPPER_ENDPLATE)
    assert shown.energy_ratio == pytest.approx(1)
    assert shown.precision == pytest.approx(lesion[in_scan].mean())


def test_maps_are_alike_by_value_or_by_rank_and_unlike_noise() -> None:
    heat = noise()
    assert alikeness(heat, 2 * heat + 1, ALL_SLICES) == pytest.approx(1)
    assert alikeness(heat, heat**9, ALL_SLICES) < 0.8
    assert rank_alikeness(heat, heat**9, ALL_SLICES) == pytest.approx(1)
    assert abs(rank_alikeness(heat, noise(1), ALL_SLICES)) < 0.02
    assert rank_alikeness(heat, np.zeros_like(heat), ALL_SLICES) == 0
