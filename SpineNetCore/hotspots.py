"""Evidence hotspots: where in a disc the network looked for each of its grades (section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import BODY_MEDIAN, DISC_SHAPE
from SpineNetCore.errors import InputError
from SpineNetCore.network import GradingNetwork
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.scores import counted, ready_network
from SpineNetCore.task_score import TaskScore
from SpineNetCore.tensors import array_of, tensor_of
from SpineNetCore.views import FixedView, RandomViewRanges, View, draw_view, look, undo

_BATCH = 8


class Evidence(Enum):
    """What a map shows of a voxel.

    GRADIENT: how strongly it moves the class score, whichever way (the paper's). CONTRIBUTION: ours, for the binary
    tasks, as on phantoms it finds their lesions far better: the geometric mean of that strength and of the voxel's
    share in the score of "abnormal", which is the gradient times the voxel's difference from normal marrow,
    `BODY_MEDIAN`. Both are taken somewhere on the way from an even picture of that brightness to the view, so that the
    mean share over views is an integrated gradient (Sundararajan et al. 2017; Erion et al. 2021); what speaks against
    the class is not shown. Dents and changed marrow lie side by side, and each speaks for the other, too: a voxel shows
    of each binary task what it tells of it, times that over what it tells of all four. The graded tasks, of which no
    class is without features, keep the gradient.
    """

    GRADIENT = "gradient"
    CONTRIBUTION = "contribution"


@dataclass(frozen=True)
class HotspotSettings:
    """How hotspots are made.

    views: random looks at each disc, the same for all discs. seed: of their drawing. ranges: the paper's, for
    aggressive augmentation localises best. blur_px: ours: standard deviation of the in-plane Gaussian over the finished
    map, which wipes out the chequered speckle that strides and poolings leave. evidence: what the binary tasks show.
    """

    views: int = 32
    seed: int = 0
    ranges: RandomViewRanges = field(default_factory=RandomViewRanges)
    blur_px: float = 2.5
    device: torch.device | str = "cpu"
    evidence: Evidence = Evidence.CONTRIBUTION

    def __post_init__(self) -> None:
        if self.views < 1:
            raise InputError(f"Hotspots cannot be made from {self.views} views: ask for at least 1.")


def disc_hotspots(
    network: GradingNetwork,
    contexts: FloatArray,
    scores: Sequence[Sequence[TaskScore]],
    settings: HotspotSettings | None = None,
    progress: Count = uncounted,
) -> FloatArray:
    """What each voxel tells of a class score, by means over random views: (D, T, 9, 112, 224), unscaled, from 0 up.

    contexts: (D, 13, 192, 320). scores: per disc one of each task, as `score_discs` returns them. The class is the
    chosen grade of Pfirrmann and narrowing, and the abnormal one of the binary tasks. Slices are kept apart; voxels
    that no view saw are 0, and so are slices that the scan does not have. `progress` is called with the views done and
    their total.
    """
    settings = settings or HotspotSettings()
    rng = np.random.default_rng(settings.seed)
    views = [draw_view(rng, settings.ranges) for _ in range(settings.views)]
    ways = _ways(rng, settings)
    grader = ready_network(network, settings.device)
    maps: list[FloatArray] = []
    for place, (context, disc_scores) in enumerate(zip(tensor_of(contexts), scores, strict=True)):
        report = counted(progress, place, len(contexts), len(views))
        compared = [*disc_scores, *_other_binary(disc_scores)] if len(ways) else disc_scores
        mean = _mean_evidence(grader, context.to(settings.device), compared, (views, ways), report)
        finished = _combined(np.maximum(blurred(array_of(mean), settings.blur_px), 0), compared)
        maps.append(finished[: len(disc_scores)])
    return np.stack(maps) if maps else np.zeros((0, len(Task), *DISC_SHAPE), np.float32)


def scaled_hotspots(maps: FloatArray) -> FloatArray:
    """Hotspots of one scan, (D, T, 9, 112, 224), in [0, 1], so that its discs compare within each task.

    Every task has one divisor for all discs: the largest, over the discs, of the 99.9th percentile of a disc's voxels;
    what lies above is clipped to 1. Tasks do not compare with each other; a task without any evidence stays 0.
    """
    if len(maps) == 0:
        return maps
    divisors = np.percentile(maps, 99.9, axis=(2, 3, 4)).max(axis=0)  # (T,)
    divisors[divisors == 0] = 1
    return np.asarray(np.clip(maps / divisors[:, None, None, None], 0, 1), dtype=np.float32)


def shown_class(score: TaskScore) -> int:
    """The class whose evidence is shown: abnormal for a binary task, otherwise the chosen grade."""
    return 1 if score.task.is_binary else score.class_index


def on_the_way(volumes: Tensor, ways: Tensor) -> tuple[Tensor, Tensor]:
    """Between an even picture as bright as normal marrow and what was seen, and the latter's difference from it.

    Both (N, 9, 112, 224), as volumes are. ways: (N,), 0 at the even picture, 1 at what was seen.
    """
    even = BODY_MEDIAN * (volumes.amax(dim=(2, 3), keepdim=True) > 0)  # slices that are not there stay so
    difference = torch.where(even > 0, volumes - even, 0)
    return even + ways[:, None, None, None] * difference, difference


def blurred(maps: FloatArray, blur_px: float) -> FloatArray:
    """Blur (T, 9, 112, 224) within each slice."""
    return np.asarray(gaussian_filter(maps, (0, 0, blur_px, blur_px), mode="nearest"), dtype=np.float32)


def _other_binary(scores: Sequence[TaskScore]) -> list[TaskScore]:
    """Where some of these are of binary tasks, scores of the others; what they say of the disc does not matter."""
    named = {score.task for score in scores if score.task.is_binary}
    return [TaskScore(task, 0, (1.0, 0.0), None) for task in Task if named and task.is_binary and task not in named]


def _mean_evidence(
    grader: GradingNetwork,
    context: Tensor,
    scores: Sequence[TaskScore],
    views_and_ways: tuple[Sequence[View], Tensor],
    report: Callable[[int], None],
) -> Tensor:
    """(13, 192, 320) to `_evidence` in the disc's own frame, (T + B, 9, 112, 224)."""
    views, ways = views_and_ways
    restored = []
    times_seen = torch.zeros(DISC_SHAPE, device=context.device)
    for start in range(0, len(views), _BATCH):
        batch = views[start : start + _BATCH]
        volumes = look(context.expand(len(batch), -1, -1, -1), batch)
        maps, seen = undo(_evidence(grader, volumes, scores, ways[start : start + _BATCH]), batch)
        restored.append(maps.sum(dim=0))
        times_seen += seen.sum(dim=0)
        report(start + len(batch))
    is_in_scan = FixedView().cut(context).amax(dim=(1, 2), keepdim=True) > 0
    return torch.where((times_seen > 0) & is_in_scan, sum(restored) / times_seen, 0)


def _ways(rng: np.random.Generator, settings: HotspotSettings) -> Tensor:
    """(views,) how far from the even picture, 0, to the view, 1, each looks: spread evenly, in random order.

    None of it where the gradient is asked for.
    """
    if settings.evidence is Evidence.GRADIENT:
        return torch.zeros(0)
    ways = (rng.permutation(settings.views) + 0.5) / settings.views
    return tensor_of(ways).to(settings.device, torch.float32)


def _evidence(grader: GradingNetwork, volumes: Tensor, scores: Sequence[TaskScore], ways: Tensor) -> Tensor:
    """From what was seen, (N, 9, 112, 224), to (N, T + B, 9, 112, 224).

    First a map for each of the T scores: a voxel's share in it for the B binary ones, the gradient's strength for the
    others. Then the strength for each of the B as well. ways: (N,), or empty for the strength alone (B = 0).
    """
    contributing = [score for score in scores if score.task.is_binary and len(ways)]
    moving = [score for score in scores if score not in contributing]
    maps = {score: gradient.abs() for score, gradient in _gradients(grader, volumes, moving)}
    moves = []
    if contributing:
        between, difference = on_the_way(volumes, ways)
        for score, gradient in _gradients(grader, between, contributing):
            maps[score] = gradient * difference
            moves.append(gradient.abs())
    return torch.stack([*(maps[score] for score in scores), *moves], dim=1)


def _combined(evidence: FloatArray, scores: Sequence[TaskScore]) -> FloatArray:
    """Finished `_evidence`, nowhere negative, to a map for each score: where it has two, their geometric mean, times
    its share of all those means.
    """
    maps, moves = evidence[: len(scores)], evidence[len(scores) :]
    if len(moves):
        binary = [row for row, score in enumerate(scores) if score.task.is_binary]
        told = np.sqrt(maps[binary] * moves)
        maps[binary] = told**2 / np.maximum(told.sum(axis=0), np.finfo(np.float32).tiny)
    return maps


def _gradients(
    grader: GradingNetwork, volumes: Tensor, scores: Sequence[TaskScore]
) -> Iterator[tuple[TaskScore, Tensor]]:
    """Each score with its gradient at the volumes, (N, 9, 112, 224).

    One pass through the trunk serves all tasks: each sends its own gradient back from the branch point.
    """
    if not scores:
        return
    volumes = volumes.detach().requires_grad_()
    features = grader.trunk(volumes)
    for score in scores:
        class_score = grader.head(score.task, features)[:, shown_class(score)].sum()
        (at_branch_point,) = torch.autograd.grad(class_score, features)
        (gradient,) = torch.autograd.grad(features, volumes, at_branch_point, retain_graph=True)
        yield score, gradient
