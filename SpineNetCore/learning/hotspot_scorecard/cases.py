"""Discs of phantoms that the grader rightly calls abnormal, and where in each of them the lesion is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from SpineNetCore.anatomy import DISC_LEVELS, FloatArray, Task
from SpineNetCore.disc_volume import DISC_SHAPE, DiscVolume, cut_disc_volume
from SpineNetCore.learning.lesions import SMALLEST_LESION, Mask, lesion_on
from SpineNetCore.learning.phantom import DiscTruth, Phantom
from SpineNetCore.localisation import discs_between
from SpineNetCore.network import GradingNetwork
from SpineNetCore.scan import with_averaged_slices
from SpineNetCore.scores import TaskScore, score_discs
from SpineNetCore.tensors import array_of, tensor_of
from SpineNetCore.views import FixedView


@dataclass(frozen=True)
class LesionedDisc:
    """A disc and its true positives.

    patient: the phantom's name. context: (13, 192, 320). scores: those of the tasks that are graded abnormal, rightly:
    grade 1 of a binary task, and otherwise exactly the true grade above 1. lesions: bool (9, 112, 224) for each score,
    the voxels that make the disc abnormal: the dent, the changed marrow, or for Pfirrmann and narrowing the whole disc.
    """

    patient: str
    level: str
    context: FloatArray
    scores: tuple[TaskScore, ...]
    lesions: tuple[Mask, ...]

    @property
    def in_scan(self) -> Mask:
        """(9,) slices of the disc volume that the scan has."""
        return array_of(FixedView().cut(tensor_of(self.context)).amax(dim=(1, 2))) > 0

    def only(self, row: int) -> LesionedDisc:
        """The same disc with one of its true positives alone."""
        return replace(self, scores=(self.scores[row],), lesions=(self.lesions[row],))


def lesioned_discs(
    phantom: Phantom,
    name: str,
    network: GradingNetwork,
    tasks: Collection[Task] = tuple(Task),
    device: torch.device | str = "cpu",
) -> Iterator[LesionedDisc]:
    """The discs of a phantom with at least one true positive among the tasks, cut where its own truth says."""
    truths = {truth.level: truth for truth in phantom.discs}
    thick = with_averaged_slices(phantom.scan)
    for disc in discs_between(phantom.vertebrae, phantom.scan):
        if disc.level in truths and disc.level in DISC_LEVELS:
            volume = cut_disc_volume(thick, disc)
            scores = score_discs(network, volume.context[None], device=device)[0]
            asked_for = [score for score in scores if score.task in tasks]
            found = _true_positives(phantom, truths[disc.level], volume, asked_for)
            if found:
                yield LesionedDisc(name, disc.level, volume.context, tuple(found), tuple(found.values()))


def _true_positives(
    phantom: Phantom, truth: DiscTruth, volume: DiscVolume, scores: Sequence[TaskScore]
) -> dict[TaskScore, Mask]:
    found = {}
    for score in scores:
        if score.grade == truth.grades[score.task] and _is_abnormal(score):
            lesion = lesion_on(phantom, truth, score.task, volume.ras_from_disc, DISC_SHAPE)
            if lesion.sum() >= SMALLEST_LESION:
                found[score] = lesion
    return found


def _is_abnormal(score: TaskScore) -> bool:
    """Beyond the first grade of its task, which is the normal one."""
    return score.grade > score.task.grades[0]


def group_of(task: Task) -> str:
    """What a task's figures are reported with: both endplates together, and both marrow tasks."""
    return {"endplate": "Endplates", "marrow": "Marrow"}.get(task.value.split("_")[-1], task.title)
