"""A phantom analysed by somebody who knows its truth."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from SpineNetCore.anatomy import DISC_LEVELS, Disc, Task, Vertebra, disc_label
from SpineNetCore.learning.phantom import DiscTruth, Phantom, PhantomLabel, PhantomSettings, Prevalence, simulate
from SpineNetCore.report_types import DiscResult, Settings, SpineReport
from SpineNetCore.scan import mapped
from SpineNetCore.task_score import TaskScore

SICK = Prevalence(upper_endplate=0.5, lower_endplate=0.5, upper_marrow=0.5, lower_marrow=0.5)
SMALL = PhantomSettings(
    prevalence=SICK,
    slices=(7, 7),
    few_slices_probability=0,
    in_plane_mm=(1.0, 1.0),
    height_mm=(300.0, 310.0),
    width_fraction=(0.7, 0.75),
    cut_off_probability=0,
    scoliosis_mm=(0.0, 1.0),
)


def a_phantom() -> Phantom:
    phantom = simulate(np.random.default_rng(8), SMALL)
    return replace(phantom, scan=replace(phantom.scan, name="Phantom T2 sagittal"))


def perfect_report(phantom: Phantom) -> SpineReport:
    """True grades with a probability of 0.9, and heat 1 exactly where the lesions are."""
    return SpineReport(
        scan=phantom.scan,
        source=Path("phantom.nii.gz"),
        vertebrae=phantom.vertebrae,
        discs=tuple(_result(phantom, level) for level in DISC_LEVELS),
        models=(),
        timings_s={},
        warnings=(),
        settings=Settings(54, 32, "cpu"),
        hotspots={task: _heat(lesions) for task, lesions in phantom.lesions.items()},
        disc_labels=_disc_labels(phantom),
        shifts={0: 0.9, 1: 0.08, -1: 0.02},
    )


def truth_of(phantom: Phantom, level: str) -> DiscTruth:
    return next(disc for disc in phantom.discs if disc.level == level)


def _result(phantom: Phantom, level: str) -> DiscResult:
    pairs = {f"{upper.level}-{lower.level}": (upper, lower) for upper, lower in pairwise(phantom.vertebrae)}
    if level not in pairs:
        return DiscResult(level, None, "Outside the scan.", None, None)
    truth = truth_of(phantom, level)
    scores = tuple(_score(task, truth.grades[task]) for task in Task)
    return DiscResult(level, truth.centre_ras_mm, None, scores, _disc(truth, *pairs[level]))


def _score(task: Task, grade: int) -> TaskScore:
    rest = 0.1 / (len(task.grades) - 1)
    return TaskScore(task, grade, tuple(0.9 if known == grade else rest for known in task.grades), 0.02)


def _disc(truth: DiscTruth, upper: Vertebra, lower: Vertebra) -> Disc:
    backwards = upper.corners_ras_mm[2] - upper.corners_ras_mm[3]
    width_mm = float(np.linalg.norm(backwards))
    down = lower.centre_ras_mm - upper.centre_ras_mm
    posterior = backwards / width_mm
    inferior = down - (down @ posterior) * posterior
    inferior /= np.linalg.norm(inferior)
    left = np.cross(inferior, posterior)
    return Disc(upper, lower, truth.centre_ras_mm, posterior, inferior, left, width_mm, truth.height_mm)


def _heat(lesions: np.ndarray) -> np.ndarray:
    return ((lesions > 0) & (lesions <= len(DISC_LEVELS))).astype(np.float32)


def _disc_labels(phantom: Phantom) -> np.ndarray:
    """Every disc voxel, and the lesions beside it, as the nearest disc's."""
    lesions = np.any([maps > 0 for maps in phantom.lesions.values()], axis=0)
    voxels = np.argwhere((phantom.labels == PhantomLabel.DISC) | lesions)
    graded = [truth_of(phantom, level) for level in DISC_LEVELS if any(d.level == level for d in phantom.discs)]
    places = mapped(phantom.scan.ras_from_ijk, voxels.astype(float))
    nearest = np.linalg.norm(places[:, None] - np.array([disc.centre_ras_mm for disc in graded]), axis=2).argmin(axis=1)
    labels = np.zeros(phantom.labels.shape, np.uint8)
    labels[tuple(voxels.T)] = np.array([disc_label(disc.level) for disc in graded], np.uint8)[nearest]
    return labels
