from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from spider_making import drawn_mask, drawn_slab

from SpineNetCore.learning.slice_augmentation import DetectorTarget, draw_target
from SpineNetCore.learning.slice_examples import UNKNOWN, SliceExample, examples_from_slab
from SpineNetCore.vertebra_network import CORNER_UNIT_MM, PIXEL_MM, Tissue

SEEDS = range(12)
MARKERS = (Tissue.SACRUM, Tissue.DISC, Tissue.LOWEST_DISC, Tissue.CANAL)
"""What marks the four corners of every body on `marked_example`."""


@pytest.fixture(scope="module")
def example() -> SliceExample:
    return examples_from_slab(drawn_slab(drawn_mask()))[0]


@pytest.fixture(scope="module")
def marked_example(example: SliceExample) -> SliceExample:
    """Four bodies, at each of whose corners lies a small blot of that corner's tissue, bright on a black picture."""
    tissue = np.where((example.body > 0) & (example.body < 5), np.uint8(Tissue.BODY), np.uint8(0))
    rows, columns = np.indices(tissue.shape)
    for corners in example.corners[:4]:
        for (row, column), marker in zip(corners, MARKERS, strict=True):
            tissue[np.hypot(rows - row, columns - column) < 4] = marker
    body = np.where(example.body < 5, example.body, 0).astype(np.uint8)
    return replace(example, image=(tissue > 1).astype(np.float32), tissue=tissue, body=body)


def look(example: SliceExample, seed: int, side: int = 256, lies: float = 0.0) -> DetectorTarget:
    return draw_target(np.random.default_rng(seed), example, (side, side), lies)


def voted_corners(target: DetectorTarget) -> np.ndarray:
    """(4, 2, P) pixels that every body pixel calls its corners."""
    places = target.corners.reshape(4, 2, *target.image.shape) * (CORNER_UNIT_MM / PIXEL_MM)
    places = places + np.indices(target.image.shape)
    return places[:, :, np.isfinite(target.corners).all(axis=0)]


@pytest.mark.parametrize("seed", SEEDS)
def test_offsets_point_to_the_corners_wherever_the_look_moved_them(marked_example, seed):
    target = look(marked_example, seed)
    checked = 0
    for marker, votes in zip(MARKERS, voted_corners(target), strict=True):
        blots, count = ndimage.label(target.tissue == marker)
        areas = ndimage.sum_labels(blots > 0, blots, np.arange(1, count + 1))
        for blot in 1 + np.flatnonzero(areas > 0.8 * areas.max(initial=0)):
            centre = np.array(ndimage.center_of_mass(blots == blot))
            assert np.linalg.norm(votes - centre[:, None], axis=0).min() < 1
            checked += 1
    assert checked >= 4


@pytest.mark.parametrize("seed", SEEDS)
def test_a_look_turned_over_shows_the_same_but_nothing_of_it_is_the_sacrum_or_its_disc(example, seed):
    upright, lie = look(example, seed), look(example, seed, lies=1.0)
    turned = [np.flip(upright.image, axes) for axes in ((0,), (1,), (0, 1))]

    assert any(np.array_equal(lie.image, image) for image in turned)
    assert not np.isin(lie.tissue, (Tissue.SACRUM, Tissue.LOWEST_DISC)).any()
    assert (lie.tissue == Tissue.BODY).sum() == (upright.tissue == Tissue.BODY).sum() > 0
    assert np.isnan(lie.corners).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_picture_moves_with_its_truth(marked_example, seed):
    target = look(marked_example, seed)
    blots = ndimage.binary_erosion(target.tissue > Tissue.BODY)

    assert target.image[blots].mean() > 1.5 * target.image[target.tissue == Tissue.BACKGROUND].mean()


def test_the_pixels_of_one_body_agree_on_its_corners(marked_example):
    one_body = replace(marked_example, body=np.where(marked_example.body == 2, marked_example.body, 0).astype(np.uint8))
    votes = voted_corners(look(one_body, 2))

    assert votes.shape[2] > 200
    assert np.ptp(votes, axis=2).max() < 1e-3


@pytest.mark.parametrize("seed", SEEDS)
def test_corners_are_asked_on_bodies_only(example, seed):
    target = look(example, seed)
    asked = np.isfinite(target.corners).any(axis=0)

    assert asked.any()
    assert np.isin(target.tissue[asked], (Tissue.BODY, Tissue.SACRUM)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_unknown_corners_stay_unknown(example, seed):
    target = look(replace(example, corners=np.where(np.arange(4)[:, None] < 2, example.corners, np.nan)), seed)

    assert np.isfinite(target.corners[:4]).any()
    assert np.isnan(target.corners[4:]).all()


def test_unknown_tissue_stays_unknown(example):
    hidden = replace(example, tissue=np.where(example.tissue == Tissue.DISC, UNKNOWN, example.tissue))
    plain, target = look(example, 3), look(hidden, 3, side=256)

    assert (plain.tissue == Tissue.DISC).any()
    assert (target.tissue == Tissue.DISC).sum() == 0
    assert (target.tissue == UNKNOWN).sum() > (plain.tissue == UNKNOWN).sum()


def test_the_same_seed_gives_the_same_look(example):
    first, again, other = look(example, 7), look(example, 7), look(example, 8)

    for one, two in zip(vars(first).values(), vars(again).values(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("side", [32, 96])
def test_looks_have_the_size_and_the_values_the_detector_expects(example, side):
    for seed in SEEDS:
        target = look(example, seed, side)
        assert target.image.shape == target.tissue.shape == (side, side)
        assert target.corners.shape == (8, side, side)
        assert (target.image.dtype, target.tissue.dtype, target.corners.dtype) == (np.float32, np.int64, np.float32)
        assert target.image.min() >= 0
        assert target.image.max() <= 1
        assert set(np.unique(target.tissue)) <= {*Tissue, UNKNOWN}


def test_some_looks_end_early_and_ask_nothing_there(example):
    everywhere = replace(example, tissue=np.full_like(example.tissue, Tissue.DISC), body=np.ones_like(example.body))
    whole_rows = [(look(everywhere, seed, 16).tissue > 0).any(axis=1) for seed in range(30)]

    assert any(rows.all() for rows in whole_rows)
    assert any(not rows[0] and rows[-1] for rows in whole_rows)
    assert any(rows[0] and not rows[-1] for rows in whole_rows)
