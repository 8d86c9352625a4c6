"""Ways to make a map for each grade of a disc, all from the same network, all finished alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Protocol

import torch

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.errors import InputError
from SpineNetCore.hotspots import Evidence, HotspotSettings, disc_hotspots
from SpineNetCore.learning.hotspot_scorecard.fixed_place import fixed_maps
from SpineNetCore.network import GradingNetwork
from SpineNetCore.task_score import TaskScore
from SpineNetCore.views import RandomViewRanges

FIXED, SALIENCY, SMOOTHGRAD, GRAD_CAM, PAPER, OURS = "fixed", "saliency", "smoothgrad", "gradcam", "paper", "ours"
METHOD_NAMES = (FIXED, SALIENCY, SMOOTHGRAD, GRAD_CAM, PAPER, OURS)

_UNCHANGED = RandomViewRanges(flips=False).ramped(0)


class MapMaker(Protocol):
    """From a disc's context, (13, 192, 320), to one map per score, (T, 9, 112, 224), nowhere negative.

    The seed decides whatever is drawn. Slices that the scan does not have are 0.
    """

    def __call__(
        self, network: GradingNetwork, context: FloatArray, scores: Sequence[TaskScore], seed: int
    ) -> FloatArray: ...


@dataclass(frozen=True)
class Method:
    """title: in the table. is_drawn: another seed gives another map. is_checked: the sanity check is made of it."""

    title: str
    make: MapMaker
    is_drawn: bool = False
    is_checked: bool = True


def methods_named(names: Sequence[str], views: Sequence[int], device: torch.device | str = "cpu") -> list[Method]:
    """The methods asked for, in the order of `METHOD_NAMES`; of the paper's and of ours one for each number of views.

    The paper's is the mean absolute gradient over views, ours what `HotspotSettings` makes by default.

    Raises InputError where one needs Captum and it is not installed.
    """
    made = [Method("fixed place", fixed_maps, is_checked=False)] if FIXED in names else []
    if SALIENCY in names:
        made.append(
            Method(
                "saliency",
                partial(_hotspots, HotspotSettings(1, ranges=_UNCHANGED, device=device, evidence=Evidence.GRADIENT)),
            )
        )
    if SMOOTHGRAD in names or GRAD_CAM in names:
        made += _of_captum(names, device)
    for name, evidence in ((PAPER, Evidence.GRADIENT), (OURS, HotspotSettings().evidence)):
        for count in sorted(set(views)) if name in names else ():
            settings = HotspotSettings(count, device=device, evidence=evidence)
            title = f"{name}, {count} view{'s' if count > 1 else ''}"
            made.append(Method(title, partial(_hotspots, settings), is_drawn=True, is_checked=count == min(views)))
    return made


def _hotspots(
    settings: HotspotSettings, network: GradingNetwork, context: FloatArray, scores: Sequence[TaskScore], seed: int
) -> FloatArray:
    maps: FloatArray = disc_hotspots(network, context[None], [scores], replace(settings, seed=seed))[0]
    return maps


def _of_captum(names: Sequence[str], device: torch.device | str) -> list[Method]:
    if find_spec("captum") is None:
        raise InputError(
            "SmoothGrad and Grad-CAM need the extra 'evaluate' (Captum), which is not installed: run pip install "
            f"captum, or leave them out with --methods {SALIENCY} {OURS}."
        )
    from SpineNetCore.learning.hotspot_scorecard.captum_methods import GRAD_CAM_TITLE, SMOOTHGRAD_TITLE, CaptumMaps

    made = []
    if SMOOTHGRAD in names:
        made.append(Method(SMOOTHGRAD_TITLE, CaptumMaps("smoothgrad", device), is_drawn=True))
    if GRAD_CAM in names:
        made.append(Method(GRAD_CAM_TITLE, CaptumMaps("gradcam", device)))
    return made
