from __future__ import annotations

from dataclasses import replace

import torch
from grader_making import GUIDED, QUICK, a_data

from SpineNetCore.learning.evidence_guidance import draw_lesions
from SpineNetCore.learning.grader_batches import load_batches
from SpineNetCore.learning.processes import Process


def test_a_step_gets_its_own_lesions_whichever_it_is_resumed_at():
    data = a_data()
    (batch,) = load_batches(data, GUIDED, Process(loaders=0), range(2, 3))

    assert torch.equal(batch.lesions.volumes, draw_lesions(data.lesions, GUIDED, 2).volumes)


def test_two_processes_share_the_lesions_of_a_step():
    whole, *halves = (
        next(iter(load_batches(a_data(), replace(GUIDED, guided=4), process, range(1)))).lesions
        for process in (Process(loaders=0), *(Process(loaders=0, rank=rank, count=2) for rank in (0, 1)))
    )

    assert torch.equal(torch.stack([half.inside for half in halves], dim=1).flatten(0, 1), whole.inside)


def test_no_lesion_is_drawn_where_no_evidence_is_guided():
    unguided, none_to_guide = (QUICK, a_data()), (GUIDED, replace(a_data(), lesions=()))

    for recipe, data in (unguided, none_to_guide):
        (batch,) = load_batches(data, recipe, Process(loaders=0), range(1))
        assert batch.lesions is None
        assert len(batch.discs.labels.weights) == recipe.batch
