"""`evaluate repeatability`: how alike two graders of one recipe are, trained with validation and test exchanged."""

from __future__ import annotations

import argparse
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
from SpineNetCore.commands.options import Commands, add_workers_to
from SpineNetCore.commands.terminal import print_figures, sink_named
from SpineNetCore.errors import InputError
from SpineNetCore.model_files import GRADER_KIND, StoredModel, read_model
from SpineNetCore.models import chosen_device, grading_network, load_detector
from SpineNetCore.progress import Stages

if TYPE_CHECKING:
    from SpineNetCore.learning.grading.cases import Sources
    from SpineNetCore.learning.grading.summary import Line


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "repeatability",
        help="mean and standard deviation over two graders, validation and test exchanged",
        description="The paper's two-model standard deviation: A was trained by train grader, B by the same with "
        "--swap-validation-and-test; each is measured on the patients that are its own test. Prints mean and standard "
        "deviation of every figure; --output also writes repeatability.html and repeatability.csv.",
    )
    parser.add_argument("first", type=Path, metavar="MODEL_A", help="grader file")
    parser.add_argument("second", type=Path, metavar="MODEL_B", help="grader file, trained with the two exchanged")
    add_sources_to(parser)
    add_graders_to(parser)
    add_cut_to(parser)
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the page and the table")
    add_workers_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure both, print, and write."""
    from SpineNetCore.learning.figure_files import write_texts
    from SpineNetCore.learning.grading.repeats import figure_tables, repeats, repeats_csv, tables_text
    from SpineNetCore.learning.grading.repeats_page import NOTE, repeats_page
    from SpineNetCore.learning.grading.result import REPEATABILITY

    check_sources(options)
    if options.output:
        REPEATABILITY.check(options.output)
    stored = _stored_graders(options)
    repeated = repeats(*_lines(options, stored))
    if not repeated:
        raise InputError(
            "No task can be measured on both models' test patients: give scans or phantoms with two grades of a task "
            "on either side."
        )
    print_figures(tables_text(figure_tables(repeated)), NOTE)
    if options.output:
        models = (("First grader", stored[0]), ("Second grader", stored[1]))
        facts = [*((name, f"{one.path.name} {one.digest}") for name, one in models), *facts_of_sources(options)]
        texts = {
            "repeatability.csv": repeats_csv({grading_network(stored[0]).config.branch_point.value: repeated}),
            "repeatability.html": repeats_page("How alike two graders of one recipe are", facts, repeated),
        }
        write_texts(REPEATABILITY, texts, options.output)


def _stored_graders(options: argparse.Namespace) -> list[StoredModel]:
    from SpineNetCore.learning.datasets.learned_patients import LearnedPatients

    stored = [read_model(path, GRADER_KIND) for path in (options.first, options.second)]
    for one, is_swapped in zip(stored, (False, True), strict=True):
        if LearnedPatients.from_note(one.note).is_swapped != is_swapped:
            wanted, found = ("with", "without") if is_swapped else ("without", "with")
            raise InputError(
                f"'{one.path}' was trained {found} --swap-validation-and-test: give a grader trained {wanted} it in "
                "its place."
            )
    return stored


def _lines(options: argparse.Namespace, stored: list[StoredModel]) -> list[list[Line]]:
    from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
    from SpineNetCore.learning.grading.cases import Sources

    detector = load_detector(options.models)
    scans, cut = scans_of(options), cut_folder(options)
    learned = [LearnedPatients.from_note(one.note) for one in stored]
    sources = [Sources(scans, options.phantoms, detector, cut, from_whom) for from_whom in learned]
    return [_lines_of(one, its, options) for one, its in zip(stored, sources, strict=True)]


def _lines_of(stored: StoredModel, sources: Sources, options: argparse.Namespace) -> list[Line]:
    from SpineNetCore.learning.datasets.graded_scans import Split
    from SpineNetCore.learning.grading.running import grade_all
    from SpineNetCore.learning.grading.summary import summaries
    from SpineNetCore.scores import score_discs

    device = chosen_device(options.device)
    grade = partial(score_discs, grading_network(stored), views=options.views, device=device)
    with Stages(sink_named("auto")).stage(stored.path.stem) as count:
        discs, _ = grade_all(sources.jobs(Split.TEST), grade, options.workers, count)
    return summaries(discs, rng=None)
