"""Lesions drawn into patients' discs that the grader rightly calls abnormal: real pictures whose lesions are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from SpineNetCore.disc_volume import DISC_SHAPE, context_margin
from SpineNetCore.learning.datasets.graded_scans import GradedScan
from SpineNetCore.learning.disc_examples import cut_discs, labelled
from SpineNetCore.learning.hotspot_scorecard.cases import Grader, LesionedDisc, ShownDisc, true_positives
from SpineNetCore.learning.implants import implanted_discs
from SpineNetCore.learning.lesions import Mask
from SpineNetCore.vertebra_network import VertebraNetwork


def implanted_scan(graded: GradedScan, detector: VertebraNetwork, grader: Grader, seed: int) -> Iterator[LesionedDisc]:
    """The discs of a scan with a true positive among the lesions drawn into them; seed: not that of training, 0."""
    for one in implanted_discs(labelled(graded, cut_discs(graded, detector)), variants=1, seed=seed):
        lesions = {lesion.task: _in_volume(lesion.mask()) for lesion in one.lesions}
        truth = {task: known for task, known in one.tested.label.grades.items() if task in lesions}
        shown = ShownDisc(f"patient {graded.patient}", one.disc.level, one.disc.context())
        yield from true_positives(grader, shown, truth, lesions.__getitem__)


def _in_volume(mask: Mask) -> Mask:
    """What of a context's voxels lies in the disc volume, bool (9, 112, 224)."""
    inside = (slice(margin, margin + size) for margin, size in zip(context_margin(), DISC_SHAPE, strict=True))
    return np.ascontiguousarray(mask[tuple(inside)])
