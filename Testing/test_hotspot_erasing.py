"""How much of a grade goes with the highest voxels of a map."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from lesion_making import a_lesion, a_lesioned_disc
from torch import Tensor

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.learning.hotspot_scorecard.erasing import ERASED, falls

HEAT = a_lesion().astype(np.float32)


class BrightestInTheBlock(torch.nn.Module):
    """Log-odds of a defect that are the brightest voxel's of the lesion, ten times; other tasks never change."""

    def forward(self, volumes: Tensor) -> Mapping[Task, Tensor]:
        odds = 10 * volumes[:, torch.from_numpy(a_lesion())].amax(dim=1)
        return {task: torch.stack([0 * odds, odds * (task is Task.UPPER_ENDPLATE)], dim=1) for task in Task}


def fall_of(heat: FloatArray) -> float:
    (fall,) = falls(BrightestInTheBlock(), a_lesioned_disc(tasks=(Task.UPPER_ENDPLATE,)), heat[None])  # type: ignore[arg-type]
    return fall


def test_a_grade_falls_with_the_voxels_that_it_rests_on() -> None:
    assert 2 < fall_of(HEAT) < 6  # noise from 0.1 to 0.9 becomes its mean


def test_a_grade_that_is_very_sure_falls_as_far() -> None:
    class Surer(BrightestInTheBlock):
        def forward(self, volumes: Tensor) -> Mapping[Task, Tensor]:
            return {task: 10 * scores for task, scores in super().forward(volumes).items()}

    (fall,) = falls(Surer(), a_lesioned_disc(tasks=(Task.UPPER_ENDPLATE,)), HEAT[None])  # type: ignore[arg-type]
    assert fall == pytest.approx(10 * fall_of(HEAT), rel=1e-4)


def test_a_grade_stays_where_other_voxels_are_erased_or_none() -> None:
    assert fall_of(np.roll(HEAT, 50, axis=1)) == pytest.approx(0)
    assert fall_of(np.zeros_like(HEAT)) == 0


def test_what_is_not_among_the_highest_voxels_stays() -> None:
    higher = np.zeros_like(HEAT)
    higher[7].ravel()[: round(ERASED * HEAT.size)] = 2
    assert fall_of(HEAT + higher) == pytest.approx(0)
    higher[7].ravel()[a_lesion().sum() :] = 0
    assert fall_of(HEAT + higher) > 2
