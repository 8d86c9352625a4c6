from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.learning.phantom import Phantom, PhantomLabel, PhantomSettings, simulate
from SpineNetCore.learning.phantom.anatomy_model import draw_spine
from SpineNetCore.learning.phantom_slices import examples_from_phantom
from SpineNetCore.learning.slice_examples import SliceExample
from SpineNetCore.vertebra_network import Tissue


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return simulate(np.random.default_rng(1))


@pytest.fixture(scope="module")
def middle(phantom: Phantom) -> SliceExample:
    examples = examples_from_phantom(phantom)
    return examples[len(examples) // 2]


def test_every_pixel_of_a_body_lies_near_the_corners_it_is_given(middle: SliceExample) -> None:
    for index, corners in enumerate(middle.corners):
        pixels = np.argwhere(middle.body == index + 1)
        reach = np.linalg.norm(corners - corners.mean(axis=0), axis=1).max()
        assert len(pixels) > 0
        assert np.linalg.norm(pixels - corners.mean(axis=0), axis=1).mean() < reach


def test_the_last_body_is_the_sacrum_and_all_its_corners_are_known(middle: SliceExample, phantom: Phantom) -> None:
    assert phantom.vertebrae[-1].level == "S1"
    assert np.isfinite(middle.corners).all()
    last = middle.body == len(middle.corners)
    assert (middle.tissue[last] == Tissue.SACRUM).mean() > 0.95


def test_only_the_disc_above_the_sacrum_is_the_lowest(middle: SliceExample) -> None:
    lowest = np.argwhere(middle.tissue == Tissue.LOWEST_DISC)[:, 0]
    others = np.argwhere(middle.tissue == Tissue.DISC)[:, 0]
    assert len(lowest) > 0
    assert np.median(lowest) > others.max()


@pytest.mark.parametrize("is_whole", [True, False])
def test_only_where_it_is_asked_for_is_the_disc_between_s1_and_s2_a_whole_one(is_whole: bool) -> None:
    settings = PhantomSettings(sacral_disc_probability=float(is_whole))
    spine = draw_spine(np.random.default_rng(2), settings, np.zeros(1))
    (disc,) = (disc for disc in spine.discs if disc.level == "S1-S2")

    assert (disc.bulges_mm != (0.0, 0.0)) == is_whole
    assert disc.is_sacral


def test_discs_in_the_sacrum_are_taught_to_be_none() -> None:
    settings = PhantomSettings(slices=(1, 1), cut_off_probability=0.0, sacral_disc_probability=1.0)
    phantom = simulate(np.random.default_rng(2), settings)
    (example,) = examples_from_phantom(phantom)
    in_sacrum = phantom.labels[0] == PhantomLabel.SACRAL_DISC

    assert in_sacrum.any()
    assert (example.tissue[in_sacrum] == Tissue.BACKGROUND).all()


def test_the_canal_is_the_phantoms_own(phantom: Phantom) -> None:
    slices = [labels == PhantomLabel.CANAL for labels in phantom.labels]
    canals = [example.tissue == Tissue.CANAL for example in examples_from_phantom(phantom)]
    assert any(canal.any() for canal in canals)
    assert all(any(np.array_equal(canal, own) for own in slices) for canal in canals)


def test_only_pixels_of_bodies_belong_to_a_body(phantom: Phantom) -> None:
    for example in examples_from_phantom(phantom):
        assert np.isin(example.tissue[example.body > 0], (Tissue.BODY, Tissue.SACRUM)).all()
