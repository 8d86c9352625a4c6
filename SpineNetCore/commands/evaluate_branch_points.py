"""`evaluate branch-points`: the study of Table 2, from training to the table."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.commands.evaluate_sources import (
    add_graders_to,
    add_sources_to,
    check_sources,
    facts_of_sources,
    scans_of,
)
from SpineNetCore.commands.options import Commands, add_workers_to, whole_number
from SpineNetCore.commands.terminal import print_figures
from SpineNetCore.errors import InputError
from SpineNetCore.learning.grader_recipe import Preset
from SpineNetCore.learning.implants import VARIANTS
from SpineNetCore.models import load_detector
from SpineNetCore.network import BranchPoint

if TYPE_CHECKING:
    from SpineNetCore.learning.courses import Course
    from SpineNetCore.learning.grading.branch_study import Study
    from SpineNetCore.learning.grading.repeats import Repeat
    from SpineNetCore.learning.processes import Process


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "branch-points",
        help="the paper's Table 2: train and compare a grader for every branch point",
        description="Train two graders for every layer after which the tasks can part, the second with validation and "
        "test patients exchanged, and print mean and standard deviation of their balanced accuracies. A study that was "
        "stopped goes on from --work. --output also writes branch_points.html and branch_points.csv.",
    )
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="for discs, checkpoints and graders")
    add_sources_to(parser)
    parser.add_argument(
        "--training-phantoms",
        type=whole_number(0, 100_000),
        default=450,
        metavar="N",
        help="how many to learn from (default 450)",
    )
    parser.add_argument(
        "--points",
        nargs="+",
        choices=[point.value for point in BranchPoint],
        default=[point.value for point in BranchPoint],
        metavar="LAYER",
        help="branch points to try: none is six separate networks, then conv3, conv4, conv5, fc6, fc7 (default: all)",
    )
    parser.add_argument(
        "--preset",
        choices=[preset.value for preset in Preset],
        default=Preset.QUICK.value,
        help="how they learn, as in train (default quick)",
    )
    parser.add_argument(
        "--steps", type=whole_number(1, 10**9), metavar="N", help="of every training, instead of the preset's"
    )
    add_graders_to(parser, device="auto")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the page and the table")
    add_workers_to(parser, default=2, what="processes that simulate and, on a GPU, draw")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Train, measure, print, and write."""
    from SpineNetCore.learning.grading.branch_study import branch_point_study
    from SpineNetCore.learning.grading.result import BRANCH_POINTS
    from SpineNetCore.learning.processes import joined

    check_sources(options)
    if options.output:
        BRANCH_POINTS.check(options.output)
    logging.getLogger("SpineNetCore").setLevel(logging.INFO)
    points = [point for point in BranchPoint if point.value in options.points]
    with joined(options.device, options.workers) as process:
        found = branch_point_study(_study(options, process), points)
    if process.is_first:
        _tell(options, {point.value: repeated for point, repeated in found.items()})


def _study(options: argparse.Namespace, process: Process) -> Study:
    from SpineNetCore.learning.grading.branch_study import Study
    from SpineNetCore.learning.simulated_discs import Simulation

    course = _course(options)
    return Study(
        scans=scans_of(options),
        detector=load_detector(options.models),
        work=options.work,
        course=course,
        simulation=Simulation(options.training_phantoms, options.workers, course.is_guided),
        implants=0 if Preset(options.preset) is Preset.PAPER else VARIANTS,
        phantoms=options.phantoms,
        views=options.views,
        process=process,
    )


def _course(options: argparse.Namespace) -> Course:
    from SpineNetCore.learning.courses import course_of

    course = course_of(Preset(options.preset))
    return course.shortened(options.steps) if options.steps else course


def _tell(options: argparse.Namespace, by_point: Mapping[str, Sequence[Repeat]]) -> None:
    from SpineNetCore.learning.figure_files import write_texts
    from SpineNetCore.learning.grading.repeats import point_tables, repeats_csv, tables_text
    from SpineNetCore.learning.grading.repeats_page import NOTE, points_page
    from SpineNetCore.learning.grading.result import BRANCH_POINTS

    tables = point_tables(by_point)
    if not tables:
        raise InputError(
            "No task can be measured on both models' test patients: give scans or phantoms with two grades of a task "
            "on either side; the trained graders are kept in --work."
        )
    print_figures(tables_text(tables), NOTE)
    if options.output:
        steps = [("Steps of every training", str(options.steps))] if options.steps else []
        facts = [("Preset", options.preset), *steps, *facts_of_sources(options)]
        texts = {
            "branch_points.csv": repeats_csv(by_point),
            "branch_points.html": points_page("Where the tasks should part", facts, by_point),
        }
        write_texts(BRANCH_POINTS, texts, options.output)
