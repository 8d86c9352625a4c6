"""Discs of SPIDER patients that the grader rightly calls abnormal, and where on each of them that must show.

No reader has marked a lesion on these scans, but their masks outline the discs, so that each endplate's place is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from SpineNetCore.anatomy import Task
from SpineNetCore.disc_volume import DISC_SHAPE, DiscVolume, cut_disc_volume
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan, ScanFile, Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.datasets.spider import reduced_scans
from SpineNetCore.learning.datasets.splits import with_splits
from SpineNetCore.learning.disc_examples import found_spine
from SpineNetCore.learning.hotspot_scorecard.cases import Grader, LesionedDisc, ShownDisc, true_positives
from SpineNetCore.learning.lesions import Mask, on_frame
from SpineNetCore.learning.localisation.cases import Case, number_of, read_slab_case
from SpineNetCore.learning.localisation.measures import hits_of
from SpineNetCore.scan import with_averaged_slices
from SpineNetCore.vertebra_network import VertebraNetwork

ENDPLATE_MM = 3.0
"""ours: how far above and below the border of a disc's mask an endplate's defect is taken to reach."""

PLACED_TASKS = frozenset(Task) - {Task.UPPER_MARROW, Task.LOWER_MARROW}
"""Those whose findings the masks place: SPIDER does not tell on which side marrow is changed."""


def unseen_scans(folder: Path, learned: LearnedPatients) -> list[GradedScan]:
    """The graded pictures and slabs of the reduced SPIDER copy whose patients are kept for validation or test.

    Raises InputError where the folder is not that copy, or where the grader has learned from one of them.
    """
    kept_out = [scan for scan in with_splits(reduced_scans(folder)) if scan.split is not Split.TRAIN]
    learned.check_unseen(kept_out)
    return kept_out


def unseen_slabs(folder: Path, learned: LearnedPatients) -> list[GradedScan]:
    """The slabs among them, at least one; raises InputError as `unseen_scans` does, and where there is none."""
    slabs = [scan for scan in unseen_scans(folder, learned) if isinstance(scan.image, ScanFile)]
    if not slabs:
        raise InputError(
            f"'{folder}' has no graded slab of a patient kept out of training: give all of the reduced copy."
        )
    return slabs


def patient_discs(
    graded: GradedScan, folder: Path, detector: VertebraNetwork, grader: Grader
) -> Iterator[LesionedDisc]:
    """The discs of a slab with at least one true positive, cut where the detector finds them.

    A disc that the detector misses or names otherwise than the mask does is left out.
    """
    case = read_slab_case(folder, int(graded.patient))
    spine = found_spine(case.scan, detector)
    if spine is None:
        return
    thick, hits = with_averaged_slices(case.scan), hits_of(case, spine)
    for disc in spine.discs:
        if disc.level in graded.labels and hits[disc.level] == number_of(disc.level):
            volume = cut_disc_volume(thick, disc)
            places, grades = _places(volume, case), graded.labels[disc.level].grades
            shown = ShownDisc(f"patient {graded.patient}", volume.level, volume.context)
            yield from true_positives(grader, shown, grades, places.__getitem__)


def _places(volume: DiscVolume, case: Case) -> dict[Task, Mask]:
    """Where the findings of `PLACED_TASKS` must be on a disc volume, bool (9, 112, 224) each."""
    outline = on_frame(case.disc(volume.level), case.scan, volume.ras_from_disc, DISC_SHAPE)
    reach_px = ENDPLATE_MM / float(np.linalg.norm(volume.ras_from_disc[:3, 1]))
    return {
        Task.PFIRRMANN: outline,
        Task.NARROWING: outline,
        Task.UPPER_ENDPLATE: _near_top(outline, reach_px),
        Task.LOWER_ENDPLATE: _near_top(outline[:, ::-1], reach_px)[:, ::-1],
    }


def _near_top(outline: Mask, reach_px: float) -> Mask:
    """At most `reach_px` rows from the uppermost row of an outline, column by column; bool (9, 112, 224), as it is."""
    tops = outline.argmax(axis=1)[:, None]  # (9, 1, 224)
    rows = np.arange(outline.shape[1])[None, :, None]
    return np.asarray((np.abs(rows - tops) <= reach_px) & outline.any(axis=1, keepdims=True))
