from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from grader_making import PAPER, QUICK, a_disc, a_pool

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.disc_batches import DiscBatch, DiscBatches, DiscPool, data_digest
from SpineNetCore.views import View


def parts_of(batch: DiscBatch) -> list[torch.Tensor]:
    return [batch.looks.seen(torch.device("cpu")), *vars(batch.labels).values()]


def are_equal(one: DiscBatch, other: DiscBatch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(parts_of(one), parts_of(other), strict=True))


def grades_shown(batches: DiscBatches, step: int) -> list[int]:
    """Pfirrmann grades of a batch's discs, which tell the discs of `five_discs` apart."""
    return (batches[step].labels.admissible[:, 0].int().argmax(dim=1) + 1).tolist()


def test_discs_of_patients_as_they_are_and_drawn_into_share_what_phantoms_leave():
    def pool(grade: int, is_simulated: bool = False) -> DiscPool:
        return DiscPool([a_disc({Task.PFIRRMANN: {grade}}, slices=1)] * 3, is_simulated)

    recipe = replace(QUICK, batch=400, phantoms=0.5)
    shown = grades_shown(DiscBatches([pool(1), pool(2), pool(3, is_simulated=True)], recipe), 0)
    assert [shown.count(grade) / 400 for grade in (1, 2, 3)] == pytest.approx([0.25, 0.25, 0.5], abs=0.08)


@pytest.fixture(scope="module")
def five_discs() -> DiscPool:
    return DiscPool([a_disc({Task.PFIRRMANN: {grade}}, slices=1) for grade in (1, 2, 3, 4, 5)])


@pytest.mark.parametrize("recipe", [QUICK, PAPER], ids=["quick", "paper"])
def test_a_steps_batch_depends_on_the_seed_and_the_step_alone(recipe):
    batches, again = DiscBatches([a_pool()], recipe), DiscBatches([a_pool()], recipe)

    assert are_equal(batches[3], again[3])
    assert not are_equal(batches[3], batches[2])
    assert not are_equal(batches[3], DiscBatches([a_pool()], replace(recipe, seed=1))[3])


@pytest.mark.parametrize("recipe", [QUICK, PAPER], ids=["quick", "paper"])
def test_the_parts_of_several_processes_make_up_the_whole_batch(recipe):
    recipe = replace(recipe, batch=4)
    whole = DiscBatches([a_pool()], recipe)[1]
    parts = [DiscBatches([a_pool()], recipe, rank, 2)[1] for rank in (0, 1)]

    for rank, part in enumerate(parts):
        for of_part, of_whole in zip(parts_of(part), parts_of(whole), strict=True):
            assert torch.equal(of_part, of_whole[rank::2])


def test_the_papers_pass_shows_every_disc_once_and_in_another_order_each_time(five_discs):
    batches = DiscBatches([five_discs], replace(PAPER, batch=1))
    passes = [[grades_shown(batches, 5 * epoch + k)[0] for k in range(5)] for epoch in range(4)]

    assert all(sorted(shown) == [1, 2, 3, 4, 5] for shown in passes)
    assert len({tuple(shown) for shown in passes}) > 1


def test_the_papers_pass_leaves_a_rest_for_another_pass(five_discs):
    batches = DiscBatches([five_discs], replace(PAPER, batch=2))
    passes = [grades_shown(batches, 2 * epoch) + grades_shown(batches, 2 * epoch + 1) for epoch in range(6)]

    assert all(len(set(shown)) == 4 for shown in passes)
    assert set.union(*(set(shown) for shown in passes)) == {1, 2, 3, 4, 5}


def test_a_batch_larger_than_all_discs_repeats_some(five_discs):
    shown = grades_shown(DiscBatches([five_discs], replace(PAPER, batch=8)), 0)

    assert len(shown) == 8
    assert set(shown) == {1, 2, 3, 4, 5}


def test_both_ways_shows_every_disc_turned_over_too(five_discs):
    both = five_discs.both_ways()

    assert [one.slices.tolist() for one in both.examples[5:]] == [
        d.slices[:, ::-1].tolist() for d in five_discs.examples
    ]
    assert both.is_simulated == five_discs.is_simulated


def test_phantoms_come_by_the_share_that_the_recipe_gives_them_beside_patients(five_discs):
    phantom = DiscPool([a_disc({Task.NARROWING: {1}}, slices=1)], is_simulated=True)
    recipe = replace(QUICK, batch=200, steps=1, phantoms=0.25)

    def share_of_phantoms(*pools):
        return float(DiscBatches(pools, recipe)[0].labels.admissible[:, 1].any(dim=1).float().mean())

    assert share_of_phantoms(five_discs, phantom) == pytest.approx(0.25, abs=0.08)
    assert share_of_phantoms(phantom) == 1
    assert share_of_phantoms(five_discs) == 0


def test_the_paper_shows_slices_as_they_are_and_all_of_its_augmentation_at_once(five_discs, monkeypatch):
    drawn = []

    def draw(rng, ranges):
        drawn.append(ranges)
        return View()

    monkeypatch.setattr("SpineNetCore.learning.disc_looks.draw_view", draw)
    views = parts_of(DiscBatches([five_discs], PAPER)[0])[0]

    assert {ranges.angle_deg for ranges in drawn} == {15.0}
    assert [int(one.any(dim=(1, 2)).sum()) for one in views.flatten(2)[..., None]] == [1, 1]


def test_quick_augmentation_grows(five_discs):
    assert [round(QUICK.augmentation(done), 3) for done in (0, 0.25, 0.5, 1)] == [0.2, 0.6, 1, 1]
    assert PAPER.augmentation(0) == 1


def test_other_discs_labels_or_origins_have_another_digest(five_discs):
    other = DiscPool([*five_discs.examples[:-1], a_disc({Task.PFIRRMANN: {1}}, slices=1)])
    digests = [
        data_digest(pools) for pools in ([five_discs], [other], [replace(five_discs, is_simulated=True)], [a_pool()])
    ]

    assert len(set(digests)) == 4
    assert data_digest([five_discs]) == digests[0]
