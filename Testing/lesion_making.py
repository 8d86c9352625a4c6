"""A disc of noise with lesions drawn into it, and a network so small that maps take moments."""

from __future__ import annotations

import numpy as np
import torch

from SpineNetCore.anatomy import Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE, DISC_SHAPE
from SpineNetCore.learning.hotspot_scorecard.cases import LesionedDisc
from SpineNetCore.learning.lesions import Mask
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.task_score import TaskScore

BLOCK = (slice(3, 5), slice(30, 40), slice(100, 130))
BOTH = (Task.UPPER_ENDPLATE, Task.PFIRRMANN)


def a_lesion() -> Mask:
    """600 voxels of two slices, above mid-disc."""
    lesion = np.zeros(DISC_SHAPE, dtype=bool)
    lesion[BLOCK] = True
    return lesion


def a_lesioned_disc(patient: str = "phantom 0", tasks: tuple[Task, ...] = BOTH) -> LesionedDisc:
    """Noise in all slices but the disc volume's first, which the scan does not have."""
    context = np.random.default_rng(0).uniform(0.1, 0.9, CONTEXT_SHAPE).astype(np.float32)
    context[:3] = 0
    scores = tuple(TaskScore(task, task.grades[-1], tuple(1.0 for _ in task.grades), 0.0) for task in tasks)
    return LesionedDisc(patient, "L4-L5", context, scores, tuple(a_lesion() for _ in tasks))


def a_tiny_network() -> GradingNetwork:
    torch.manual_seed(3)
    return GradingNetwork(NetworkConfig(fc6=8, fc7=8, conv_widths=(8, 8, 8, 8, 8))).eval()
