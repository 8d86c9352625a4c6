"""Whether a map shows what a grade rests on: its highest voxels are blurred away, and the grader is asked again."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.hotspots import shown_class
from SpineNetCore.learning.hotspot_scorecard.cases import LesionedDisc
from SpineNetCore.learning.lesions import Mask
from SpineNetCore.network import GradingNetwork
from SpineNetCore.tensors import array_of, tensor_of
from SpineNetCore.views import FixedView

ERASED = 0.01
"""Share of a disc volume's voxels."""

BLUR_PX = 8
"""Standard deviation within a slice: about 2.5 mm, which leaves the brightness around and no border."""


def falls(network: GradingNetwork, disc: LesionedDisc, maps: FloatArray) -> list[float]:
    """By how much the log-odds of each score's shown class fall, on the central view, once its own map is erased.

    maps: one per score of the disc, (T, 9, 112, 224), nowhere negative; of one that is zero everywhere nothing is.
    """
    seen = array_of(FixedView().cut(tensor_of(disc.context)))
    soft = gaussian_filter(seen, (0, BLUR_PX, BLUR_PX))
    shown = np.stack([seen, *(np.where(_highest(heat), soft, seen) for heat in maps)])
    with torch.inference_mode():
        grades = network(tensor_of(shown))
    falls = []
    for row, score in enumerate(disc.scores, 1):
        before, after = _log_odds(grades[score.task][[0, row]].double(), shown_class(score))
        falls.append(float(before - after))
    return falls


def _log_odds(scores: Tensor, shown: int) -> Tensor:
    """Of one class against all others together; scores: (N, classes)."""
    others = torch.arange(scores.shape[1]) != shown
    return scores[:, shown] - scores[:, others].logsumexp(dim=1)


def _highest(heat: FloatArray) -> Mask:
    count = round(ERASED * heat.size)
    return np.asarray((heat >= np.partition(heat, -count, axis=None)[-count]) & (heat > 0))
