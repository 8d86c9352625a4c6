"""`evaluate hotspots`: how well the maps show what led to a grade, beside other methods, on phantoms."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.anatomy import Task
from SpineNetCore.commands.analyse import whole_number
from SpineNetCore.commands.terminal import print_figures, sink_named
from SpineNetCore.errors import InputError
from SpineNetCore.learning.hotspot_scorecard.methods import METHOD_NAMES, methods_named
from SpineNetCore.model_files import GRADER_KIND, StoredModel, grading_network, read_model
from SpineNetCore.models import BUNDLED_MODELS, GRADER_FILE, chosen_device
from SpineNetCore.progress import Stages

if TYPE_CHECKING:
    from SpineNetCore.learning.hotspot_scorecard.methods import Method
    from SpineNetCore.learning.hotspot_scorecard.page import Evaluation

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "hotspots",
        help="how well the maps show the lesions of phantoms",
        description="Measure, on phantoms that know their lesions, how well the maps of rightly graded abnormal discs "
        "show what led to the grade: saliency, SmoothGrad, Grad-CAM and ours of one network side by side. Prints a "
        "table; --output also writes hotspots.html, with examples, and a table of all maps.",
    )
    parser.add_argument("--phantoms", type=whole_number(1, 100_000), default=20, metavar="N", help="default: 20")
    parser.add_argument(
        "--first",
        type=whole_number(0, 10**6),
        default=0,
        metavar="K",
        help="number of the first phantom (default 0); choices are best made on other phantoms than those reported",
    )
    parser.add_argument("--models", type=Path, default=BUNDLED_MODELS, metavar="DIR", help="default: bundled")
    parser.add_argument(
        "--views",
        type=whole_number(1, 10_000),
        nargs="+",
        default=[8, 32, 128],
        metavar="N",
        help="of our maps, one method for each (default 8 32 128)",
    )
    parser.add_argument("--methods", choices=METHOD_NAMES, nargs="+", default=METHOD_NAMES, help="default: all")
    names = [task.value for task in Task]
    parser.add_argument("--tasks", choices=names, nargs="+", default=names, help="default: all")
    parser.add_argument(
        "--checked",
        type=whole_number(0, 100_000),
        default=8,
        metavar="N",
        help="phantoms of which one map also tells repeatability and sanity, which take long (default 8)",
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the page and the table")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu", help="default: cpu")
    parser.add_argument(
        "--seed", type=whole_number(0, 10**9), default=0, metavar="N", help="of views, noise, weights and intervals"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write."""
    from SpineNetCore.learning.hotspot_scorecard.result import RESULT, write_scorecard
    from SpineNetCore.learning.hotspot_scorecard.table import NOTE, table_text

    methods = methods_named(options.methods, options.views, chosen_device(options.device))
    stored = read_model(options.models / GRADER_FILE, GRADER_KIND)
    if options.output:
        RESULT.check(options.output)
    evaluation = _evaluate(options, stored, methods)
    print_figures(table_text(evaluation.summary), NOTE)
    if options.output:
        write_scorecard(evaluation, options.output)


def _evaluate(options: argparse.Namespace, stored: StoredModel, methods: list[Method]) -> Evaluation:
    import numpy as np

    from SpineNetCore.learning.hotspot_scorecard.page import Evaluation
    from SpineNetCore.learning.hotspot_scorecard.running import Plan, measure_phantoms
    from SpineNetCore.learning.hotspot_scorecard.summary import check_lines_of, leads_of, lines_of
    from SpineNetCore.learning.hotspot_scorecard.table import Summary

    stages = Stages(sink_named("auto"))
    device = chosen_device(options.device)
    tasks = tuple(Task(name) for name in options.tasks)
    plan = Plan(options.phantoms, options.first, tasks, options.checked, options.seed, device)
    with stages.stage("phantoms") as count:
        card = measure_phantoms(grading_network(stored), methods, plan, count)
    if not card.readings:
        raise InputError(
            f"The grader {stored.path.name!r} rightly finds nothing abnormal on {options.phantoms} phantoms, so that "
            "no map can be measured: ask for more with --phantoms, or give a trained one with --models."
        )
    rng = np.random.default_rng(options.seed)
    with stages.stage("intervals"):
        lines, leads = lines_of(card.readings, rng), leads_of(card.readings, rng)
        summary = Summary(tuple(lines), tuple(leads), tuple(check_lines_of(card.checks, rng)))
    return Evaluation(_what(options, stored), card, summary)


def _what(options: argparse.Namespace, stored: StoredModel) -> tuple[tuple[str, str], ...]:
    last = options.first + options.phantoms - 1
    return (
        ("Grader", f"{stored.path.name} {stored.digest}"),
        ("Phantoms", f"{options.phantoms}, numbers {options.first} to {last}, not in training, grades drawn evenly"),
        (
            "Repeatability and sanity",
            f"one map of each of the first {min(options.checked, options.phantoms)} phantoms",
        ),
        ("Seed of views, noise, weights and intervals", str(options.seed)),
    )
