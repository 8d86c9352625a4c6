"""`evaluate grading`: how rightly and how surely discs are graded, on patients and phantoms kept out of training."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.commands.evaluate_sources import (
    add_cut_to,
    add_graders_to,
    add_sources_to,
    check_sources,
    cut_folder,
    facts_of_sources,
    scans_of,
)
from SpineNetCore.commands.options import Commands, add_seed_to, add_workers_to, check_implants, whole_number
from SpineNetCore.commands.terminal import listed_briefly, print_figures, sink_named
from SpineNetCore.errors import InputError
from SpineNetCore.models import Models, load_models
from SpineNetCore.progress import Stages

if TYPE_CHECKING:
    from SpineNetCore.learning.grading.page import Evaluation
    from SpineNetCore.learning.grading.running import GradedDisc, Job


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "grading",
        help="how rightly and how surely every task is graded",
        description="Grade the discs of patients and phantoms kept out of training and compare with their labels: "
        "balanced accuracy, within one grade, quadratic kappa, confusion matrices, and calibration as reported and "
        "after further temperature scaling fitted on other patients. Prints a table; --output also writes grading.html "
        "with plots, grading.csv with every figure and discs.csv with every disc.",
    )
    add_sources_to(parser)
    parser.add_argument(
        "--patients",
        choices=("test", "validation"),
        default="test",
        help="those to measure on (default test). Temperatures are fitted on validation, the grader's own and those of "
        "the comparison, so that with validation its calibration is not that of new patients and no more is fitted",
    )
    parser.add_argument(
        "--implants",
        type=whole_number(0, 100),
        default=0,
        metavar="N",
        help="also grade the discs of patients N times with lesions drawn into them, judged by what was drawn alone: "
        "discs called normal get dents of the endplates, changes of marrow and less height (default 0)",
    )
    add_graders_to(parser)
    add_cut_to(parser)
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the page and the tables")
    add_workers_to(parser)
    add_seed_to(parser, "of the intervals")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write."""
    from SpineNetCore.learning.figure_text import INTERVALS_NOTE
    from SpineNetCore.learning.grading.result import GRADING, write_grading
    from SpineNetCore.learning.grading.table import table_text

    check_sources(options)
    check_implants(options)
    if options.output:
        GRADING.check(options.output)
    measured = _evaluate(options)
    print_figures(table_text(measured.evaluation.lines), *measured.notes, INTERVALS_NOTE)
    if options.output:
        write_grading(measured.evaluation, measured.discs, options.output)


@dataclass(frozen=True)
class _Measured:
    """missed: graded discs that were not found."""

    evaluation: Evaluation
    discs: list[GradedDisc]
    missed: list[str]

    @property
    def notes(self) -> list[str]:
        return [f"Graded discs not found, which count nowhere: {listed_briefly(self.missed)}."] if self.missed else []


def _evaluate(options: argparse.Namespace) -> _Measured:
    import numpy as np

    from SpineNetCore.learning.datasets.graded_scans import Split
    from SpineNetCore.learning.grading.page import Evaluation
    from SpineNetCore.learning.grading.running import grade_all
    from SpineNetCore.learning.grading.summary import summaries
    from SpineNetCore.models import chosen_device
    from SpineNetCore.scores import score_discs

    models = load_models(options.models)
    device = chosen_device(options.device)
    grade = partial(score_discs, models.grader, views=options.views, device=device)
    stages = Stages(sink_named("auto"))
    with stages.stage("discs") as count:
        discs, missed = grade_all(_jobs(options, models), grade, options.workers, count)
    with stages.stage("intervals"):
        lines = summaries(discs, np.random.default_rng(options.seed))
    if not lines:
        tested = sum(disc.split is Split.TEST for disc in discs)
        raise InputError(
            f"No task can be measured on {tested} graded discs of {options.patients} patients: give scans or "
            "phantoms on which two grades of a task occur, and see the column split of a manifest."
        )
    facts = [*_models_facts(models), ("Patients", options.patients), *facts_of_sources(options)]
    facts.append(("Seed of the intervals", str(options.seed)))
    if options.patients == "validation":
        discs = [replace(disc, split=Split.VALIDATION) for disc in discs]
    if missed:
        facts.append(("Graded discs not found", f"{len(missed)}, which count nowhere: {', '.join(missed)}"))
    return _Measured(Evaluation("How well discs are graded", tuple(facts), tuple(lines)), discs, missed)


def _jobs(options: argparse.Namespace, models: Models) -> list[Job]:
    """The discs to test on, and those to fit temperatures on."""
    from SpineNetCore.learning.datasets.graded_scans import Split
    from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
    from SpineNetCore.learning.grading.cases import Sources

    learned = LearnedPatients.from_note(models.grader_file.note)
    scans = scans_of(options)
    sources = Sources(scans, options.phantoms, models.detector, cut_folder(options), learned, options.implants)
    if options.patients == "validation":
        return [replace(job, split=Split.TEST) for job in sources.jobs(Split.VALIDATION)]
    return sources.jobs(Split.TEST) + sources.jobs(Split.VALIDATION)


def _models_facts(models: Models) -> tuple[tuple[str, str], ...]:
    files = {"Detector": models.detector_file, "Grader": models.grader_file}
    return tuple((name, f"{one.path.name} {one.digest}") for name, one in files.items())
