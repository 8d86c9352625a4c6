"""How well discs are found, named and graded, on patients and phantoms that no training has seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.phantom import Phantom, PhantomLabel
from SpineNetCore.learning.spider import MASK_DISC, Slab
from SpineNetCore.localisation import find_spine
from SpineNetCore.network import GradingNetwork
from SpineNetCore.scan import Scan, mapped
from SpineNetCore.scores import score_discs
from SpineNetCore.vertebra_network import VertebraNetwork

_TASKS = tuple(Task)
_SMALLEST_DISC = 500
_SAME_DISC_MM = 12.0


@dataclass(frozen=True)
class NamedDiscs:
    """A scan whose graded discs are known: `discs` [slice, row, column] holds 1 + the place in DISC_LEVELS, or 0."""

    scan: Scan
    discs: NDArray[np.uint8]


@dataclass(frozen=True)
class Localised:
    """Counts over many scans. found: a reported centre lies inside the disc. named: the one of its own name does."""

    discs: int
    found: int
    named: int
    false: int

    def __str__(self) -> str:
        return (
            f"{self.discs} discs, found {_percent(self.found, self.discs)}, "
            f"found and rightly named {_percent(self.named, self.discs)}, {self.false} false"
        )


@dataclass(frozen=True)
class TaskAccuracy:
    """balanced: mean recall over the classes that occur (section 5). within_one: share at most one grade off."""

    measure: str
    discs: int
    balanced: float
    within_one: float

    def __str__(self) -> str:
        return f"{self.measure:<22}{self.discs:>6}{self.balanced:>10.3f}{self.within_one:>12.3f}"


def slab_truth(slab: Slab) -> NamedDiscs:
    """The masks of a SPIDER slab, named from the bottom: the lowest labelled disc is L5-S1.

    Pieces whose middles lie at nearly the same height are one disc, worn through.
    """
    labels, count = ndimage.label(slab.mask == MASK_DISC)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    rows = {k: float(np.nonzero(labels == k)[1].mean()) for k in range(1, count + 1) if sizes[k] > _SMALLEST_DISC}
    lowest_first = sorted(rows, key=lambda k: -rows[k])
    discs = np.zeros(labels.shape, dtype=np.uint8)
    place, row_above = len(DISC_LEVELS) + 1, np.inf
    for piece in lowest_first:
        if (row_above - rows[piece]) * slab.scan.spacing_mm[1] > _SAME_DISC_MM:
            place -= 1
        row_above = rows[piece]
        if place > 0:
            discs[labels == piece] = place
    return NamedDiscs(slab.scan, discs)


def phantom_truth(phantom: Phantom) -> NamedDiscs:
    """Every disc voxel of a phantom belongs to the nearest disc; those above T12-L1 count as none."""
    voxels = np.argwhere(phantom.labels == PhantomLabel.DISC)
    centres = np.array([disc.centre_ras_mm for disc in phantom.discs])
    places = mapped(phantom.scan.ras_from_ijk, voxels.astype(np.float64))
    nearest = np.linalg.norm(places[:, None] - centres[None], axis=2).argmin(axis=1)
    names = [disc.level for disc in phantom.discs]
    numbers = np.array([DISC_LEVELS.index(name) + 1 if name in DISC_LEVELS else 0 for name in names], dtype=np.uint8)
    discs = np.zeros(phantom.labels.shape, dtype=np.uint8)
    discs[tuple(voxels.T)] = numbers[nearest]
    return NamedDiscs(phantom.scan, discs)


def localisation_accuracy(cases: Iterable[NamedDiscs], detector: VertebraNetwork) -> Localised:
    """Find the spine on every case and count; a scan on which none is found has all its discs missed."""
    total = Localised(0, 0, 0, 0)
    for case in cases:
        one = _localised(case, detector)
        total = Localised(
            total.discs + one.discs, total.found + one.found, total.named + one.named, total.false + one.false
        )
    return total


def grading_accuracy(examples: Sequence[DiscExample], grader: GradingNetwork, views: int = 54) -> list[TaskAccuracy]:
    """Grade every disc and compare, per task, where its label is known.

    A label that only tells narrowed from not narrowed, or changed marrow without its side, is compared as such; a task
    of which only one grade occurs is left out.
    """
    contexts = (example.context() for example in examples)
    scores = [score_discs(grader, context[None], views)[0] for context in contexts]
    chances = {task: np.array([s[row].probabilities for s in scores]) for row, task in enumerate(Task)}
    admissible = np.stack([example.admissible for example in examples])
    results = []
    for row, task in enumerate(Task):
        is_single = admissible[:, row].sum(axis=1) == 1
        truth = admissible[is_single, row].argmax(axis=1)
        if len(np.unique(truth)) > 1:
            results.append(_accuracy(task.value, truth, chances[task][is_single].argmax(axis=1)))
    narrowed = ~admissible[:, _TASKS.index(Task.NARROWING), 0]
    is_known = admissible[:, _TASKS.index(Task.NARROWING)].any(axis=1)
    says_narrowed = chances[Task.NARROWING][:, 0] < 0.5
    results.append(_accuracy("narrowing (binary)", narrowed[is_known], says_narrowed[is_known]))
    return [*results, _any_marrow(examples, chances, admissible)]


def _localised(case: NamedDiscs, detector: VertebraNetwork) -> Localised:
    present = set(np.unique(case.discs).tolist()) - {0}
    try:
        spine = find_spine(case.scan, detector, torch.device("cpu"))
    except InputError:
        return Localised(len(present), 0, 0, 0)
    hits = {disc.level: _disc_at(case, disc.centre_ras_mm) for disc in spine.discs}
    named = sum(hit == DISC_LEVELS.index(level) + 1 for level, hit in hits.items())
    return Localised(len(present), len(set(hits.values()) - {0}), named, sum(hit == 0 for hit in hits.values()))


def _disc_at(case: NamedDiscs, centre_ras_mm: NDArray[np.float64]) -> int:
    place = np.rint(mapped(case.scan.ijk_from_ras, centre_ras_mm)).astype(int)
    place = np.clip(place, 0, np.array(case.discs.shape) - 1)
    return int(case.discs[tuple(place)])


def _any_marrow(
    examples: Sequence[DiscExample], chances: dict[Task, NDArray[np.float64]], admissible: NDArray[np.bool_]
) -> TaskAccuracy:
    sides = [_TASKS.index(Task.UPPER_MARROW), _TASKS.index(Task.LOWER_MARROW)]
    truth = np.array([example.marrow_changed for example in examples]) | admissible[:, sides, 1].any(axis=1)
    is_known = truth | admissible[:, sides, 0].all(axis=1)
    normal = chances[Task.UPPER_MARROW][:, 0] * chances[Task.LOWER_MARROW][:, 0]
    return _accuracy("marrow, either side", truth[is_known], normal[is_known] < 0.5)


def _accuracy(measure: str, truth: NDArray[np.generic], predicted: NDArray[np.generic]) -> TaskAccuracy:
    recalls = [float((predicted[truth == value] == value).mean()) for value in np.unique(truth)]
    off = np.abs(truth.astype(int) - predicted.astype(int))
    return TaskAccuracy(measure, len(truth), float(np.mean(recalls)), float((off <= 1).mean()))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} % ({part})"
