"""A map that is the same for every disc: what a method must beat before it can be said to find anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import DISC_SHAPE
from SpineNetCore.learning.hotspot_scorecard.cases import slices_in_scan
from SpineNetCore.network import GradingNetwork
from SpineNetCore.task_score import TaskScore

_BELOW_MIDDLE_PX = {
    Task.UPPER_ENDPLATE: -12,
    Task.LOWER_ENDPLATE: 12,
    Task.UPPER_MARROW: -28,
    Task.LOWER_MARROW: 28,
}
"""Rows from mid-disc to where a task's findings usually are: about 4 mm to endplates, 8 mm to the marrow beyond."""

_WIDTHS_PX = 2.0, 12.0, 40.0
"""Standard deviations of the spot along slices, rows and columns: about as long as an endplate."""


def fixed_maps(network: GradingNetwork, context: FloatArray, scores: Sequence[TaskScore], seed: int) -> FloatArray:
    """A spot for each score where its task's findings usually are, see `MapMaker`; neither network nor seed matter."""
    spots = np.stack([_spot(_BELOW_MIDDLE_PX.get(score.task, 0)) for score in scores])
    return np.asarray(spots * slices_in_scan(context)[:, None, None], dtype=np.float32)


def _spot(below_middle_px: int) -> FloatArray:
    """(9, 112, 224), 1 at its middle at the most."""
    middle = (np.array(DISC_SHAPE) - 1) / 2 + (0, below_middle_px, 0)
    away = (np.indices(DISC_SHAPE) - middle[:, None, None, None]) / np.reshape(_WIDTHS_PX, (3, 1, 1, 1))
    return np.asarray(np.exp(-(away**2).sum(axis=0) / 2))
