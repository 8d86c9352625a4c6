from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from grader_making import GUIDED, TINY, a_lesion

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.evidence_guidance import LesionLooks, draw_lesions, guidance_loss, lesions_digest
from SpineNetCore.network import GradingNetwork

LESIONS = [a_lesion(), a_lesion(Task.LOWER_MARROW)]


@pytest.fixture
def network() -> GradingNetwork:
    torch.manual_seed(0)
    return GradingNetwork(replace(TINY, batch_norm=False, dropout=0.0)).train()


def share_inside(network: GradingNetwork, looks: LesionLooks) -> float:
    """Of the absolute gradient at the looks themselves."""
    volumes = looks.volumes.clone().requires_grad_()
    scores = network(volumes)
    sum(scores[task][k, 1] for k, task in enumerate(looks.tasks)).backward()
    return float((volumes.grad.abs() * looks.inside).sum() / volumes.grad.abs().sum())


def test_a_look_at_a_lesion_knows_where_it_is():
    looks = draw_lesions(LESIONS, replace(GUIDED, guided=12), step=0)
    seen = looks.volumes.clamp(0.01)

    assert looks.volumes.shape == looks.inside.shape
    assert set(looks.inside.unique().tolist()) == {0.0, 1.0}
    assert 0.5 * seen[looks.inside == 1].mean() > seen[(looks.inside == 0) & (looks.volumes > 0)].mean()
    assert set(looks.tasks) == {Task.UPPER_ENDPLATE, Task.LOWER_ENDPLATE, Task.UPPER_MARROW, Task.LOWER_MARROW}


def test_what_is_drawn_depends_on_seed_and_step_alone_whoever_draws_it():
    recipe = replace(GUIDED, guided=4)
    whole, again = (draw_lesions(LESIONS, recipe, step=3) for _ in range(2))
    halves = [draw_lesions(LESIONS, recipe, 3, rank, processes=2) for rank in (0, 1)]

    assert torch.equal(whole.volumes, again.volumes)
    assert torch.equal(whole.volumes[0::2], halves[0].volumes)
    assert torch.equal(whole.inside[1::2], halves[1].inside)
    assert not torch.equal(whole.volumes, draw_lesions(LESIONS, recipe, step=4).volumes)


def test_learning_from_the_loss_draws_the_evidence_into_the_lesion(network):
    looks = draw_lesions(LESIONS, replace(GUIDED, guided=8), step=0)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    before = share_inside(network, looks)
    losses = []
    for _ in range(30):
        loss = guidance_loss(network, looks, mixed_precision=False)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())

    assert losses[-1] < losses[0] - 0.3
    assert share_inside(network, looks) > 1.3 * before


def test_a_look_past_the_lesion_costs_nothing(network):
    looks = draw_lesions(LESIONS, GUIDED, step=0)
    past = replace(looks, inside=torch.zeros_like(looks.inside))

    assert guidance_loss(network, past, mixed_precision=False).item() == 0
    assert network.training


def test_the_digest_tells_lesions_apart():
    others = [[a_lesion()], [a_lesion(Task.LOWER_MARROW), a_lesion()], [a_lesion(place=0), LESIONS[1]]]

    assert lesions_digest(LESIONS) == lesions_digest([a_lesion(), a_lesion(Task.LOWER_MARROW)])
    assert len({lesions_digest(LESIONS), *map(lesions_digest, others)}) == 4
