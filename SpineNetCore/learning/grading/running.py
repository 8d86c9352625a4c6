"""Every disc graded, scan by scan, in one process or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.datasets.graded_scans import DiscLabel, Split
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.grading.measures import Chances
from SpineNetCore.learning.worker_pool import mapping
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.task_score import TaskScore

Grader = Callable[[FloatArray], list[tuple[TaskScore, ...]]]
"""From contexts, (D, 13, 192, 320), to the scores of each."""


@dataclass(frozen=True)
class ScanDiscs:
    """What there is to grade on a scan. examples: discs that are found. missed: levels of the others with a label."""

    examples: Sequence[DiscExample]
    missed: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """The discs of one scan. group: what they are reported with. split: VALIDATION to fit temperatures on, else TEST.

    load: reads or makes them, in the process that grades.
    """

    group: str
    split: Split
    scan: str
    load: Callable[[], ScanDiscs]


@dataclass(frozen=True)
class GradedDisc:
    """A disc, what readers or a phantom say of it, and what the grader says."""

    group: str
    split: Split
    patient: str
    scan: str
    level: str
    label: DiscLabel
    chances: Chances


def grade_all(
    jobs: Sequence[Job], grade: Grader, workers: int = 1, count: Count = uncounted
) -> tuple[list[GradedDisc], list[str]]:
    """All discs in the order of the jobs, and by scan and level those to test on that have a label but were missed."""
    discs, missed = [], []
    with mapping(partial(_graded, grade), workers) as graded:
        for done, (job, (found, absent)) in enumerate(zip(jobs, graded(jobs), strict=True), start=1):
            discs += found
            missed += [f"{job.scan} {level}" for level in absent if job.split is Split.TEST]
            count(done, len(jobs))
    return discs, missed


def _graded(grade: Grader, job: Job) -> tuple[list[GradedDisc], tuple[str, ...]]:
    loaded = job.load()
    return _graded_examples(grade, job, loaded.examples) if loaded.examples else [], loaded.missed


def _graded_examples(grade: Grader, job: Job, examples: Sequence[DiscExample]) -> list[GradedDisc]:
    scores = grade(np.stack([example.context() for example in examples]))
    return [
        GradedDisc(
            *(job.group, job.split, example.patient, job.scan, example.level, example.label),
            {score.task: score.probabilities for score in of_disc},
        )
        for example, of_disc in zip(examples, scores, strict=True)
    ]
