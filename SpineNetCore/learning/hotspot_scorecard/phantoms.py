"""Discs of phantoms that the grader rightly calls abnormal, with the lesions that the phantoms know."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.disc_volume import DISC_SHAPE, cut_disc_volume
from SpineNetCore.learning.hotspot_scorecard.cases import Grader, LesionedDisc, ShownDisc, true_positives
from SpineNetCore.learning.lesions import lesion_on
from SpineNetCore.learning.phantom import Phantom
from SpineNetCore.learning.unseen_phantoms import scorecard_phantom
from SpineNetCore.localisation import discs_between
from SpineNetCore.scan import with_averaged_slices


def phantom_discs(number: int, grader: Grader) -> Iterator[LesionedDisc]:
    """Those of one of the phantoms that are kept for the scorecard, simulated once they are asked for."""
    return discs_of(scorecard_phantom(number), f"phantom {number}", grader)


def discs_of(phantom: Phantom, name: str, grader: Grader) -> Iterator[LesionedDisc]:
    """The discs of a phantom with at least one true positive, cut where its own truth says."""
    truths = {truth.level: truth for truth in phantom.discs}
    thick = with_averaged_slices(phantom.scan)
    for disc in discs_between(phantom.vertebrae, phantom.scan):
        if disc.level in truths and disc.level in DISC_LEVELS:
            volume, truth = cut_disc_volume(thick, disc), truths[disc.level]
            grades = {task: frozenset({grade}) for task, grade in truth.grades.items()}
            lesion = partial(lesion_on, phantom, truth, ras_from_frame=volume.ras_from_disc, shape=DISC_SHAPE)
            yield from true_positives(grader, ShownDisc(name, volume.level, volume.context), grades, lesion)
