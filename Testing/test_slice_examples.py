from __future__ import annotations

import numpy as np
import pytest
from spider_making import (
    BACK,
    BODY_ROWS,
    BODY_TOPS,
    CORNERS,
    DISC_ROWS,
    FRONT,
    LOWEST_DISC,
    PROCESS_COLUMNS,
    SHAPE,
    SPACING_MM,
    drawn_mask,
    drawn_slab,
)

from SpineNetCore.learning.datasets.spider import MASK_DISC, MASK_VERTEBRA
from SpineNetCore.learning.slice_examples import UNKNOWN, SliceExample, examples_from_slab
from SpineNetCore.vertebra_network import Tissue


def first_example(mask) -> SliceExample:
    return examples_from_slab(drawn_slab(mask))[0]


@pytest.fixture(scope="module")
def example() -> SliceExample:
    return first_example(drawn_mask())


def test_every_slice_of_a_drawn_slab_is_an_example():
    examples = examples_from_slab(drawn_slab(drawn_mask()))

    assert len(examples) == SHAPE[0]
    for example in examples:
        assert example.image.shape == example.tissue.shape == example.body.shape == SHAPE[1:]
        assert example.image.dtype == np.float32
        assert example.image.min() == 0
        assert example.image.max() == 1
        assert example.spacing_mm == pytest.approx(SPACING_MM[1:])


def off_mm(corners, truth, spacing_mm) -> float:
    """How far the worst corner is off."""
    return float(np.linalg.norm((corners - truth) * spacing_mm, axis=-1).max())


def test_the_corners_of_upright_bodies_are_found_within_two_pixels(example):
    assert example.corners.shape == (5, 4, 2)
    assert off_mm(example.corners[:4], CORNERS, SPACING_MM[1:]) < 1.7


def test_pixels_of_a_body_vote_for_its_own_corners(example):
    for index, top in enumerate(BODY_TOPS):
        inside = (slice(top + 3, top + BODY_ROWS - 3), slice(FRONT + 3, BACK - 3))
        assert (example.body[inside] == index + 1).all()
        assert (example.tissue[inside] == Tissue.BODY).all()


def test_the_lowest_disc_is_l5_s1_and_the_others_are_not(example):
    expected = np.zeros(SHAPE[1:], dtype=bool)
    expected[LOWEST_DISC, FRONT:BACK] = True

    assert np.array_equal(example.tissue == Tissue.LOWEST_DISC, expected)
    assert np.array_equal(example.tissue == Tissue.DISC, (drawn_mask()[0] == MASK_DISC) & ~expected)


def test_a_speck_of_disc_far_below_is_not_l5_s1(example):
    mask = drawn_mask()
    mask[0, 195:198, 40:60] = MASK_DISC
    other = first_example(mask)

    assert np.array_equal(other.tissue == Tissue.LOWEST_DISC, example.tissue == Tissue.LOWEST_DISC)


def test_posterior_elements_are_never_bodies(example):
    assert (drawn_mask()[0, :, PROCESS_COLUMNS] == MASK_VERTEBRA).any()
    assert (example.tissue[:, PROCESS_COLUMNS] == Tissue.BACKGROUND).all()
    assert (example.body[:, PROCESS_COLUMNS] == 0).all()


def test_bone_in_front_of_the_canal_that_is_too_small_for_a_body_teaches_nothing():
    mask = drawn_mask()
    mask[:, 2:6, 40:44] = MASK_VERTEBRA
    example = first_example(mask)

    assert (example.tissue[2:6, 40:44] == UNKNOWN).all()
    assert (example.body[2:6, 40:44] == 0).all()


@pytest.mark.parametrize(
    ("rows", "columns", "bodies"),
    [
        (slice(BODY_TOPS[0], None), slice(None), (True, False, False, False)),
        (slice(BODY_TOPS[0] + 13, None), slice(None), (True, False, False, False)),
        (slice(None), slice(FRONT, None), (True, True, True, True)),
    ],
)
def test_a_body_at_the_border_has_no_corners(rows, columns, bodies):
    example = first_example(drawn_mask()[:, rows, columns])
    is_cut_off = np.isnan(example.corners).all(axis=(1, 2))

    assert is_cut_off[: len(bodies)].tolist() == list(bodies)
    for index in np.flatnonzero(is_cut_off) + 1:
        assert (example.tissue[example.body == index] == Tissue.BODY).sum() > 100


def test_s1_is_painted_below_the_lowest_disc(example):
    below = LOWEST_DISC.stop
    rows, columns = np.nonzero(example.tissue == Tissue.SACRUM)
    millimetre = 1 / SPACING_MM[1]

    assert len(rows) * np.prod(SPACING_MM[1:]) > 300
    assert rows.min() >= below
    assert columns.min() > FRONT
    assert columns.max() < BACK
    assert np.array_equal(example.tissue == Tissue.SACRUM, example.body == 5)
    endplate = np.array([[below - 1 + millimetre, FRONT], [below - 1 + millimetre, BACK - 1]])
    assert off_mm(example.corners[4, :2], endplate, SPACING_MM[1:]) < 1.7
    assert np.isnan(example.corners[4, 2:]).all()


def test_what_may_still_be_s1_teaches_nothing(example):
    rows, columns = np.nonzero(example.tissue == Tissue.SACRUM)
    around = example.tissue[rows.max() + 2, columns.min() : columns.max()]

    assert (around == UNKNOWN).all()
    assert (example.body[example.tissue == UNKNOWN] == 0).all()


def test_s1_is_not_painted_where_the_lowest_disc_is_out_of_sight():
    mask = drawn_mask()
    mask[0, LOWEST_DISC, FRONT:BACK] = 0
    without, with_it, _ = examples_from_slab(drawn_slab(mask))

    assert len(without.corners) == 4
    assert len(with_it.corners) == 5
    assert not np.isin(without.tissue, (Tissue.SACRUM, Tissue.LOWEST_DISC)).any()


def test_a_slice_with_two_discs_is_no_example():
    mask = drawn_mask()
    for top in BODY_TOPS[:2]:
        mask[1, top + BODY_ROWS : top + BODY_ROWS + DISC_ROWS] = 0

    assert len(examples_from_slab(drawn_slab(mask))) == SHAPE[0] - 1


def test_a_slab_without_discs_gives_no_examples():
    mask = drawn_mask()
    mask[mask == MASK_DISC] = 0

    assert examples_from_slab(drawn_slab(mask)) == []
