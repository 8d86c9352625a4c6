"""A small report with every kind of outcome in it, for the tests of the result folder and its page."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS, Disc, Task, Vertebra, disc_label
from SpineNetCore.report_types import DiscResult, ModelUse, Settings, SpineReport
from SpineNetCore.scan import FileGrid, Scan, mapped
from SpineNetCore.task_score import TaskScore

UNSCORED = "T12-L1"
REASON = "too little of it lies inside the scan, <less> than half"
SHAPE = (5, 140, 40)
STEP = 20
"""Rows from one disc to the next."""


def a_scan() -> Scan:
    """An oblique scan of 4 x 1.5 x 2.5 mm whose file runs leftwards, upwards and backwards, in the order k, i, j."""
    grid = FileGrid((SHAPE[2], SHAPE[0], SHAPE[1]), _oblique(), axes=(1, 2, 0), flips=(False, True, False))
    voxels = np.random.default_rng(3).uniform(40, 120, SHAPE).astype(np.float32)
    return Scan(voxels, grid.ras_from_standard(), "Anna <O'Neill> & Co", grid)


def a_report(hotspots: bool = True) -> SpineReport:
    """Six discs: the first not scored, the others graded alike, the evidence of task t lying in slice t modulo 5."""
    scan = a_scan()
    vertebrae = tuple(_vertebra(scan, place) for place in range(7))
    discs = tuple(_disc(scan, *pair) for pair in pairwise(vertebrae))
    labels = np.zeros(SHAPE, np.uint8)
    for place, level in enumerate(DISC_LEVELS):
        labels[:, STEP * place + 14 : STEP * place + 26, 5:35] = disc_label(level)
    return SpineReport(
        scan=scan,
        source=Path("archive") / "anna & co.nii.gz",
        vertebrae=vertebrae,
        discs=tuple(_result(disc) for disc in discs),
        models=(ModelUse("grader", "grading.safetensors", "0123456789ab", "grades <discs>"),),
        timings_s={"read": 0.25, "score": 1.5},
        warnings=("Only 5 slices & no more.",),
        settings=Settings(54, 8, "cpu"),
        hotspots=_heat(labels) if hotspots else None,
        disc_labels=labels,
        shifts={0: 0.9, 1: 0.08, -1: 0.02},
    )


def with_disc(report: SpineReport, result: DiscResult) -> SpineReport:
    discs = tuple(result if disc.level == result.level else disc for disc in report.discs)
    return replace(report, discs=discs)


def _oblique() -> np.ndarray:
    turn = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]])
    axes = np.array([[0, -1, 0], [-1, 0, 0], [0, 0, 1]])  # i backwards, j leftwards, k upwards
    ras_from_file_ijk = np.eye(4)
    ras_from_file_ijk[:3, :3] = turn @ axes.T * (2.5, 4.0, 1.5)
    ras_from_file_ijk[:3, 3] = (12.5, -30.25, 88.0)
    return ras_from_file_ijk


def _vertebra(scan: Scan, place: int) -> Vertebra:
    top, bottom = STEP * place + 2.0, STEP * place + 18.0
    corners = np.array([[2.0, top, 12], [2.0, top, 28], [2.0, bottom, 28], [2.0, bottom, 12]])
    return Vertebra(VERTEBRA_LEVELS[place - 7], mapped(scan.ras_from_ijk, corners), 20.0, 0.9)


def _disc(scan: Scan, upper: Vertebra, lower: Vertebra) -> Disc:
    left, inferior, posterior = (scan.ras_from_ijk[:3, axis] / scan.spacing_mm[axis] for axis in range(3))
    centre = (upper.corners_ras_mm[2:].mean(axis=0) + lower.corners_ras_mm[:2].mean(axis=0)) / 2
    return Disc(upper, lower, centre, posterior, inferior, left, 40.0, 6.0)


def _result(disc: Disc) -> DiscResult:
    if disc.level == UNSCORED:
        return DiscResult(disc.level, None, REASON, None, None)
    return DiscResult(disc.level, disc.centre_ras_mm, None, tuple(_score(task) for task in Task), disc)


def _score(task: Task) -> TaskScore:
    others = 0.25 / (len(task.grades) - 1)
    return TaskScore(task, task.grades[-1], (*[others] * (len(task.grades) - 1), 0.75), 0.0625)


def _heat(labels: np.ndarray) -> dict[Task, np.ndarray]:
    maps = {}
    for place, task in enumerate(Task):
        strength = np.full(SHAPE, 0.25, np.float32)
        strength[place % SHAPE[0]] = 1
        maps[task] = np.where(labels > 0, strength, 0).astype(np.float32)
    return maps
