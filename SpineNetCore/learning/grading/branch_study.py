"""Table 2: where the tasks should part, tried with two models for each branch point."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from SpineNetCore.learning.courses import Course
from SpineNetCore.learning.datasets.graded_scans import GradedScan, Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.datasets.splits import swapped
from SpineNetCore.learning.grader_data import GraderData
from SpineNetCore.learning.grading.cases import Sources
from SpineNetCore.learning.grading.repeats import Repeat, repeats
from SpineNetCore.learning.grading.running import Job, ScanDiscs, grade_all
from SpineNetCore.learning.grading.summary import Line, summaries
from SpineNetCore.learning.processes import Process
from SpineNetCore.learning.recipes import DISCS_FOLDER, grader_data, learn_grader
from SpineNetCore.learning.simulated_discs import Simulation
from SpineNetCore.models import load_network, save_network
from SpineNetCore.network import BranchPoint, without_batch_norm
from SpineNetCore.scores import score_discs
from SpineNetCore.vertebra_network import VertebraNetwork

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Study:
    """What every branch point is tried with.

    scans: with their splits. simulation: phantoms to learn from; phantoms: how many to test on. implants: how many
    versions of each disc with lesions drawn into it are learned from. work: keeps discs, checkpoints, logs and graders,
    so that a study that was stopped goes on. views: each disc is graded through.
    """

    scans: Sequence[GradedScan]
    detector: VertebraNetwork
    work: Path
    course: Course
    simulation: Simulation
    implants: int
    phantoms: int
    views: int
    process: Process = field(default_factory=Process)


def branch_point_study(study: Study, points: Sequence[BranchPoint]) -> dict[BranchPoint, list[Repeat]]:
    """Train two graders for each point, the second with validation and test exchanged, and measure each on its test.

    Graders are measured as they are written to `work`. Of several processes only the first measures; the others return
    no repeats. Raises InputError where there is nothing to learn from, or where `work` is of another study.
    """
    both: dict[BranchPoint, list[list[Line]]] = {point: [] for point in points}
    for is_swapped in (False, True):
        data, jobs = _data(study, is_swapped), _loaded_jobs(study, is_swapped)
        for point in points:
            path = _learned(study, data, point, is_swapped)
            if study.process.is_first:
                both[point].append(_measured(study, path, jobs))
    return {point: repeats(*lines) for point, lines in both.items()} if study.process.is_first else {}


def _data(study: Study, is_swapped: bool) -> GraderData:
    scans = _scans(study, is_swapped)
    return grader_data(
        scans, study.work, study.detector, study.simulation, process=study.process, implants=study.implants
    )


def _scans(study: Study, is_swapped: bool) -> Sequence[GradedScan]:
    """The scans of the study, split as training takes them."""
    return swapped(study.scans) if is_swapped else study.scans


def _learned_patients(study: Study, is_swapped: bool) -> LearnedPatients:
    return LearnedPatients.of(_scans(study, is_swapped), is_swapped)


def _loaded_jobs(study: Study, is_swapped: bool) -> list[Job]:
    """The discs to test on, read once for all points."""
    if not study.process.is_first:
        return []
    sources = Sources(
        study.scans, study.phantoms, study.detector, study.work / DISCS_FOLDER, _learned_patients(study, is_swapped)
    )
    return [replace(job, load=partial(_loaded, job.load())) for job in sources.jobs(Split.TEST)]


def _loaded(discs: ScanDiscs) -> ScanDiscs:
    return discs


def _learned(study: Study, data: GraderData, point: BranchPoint, is_swapped: bool) -> Path:
    """Where the grader is written."""
    course = study.course.branching_after(point)
    course = course.for_swapped_patients() if is_swapped else course
    log.info("%s: to be trained, or to go on", course.name)
    network = learn_grader(data, course, study.work, study.process)
    path = study.work / f"{course.name}.safetensors"
    if study.process.is_first:
        note = {"description": "of a study of branch points, not to ship"} | _learned_patients(study, is_swapped).note
        save_network(without_batch_norm(network), path, note)
    return path


def _measured(study: Study, path: Path, jobs: Sequence[Job]) -> list[Line]:
    grade = partial(score_discs, load_network(path), views=study.views, device=study.process.device)
    discs, _ = grade_all(jobs, grade)
    return summaries(discs, rng=None)
