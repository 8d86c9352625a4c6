"""`simulate`: phantoms as files, each with its truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.commands.options import Commands, add_seed_to, whole_number
from SpineNetCore.commands.terminal import sink_named
from SpineNetCore.errors import InputError
from SpineNetCore.progress import Stages

if TYPE_CHECKING:
    from SpineNetCore.learning.phantom import PhantomSettings


_SECOND_READER = 2


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "simulate",
        help="write phantoms that know their own truth",
        description="Write simulated lumbar T2 scans as NIfTI, with label map, lesion maps and the truth as JSON.",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder, made where it is missing")
    parser.add_argument(
        "--count", type=whole_number(1, 1_000_000), default=1, metavar="N", help="how many phantoms (default 1)"
    )
    add_seed_to(parser, "of the first; the others count on")
    _add_grading_options(parser)
    parser.add_argument("--progress", choices=("auto", "bar", "json", "none"), default="auto", help="how to show it")
    parser.set_defaults(run=run)


def _add_grading_options(parser: argparse.ArgumentParser) -> None:
    grades = parser.add_mutually_exclusive_group()
    grades.add_argument("--balanced", action="store_true", help="draw grades evenly, not by the paper's Table 1")
    grades.add_argument(
        "--prevalence",
        action="append",
        default=[],
        metavar="TASK=P,...",
        help="share of each grade of a task, or of grade 1 where there are two, instead of the paper's, such as "
        "pfirrmann=0.2,0.2,0.2,0.2,0.2 or upper_marrow=0.4; may be given once per task",
    )
    parser.add_argument(
        "--second-reader",
        action="store_true",
        help="add the grades of a simulated second reader, who agrees with the truth as often as the paper's "
        "radiologist did with himself",
    )


def run(options: argparse.Namespace) -> None:
    """Simulate and write."""
    settings = _settings(options)
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder '{options.output}' cannot be made ({error.strerror}): choose another.") from error
    with Stages(sink_named(options.progress)).stage("simulate") as count:
        for done in range(options.count):
            _simulate_one(options, options.seed + done, settings)
            count(done + 1, options.count)


def _settings(options: argparse.Namespace) -> PhantomSettings:
    from SpineNetCore.learning.phantom import PhantomSettings, asked_prevalence

    return PhantomSettings(balanced=options.balanced, prevalence=asked_prevalence(options.prevalence))


def _simulate_one(options: argparse.Namespace, seed: int, settings: PhantomSettings) -> None:
    import numpy as np

    from SpineNetCore.learning.phantom import read_again, simulate, write_phantom

    phantom = simulate(np.random.default_rng(seed), settings)
    reader = np.random.default_rng((_SECOND_READER, seed))
    reading = {disc.level: read_again(reader, disc.grades) for disc in phantom.discs}
    write_phantom(phantom, options.output, f"phantom-{seed:06d}", reading if options.second_reader else None)
