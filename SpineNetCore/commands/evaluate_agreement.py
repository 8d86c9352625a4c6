"""`evaluate agreement`: how well two tables of grades agree."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.commands.options import Commands, add_seed_to
from SpineNetCore.commands.terminal import print_figures
from SpineNetCore.errors import InputError

if TYPE_CHECKING:
    from SpineNetCore.learning.grading.page import Evaluation


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "agreement",
        help="two tables of grades: two readers, or a reader and an analysis",
        description="Compare two tables of grades, A standing for the truth: two readers' manifests, or a reader's "
        "table and the scores.csv of an analysis. A column level and one or more of the tasks are needed; scan tells "
        "several scans apart, patient whose they are. Prints accuracy, within one grade and quadratic kappa; --output "
        "also writes agreement.html with confusion matrices, and agreement.csv.",
    )
    parser.add_argument("first", type=Path, metavar="A", help="CSV table that stands for the truth")
    parser.add_argument("second", type=Path, metavar="B", help="CSV table to compare with it")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the page and the table")
    add_seed_to(parser, "of the intervals")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Compare, print, and write."""
    from SpineNetCore.learning.figure_text import INTERVALS_NOTE
    from SpineNetCore.learning.grading.result import AGREEMENT, write_agreement
    from SpineNetCore.learning.grading.table import table_text

    if options.output:
        AGREEMENT.check(options.output)
    evaluation = _compare(options)
    print_figures(table_text(evaluation.lines), INTERVALS_NOTE)
    if options.output:
        write_agreement(evaluation, options.output)


def _compare(options: argparse.Namespace) -> Evaluation:
    import numpy as np

    from SpineNetCore.learning.grading.label_files import paired_labels
    from SpineNetCore.learning.grading.page import Evaluation
    from SpineNetCore.learning.grading.summary import agreements

    pairs = paired_labels(options.first, options.second)
    lines = agreements(pairs, "Discs in both tables", np.random.default_rng(options.seed))
    if not lines:
        raise InputError(
            f"'{options.first}' and '{options.second}' have {len(pairs)} discs in common but no task that both grade: "
            "give them a column in common, such as pfirrmann."
        )
    facts = (
        ("A, taken for the truth", str(options.first)),
        ("B", str(options.second)),
        ("Discs in both", str(len(pairs))),
        ("Seed of the intervals", str(options.seed)),
    )
    return Evaluation("How well two tables of grades agree", facts, tuple(lines))
