"""Teaching a grader to look where the lesion is: on phantoms, which know it, its evidence is drawn into the lesion.

After Ross et al. 2017, "Right for the right reasons", who fine a gradient outside of what an annotator marked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from SpineNetCore.anatomy import Task
from SpineNetCore.hotspots import on_the_way
from SpineNetCore.learning.disc_batches import examples_digest
from SpineNetCore.learning.grader_recipe import GraderRecipe
from SpineNetCore.learning.lesions import SMALLEST_LESION, Lesion, with_slack
from SpineNetCore.network import GradingNetwork
from SpineNetCore.processor import trains_in_bfloat16
from SpineNetCore.tensors import tensor_of
from SpineNetCore.views import RandomViewRanges, draw_view, look, slices_in_view, through_windows

_ABNORMAL = 1
_BLUR_PX = 5
_FLOOR = 1e-3
"""Share of evidence below which less of it costs no more."""


@dataclass(frozen=True)
class LesionLooks:
    """Random looks at N lesions.

    volumes: (N, 9, 112, 224). inside: the same shape, 1 in the lesion, 0 elsewhere. ways: (N,), see `on_the_way`.
    tasks: N of them.
    """

    volumes: Tensor
    inside: Tensor
    ways: Tensor
    tasks: tuple[Task, ...]

    def to(self, device: torch.device) -> LesionLooks:
        """The same on a device."""
        return LesionLooks(self.volumes.to(device), self.inside.to(device), self.ways.to(device), self.tasks)


def draw_lesions(
    lesions: Sequence[Lesion], recipe: GraderRecipe, step: int, rank: int = 0, processes: int = 1
) -> LesionLooks:
    """What a process shows of a step's lesions, decided by the recipe's seed and the step, counted from 0."""
    contexts, masks, views, ways, tasks = [], [], [], [], []
    for number in range(rank, recipe.guided, processes):
        rng = np.random.default_rng((recipe.seed, step, number, 1))
        lesion = lesions[int(rng.integers(len(lesions)))]
        lesion = lesion.turned_over() if recipe.turns_over and rng.integers(2) else lesion
        view = draw_view(rng, RandomViewRanges())
        mask = with_slack(lesion.mask())[slices_in_view(view)]
        contexts.append(tensor_of(lesion.disc.context()))
        masks.append(tensor_of(mask.astype(np.float32)))
        views.append(view)
        ways.append(np.float32(rng.random()))
        tasks.append(lesion.task)
    inside = (through_windows(torch.stack(masks), views) > 0.5).float()
    return LesionLooks(look(torch.stack(contexts), views), inside, torch.tensor(np.array(ways)), tuple(tasks))


def guidance_loss(network: GradingNetwork, looks: LesionLooks, mixed_precision: bool) -> Tensor:
    """Mean over looks of minus the log of the share of evidence that lies in the lesion.

    Evidence is that of hotspots, see `hotspots.Evidence`: the mean is over the logs of the shares of the absolute
    gradient and of the contribution. A look that does not show the lesion costs nothing. The network is left in
    training mode, but is asked as when it makes hotspots, without dropout and by its running statistics.
    """
    between, difference = on_the_way(looks.volumes, looks.ways)
    between.requires_grad_()
    network.eval()
    enabled = mixed_precision and trains_in_bfloat16(between.device)
    with torch.autocast(between.device.type, dtype=torch.bfloat16, enabled=enabled):
        features = network.trunk(between)
        scores = [network.head(task, features[k : k + 1])[0, _ABNORMAL] for k, task in enumerate(looks.tasks)]
    network.train()
    (gradient,) = torch.autograd.grad(torch.stack(scores).float().sum(), between, create_graph=True)
    gradient = gradient * (looks.volumes.amax(dim=(2, 3), keepdim=True) > 0)
    moving, contributing = _smoothed(gradient.abs()), _smoothed(gradient * difference).relu()
    logs = (_log_share(moving, looks.inside) + _log_share(contributing, looks.inside)) / 2
    is_shown = looks.inside.sum(dim=(1, 2, 3)) >= SMALLEST_LESION
    return -(logs * is_shown).mean()


def lesions_digest(lesions: Sequence[Lesion]) -> str:
    """A few digits that change with the lesions or their discs."""
    digest = hashlib.sha256(examples_digest([lesion.disc for lesion in lesions]).encode())
    for lesion in lesions:
        digest.update(lesion.task.value.encode() + lesion.voxels.tobytes())
    return digest.hexdigest()[:12]


def _smoothed(maps: Tensor) -> Tensor:
    return functional.avg_pool2d(maps, _BLUR_PX, stride=1, padding=_BLUR_PX // 2)


def _log_share(evidence: Tensor, inside: Tensor) -> Tensor:
    """(N, 9, 112, 224) of either to (N,)."""
    whole = evidence.sum(dim=(1, 2, 3)).clamp(min=1e-12)
    return ((evidence * inside).sum(dim=(1, 2, 3)) / whole + _FLOOR).log()
