"""Discs that the grader rightly calls abnormal, and where in each of them the lesion is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.learning.datasets.graded_scans import GradeSets
from SpineNetCore.learning.lesions import SMALLEST_LESION, Mask
from SpineNetCore.network import GradingNetwork
from SpineNetCore.scores import score_discs
from SpineNetCore.task_score import TaskScore
from SpineNetCore.tensors import array_of, tensor_of
from SpineNetCore.views import FixedView


@dataclass(frozen=True)
class ShownDisc:
    """A disc to be graded. patient: or the phantom's name. context: (13, 192, 320)."""

    patient: str
    level: str
    context: FloatArray

    @property
    def in_scan(self) -> Mask:
        """(9,) slices of the disc volume that the scan has."""
        return slices_in_scan(self.context)


@dataclass(frozen=True)
class LesionedDisc(ShownDisc):
    """A disc and its true positives.

    scores: those of the tasks that are graded abnormal, rightly: grade 1 of a binary task, and otherwise a grade above
    1 that the truth admits. lesions: bool (9, 112, 224) for each score. Of phantoms, and where they were drawn, these
    are the voxels that make the disc abnormal: the dent, the changed marrow, or for Pfirrmann and narrowing the whole
    disc; of patients as they are, those among which they must be.
    """

    scores: tuple[TaskScore, ...]
    lesions: tuple[Mask, ...]

    def only(self, row: int) -> LesionedDisc:
        """The same disc with one of its true positives alone."""
        return replace(self, scores=(self.scores[row],), lesions=(self.lesions[row],))


@dataclass(frozen=True)
class Grader:
    """What grades the discs, and the tasks that are asked for."""

    network: GradingNetwork
    tasks: tuple[Task, ...] = tuple(Task)
    device: torch.device | str = "cpu"


def slices_in_scan(context: FloatArray) -> Mask:
    """(9,) slices of the disc volume that the scan has, from its context, (13, 192, 320)."""
    return array_of(FixedView().cut(tensor_of(context)).amax(dim=(1, 2))) > 0


def true_positives(
    grader: Grader, disc: ShownDisc, truth: GradeSets, lesion: Callable[[Task], Mask]
) -> Iterator[LesionedDisc]:
    """The disc with every abnormal score that its truth admits and whose lesion is not too small, if there is one.

    lesion: of a task that the truth calls abnormal, its voxels on the disc volume, bool (9, 112, 224).
    """
    found = {}
    for score in score_discs(grader.network, disc.context[None], device=grader.device)[0]:
        if score.task in grader.tasks and score.grade in truth.get(score.task, ()) and _is_abnormal(score):
            mask = lesion(score.task)
            if mask.sum() >= SMALLEST_LESION:
                found[score] = mask
    if found:
        yield LesionedDisc(disc.patient, disc.level, disc.context, tuple(found), tuple(found.values()))


def group_of(task: Task) -> str:
    """What a task's figures are reported with: both endplates together, and both marrow tasks."""
    return {"endplate": "Endplates", "marrow": "Marrow"}.get(task.value.split("_")[-1], task.title)


def _is_abnormal(score: TaskScore) -> bool:
    """Beyond the first grade of its task, which is the normal one."""
    return score.grade > score.task.grades[0]
