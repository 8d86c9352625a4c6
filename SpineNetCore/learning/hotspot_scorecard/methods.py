"""Ways to make a map for each grade of a disc, all from the same network, all finished alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Protocol

import torch

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.errors import InputError
from SpineNetCore.hotspots import HotspotSettings, disc_hotspots
from SpineNetCore.network import GradingNetwork
from SpineNetCore.scores import TaskScore
from SpineNetCore.views import RandomViewRanges

SALIENCY, SMOOTHGRAD, GRAD_CAM, OURS = "saliency", "smoothgrad", "gradcam", "ours"
METHOD_NAMES = (SALIENCY, SMOOTHGRAD, GRAD_CAM, OURS)

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
    """The methods asked for, in the order of `METHOD_NAMES`, and of ours one for each number of views.

    Raises InputError where one needs Captum and it is not installed.
    """
    made: list[Method] = []
    if SALIENCY in names:
        made.append(Method("saliency", partial(_ours, HotspotSettings(1, ranges=_UNCHANGED, device=device))))
    if SMOOTHGRAD in names or GRAD_CAM in names:
        made += _of_captum(names, device)
    if OURS in names:
        made += [_ours_with(count, device, is_checked=count == min(views)) for count in sorted(set(views))]
    return made


def _ours_with(views: int, device: torch.device | str, *, is_checked: bool) -> Method:
    title = f"ours, {views} view{'s' if views > 1 else ''}"
    return Method(title, partial(_ours, HotspotSettings(views, device=device)), is_drawn=True, is_checked=is_checked)


def _ours(
    settings: HotspotSettings, network: GradingNetwork, context: FloatArray, scores: Sequence[TaskScore], seed: int
) -> FloatArray:
    drawn = HotspotSettings(settings.views, seed, settings.ranges, settings.blur_px, settings.device)
    maps: FloatArray = disc_hotspots(network, context[None], [scores], drawn)[0]
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
