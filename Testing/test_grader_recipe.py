from __future__ import annotations

from dataclasses import replace

import pytest

from SpineNetCore.learning.grader_recipe import Descent, GraderRecipe, Preset
from SpineNetCore.network import NetworkConfig


def test_the_paper_preset_is_the_papers_recipe():
    (recipe,) = Preset.PAPER.rounds

    assert recipe.network == NetworkConfig(fc6=4096, fc7=1024, dropout=0.5, batch_norm=False)
    assert recipe.descent is Descent.SGD_ON_PLATEAU
    assert (recipe.batch, recipe.rate, recipe.weight_decay, recipe.epochs) == (256, 1e-3, 5e-4, 1000)
    assert (recipe.augmentation(0), recipe.varies_slices, recipe.mixed_precision) == (1, False, False)
    assert all(
        word in Preset.PAPER.description for word in ("4096", "SGD", "5e-4", "256", "plateaus", "1000", "Xavier")
    )


def test_the_quick_preset_says_how_it_differs():
    assert all(recipe.descent is Descent.ADAMW_ONE_CYCLE for recipe in Preset.QUICK.rounds)
    assert all(str(recipe.steps) in Preset.QUICK.description for recipe in Preset.QUICK.rounds)
    assert "ours" in Preset.QUICK.description


@pytest.mark.parametrize(("discs", "per_epoch"), [(10, 1), (256, 1), (511, 1), (512, 2), (3900, 15)])
def test_a_recipe_of_passes_is_as_long_as_the_discs_ask(discs, per_epoch):
    recipe = GraderRecipe(epochs=3, batch=256)

    assert recipe.steps_per_epoch(discs) == per_epoch
    assert recipe.all_steps(discs) == 3 * per_epoch
    assert replace(recipe, epochs=0, steps=7).all_steps(discs) == 7


def test_facts_change_with_all_but_how_often_checkpoints_are_written():
    recipe = GraderRecipe()

    assert replace(recipe, checkpoint_every=7).facts() == recipe.facts()
    assert replace(recipe, patience=3).facts() != recipe.facts()
    assert replace(recipe, network=NetworkConfig()).facts() != recipe.facts()
