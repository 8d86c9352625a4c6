"""Every case under every condition, in one process or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from SpineNetCore.learning.localisation.cases import Case
from SpineNetCore.learning.localisation.conditions import Condition
from SpineNetCore.learning.localisation.figures import failure_picture
from SpineNetCore.learning.localisation.measures import Finder, Outcome, measured
from SpineNetCore.learning.worker_pool import mapping
from SpineNetCore.progress import Count, uncounted


@dataclass(frozen=True)
class Job:
    """One case to be measured. load: reads or makes it, in the process that measures; find: what is being measured."""

    load: Callable[[], Case]
    find: Finder
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Measurement:
    """picture: SVG of a failure, None where all went well."""

    outcome: Outcome
    picture: str | None


def measure_all(
    jobs: Sequence[Job], rng: np.random.Generator, workers: int = 1, count: Count = uncounted
) -> list[Measurement]:
    """Measure in the order of the jobs; every job draws from a generator of its own, however many work at once."""
    results = []
    with mapping(_measure, workers) as measured_jobs:
        for done, measurements in enumerate(measured_jobs(jobs, rng.spawn(len(jobs))), start=1):
            results += measurements
            count(done, len(jobs))
    return results


def _measure(job: Job, rng: np.random.Generator) -> list[Measurement]:
    original = job.load()
    results = []
    for condition in job.conditions:
        case = condition.change(original, rng)
        if case is not None:
            outcome, spine = measured(case, job.find, condition.title)
            label = f"{case.group}, {case.patient}, {condition.title}"
            picture = failure_picture(case, spine, label) if outcome.is_failure else None
            results.append(Measurement(outcome, picture))
    return results
