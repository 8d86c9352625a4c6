from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from spider_making import drawn_mask, drawn_slab

from SpineNetCore.errors import InputError
from SpineNetCore.learning import detector_training
from SpineNetCore.learning.checkpoints import save_checkpoint
from SpineNetCore.learning.detector_training import DetectorRecipe, ExamplePool, train_detector
from SpineNetCore.learning.slice_examples import examples_from_slab
from SpineNetCore.vertebra_network import VertebraNetwork, VertebraNetworkConfig

RECIPE = DetectorRecipe(steps=4, batch=2, checkpoint_every=2)


@pytest.fixture(scope="module")
def pool() -> ExamplePool:
    return ExamplePool(examples_from_slab(drawn_slab(drawn_mask()))[:2], 1.0)


def a_network() -> VertebraNetwork:
    torch.manual_seed(0)
    return VertebraNetwork(VertebraNetworkConfig(widths=(4, 6, 6)))


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
    whole = train_detector(a_network(), [pool], RECIPE, tmp_path / "whole.pt")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(detector_training, "save_checkpoint", killed_after(2))
        train_detector(a_network(), [pool], RECIPE, tmp_path / "killed.pt")
    resumed = train_detector(a_network(), [pool], RECIPE, tmp_path / "killed.pt")

    assert are_equal(resumed, whole)
    assert not are_equal(whole, a_network())


def test_a_finished_training_is_taken_over_as_it_is(pool, tmp_path):
    trained = train_detector(a_network(), [pool], replace(RECIPE, steps=2), tmp_path / "done.pt")
    again = train_detector(a_network(), [pool], replace(RECIPE, steps=2), tmp_path / "done.pt")

    assert are_equal(again, trained)
    assert not again.training


def test_another_seed_looks_at_the_examples_otherwise(pool, tmp_path):
    one, other = (
        train_detector(a_network(), [pool], replace(RECIPE, steps=1, seed=seed), tmp_path / f"{seed}.pt")
        for seed in (0, 1)
    )

    assert not are_equal(one, other)


def test_a_checkpoint_of_another_recipe_is_refused(pool, tmp_path):
    train_detector(a_network(), [pool], replace(RECIPE, steps=1), tmp_path / "one.pt")
    with pytest.raises(InputError, match=r"one.pt' was made with rate .*, now it is 0.5: give another --work folder"):
        train_detector(a_network(), [pool], replace(RECIPE, steps=1, rate=0.5), tmp_path / "one.pt")


def test_the_loss_falls_on_one_slice(pool, tmp_path, caplog):
    recipe = DetectorRecipe(steps=24, batch=2, rate=2e-2, checkpoint_every=1)
    with caplog.at_level(logging.INFO, logger=detector_training.log.name):
        train_detector(a_network(), [replace(pool, examples=pool.examples[:1])], recipe, tmp_path / "one.pt")
    losses = [record.args[2] for record in caplog.records]

    assert len(losses) == recipe.steps
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])


def test_a_batch_without_any_known_corner_still_teaches_tissue(pool, tmp_path, caplog):
    blank = [replace(example, corners=np.full_like(example.corners, np.nan)) for example in pool.examples]
    with caplog.at_level(logging.INFO, logger=detector_training.log.name):
        network = train_detector(
            a_network(), [ExamplePool(blank, 1.0)], replace(RECIPE, steps=1), tmp_path / "blank.pt"
        )

    assert np.isfinite(caplog.records[-1].args[2])
    assert all(values.isfinite().all() for values in network.state_dict().values())
    assert not torch.equal(network.tissue.weight, a_network().tissue.weight)


def test_a_pool_without_a_share_is_never_drawn_from(pool, tmp_path):
    alone = train_detector(a_network(), [pool], replace(RECIPE, steps=1), tmp_path / "alone.pt")
    beside = train_detector(a_network(), [pool, ExamplePool([], 0.0)], replace(RECIPE, steps=1), tmp_path / "two.pt")

    assert are_equal(alone, beside)
