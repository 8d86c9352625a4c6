"""SmoothGrad and Grad-CAM as Captum makes them; only this file imports it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from captum.attr import LayerGradCam, NoiseTunnel, Saliency
from torch import Tensor, nn
from torch.nn import functional

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import DISC_SHAPE
from SpineNetCore.hotspots import HotspotSettings, blurred, shown_class
from SpineNetCore.network import GradingNetwork
from SpineNetCore.scores import ready_network
from SpineNetCore.task_score import TaskScore
from SpineNetCore.tensors import array_of, tensor_of
from SpineNetCore.views import FixedView

NOISES, NOISE = 50, 0.15
"""Noisy copies, and their noise's standard deviation in shares of the intensities' range (Smilkov et al. 2017)."""

SMOOTHGRAD_TITLE, GRAD_CAM_TITLE = f"SmoothGrad, {NOISES} copies", "Grad-CAM, conv5"

_BATCH = 10


@dataclass(frozen=True)
class CaptumMaps:
    """`MapMaker` of one of Captum's methods, `smoothgrad` or `gradcam`, on the central view.

    ours: finished as hotspots are, blurred alike and 0 in slices that the scan does not have, so that methods differ
    in nothing else.
    """

    kind: str
    device: torch.device | str = "cpu"

    def __call__(
        self, network: GradingNetwork, context: FloatArray, scores: Sequence[TaskScore], seed: int
    ) -> FloatArray:
        grader = ready_network(network, self.device)
        volume = FixedView().cut(tensor_of(context).to(self.device))[None]
        make = {"smoothgrad": _smoothgrad, "gradcam": _grad_cam}[self.kind]
        with torch.random.fork_rng():  # Captum draws its noise from torch's own generator
            torch.manual_seed(seed)
            maps = torch.cat([make(grader, volume, score) for score in scores])
        maps = maps * (volume.amax(dim=(2, 3), keepdim=True) > 0)
        return blurred(array_of(maps), HotspotSettings().blur_px)


def _smoothgrad(grader: GradingNetwork, volume: Tensor, score: TaskScore) -> Tensor:
    """(1, 9, 112, 224): the size of the mean of signed gradients (Smilkov et al. 2017)."""
    tunnel = NoiseTunnel(Saliency(_class_score(grader, score)))
    maps: Tensor = tunnel.attribute(
        volume, nt_type="smoothgrad", nt_samples=NOISES, nt_samples_batch_size=_BATCH, stdevs=NOISE, abs=False
    )
    return maps.detach().abs()


def _grad_cam(grader: GradingNetwork, volume: Tensor, score: TaskScore) -> Tensor:
    """(1, 9, 112, 224), the same in every slice, for the first convolution has merged them."""
    cam = LayerGradCam(_class_score(grader, score), _last_rectified(grader, score.task))
    coarse: Tensor = cam.attribute(volume, relu_attributions=True)
    fine = functional.interpolate(coarse.detach().float(), DISC_SHAPE[1:], mode="bilinear", align_corners=False)
    return fine.expand(-1, DISC_SHAPE[0], -1, -1)


def _class_score(grader: GradingNetwork, score: TaskScore) -> Callable[[Tensor], Tensor]:
    return lambda volumes: grader.head(score.task, grader.trunk(volumes))[:, shown_class(score)]


def _last_rectified(grader: GradingNetwork, task: Task) -> nn.Module:
    """The ReLU of conv5, which from then on comes before the pool: the same scores, from a map of 6 x 13 places."""
    trunk = grader.heads[task.value] if "conv5" in grader.config.branch_point.head_layers else grader.shared
    layer = trunk.get_submodule("conv5")
    pool = layer.get_submodule("pool")
    del layer.pool
    layer.add_module("pool", pool)  # now the last one
    return layer.get_submodule("relu")
