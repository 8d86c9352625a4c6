"""`evaluate grading`: the accuracy of every task, on patients and phantoms that no training has seen."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.models import BUNDLED_MODELS, Models, load_models

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "grading",
        help="accuracy of every task",
        description="Print the accuracy of every task on the kept-out patients of the reduced SPIDER copy and on "
        "phantoms from seeds that training never drew.",
    )
    parser.add_argument("--spider", type=Path, metavar="DIR", help="folder of the reduced SPIDER copy")
    parser.add_argument("--phantoms", type=int, default=0, metavar="N", help="how many phantoms (default 0)")
    parser.add_argument("--models", type=Path, default=BUNDLED_MODELS, metavar="DIR", help="default: bundled")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    models = load_models(options.models)
    if options.spider:
        _evaluate_spider(options.spider, models)
    if options.phantoms:
        _evaluate_phantoms(options.phantoms, models)


def _evaluate_spider(folder: Path, models: Models) -> None:
    from SpineNetCore.learning.disc_examples import spider_examples
    from SpineNetCore.learning.evaluation import grading_accuracy

    examples = list(spider_examples(folder, models.detector, kept_out=True))
    patients = len({example.patient for example in examples})
    print(f"SPIDER, pictures and slabs of all {patients} patients kept out:")
    _print_accuracies([str(row) for row in grading_accuracy(examples, models.grader)])


def _evaluate_phantoms(count: int, models: Models) -> None:
    from SpineNetCore.learning.disc_examples import found_phantom_examples
    from SpineNetCore.learning.evaluation import grading_accuracy, unseen_phantom

    examples = [
        e for k in range(count) for e in found_phantom_examples(unseen_phantom(k), f"phantom {k}", models.detector)
    ]
    print(f"{count} phantoms from unseen seeds:")
    _print_accuracies([str(row) for row in grading_accuracy(examples, models.grader)])


def _print_accuracies(rows: list[str]) -> None:
    print(f"{'task':<22}{'discs':>6}{'balanced':>10}{'within one':>12}")
    for row in rows:
        print(row)
