from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.learning.phantom import Phantom, PhantomLabel, simulate
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


def test_the_canal_is_the_phantoms_own(phantom: Phantom) -> None:
    slices = [labels == PhantomLabel.CANAL for labels in phantom.labels]
    canals = [example.tissue == Tissue.CANAL for example in examples_from_phantom(phantom)]
    assert any(canal.any() for canal in canals)
    assert all(any(np.array_equal(canal, own) for own in slices) for canal in canals)


def test_only_pixels_of_bodies_belong_to_a_body(phantom: Phantom) -> None:
    for example in examples_from_phantom(phantom):
        assert np.isin(example.tissue[example.body > 0], (Tissue.BODY, Tissue.SACRUM)).all()
