"""`train`: the shipped models, learned again from data."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from SpineNetCore.commands.options import Commands, add_device_to, add_workers_to, whole_number
from SpineNetCore.errors import InputError
from SpineNetCore.learning.grader_recipe import FURTHER_RECIPE, Preset
from SpineNetCore.learning.implants import VARIANTS
from SpineNetCore.learning.phantom_seeds import MOST_TO_LEARN_FROM
from SpineNetCore.models import SWAPPED_GRADER_FILE


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="learn the detector or the grader from data",
        description="Learn a model from graded scans and from phantoms, and write it to --output. A run that was "
        "stopped goes on from its checkpoints in --work. Discs for the grader are cut by the detector in --output or, "
        "where there is none, by the bundled one, which is then put there: analyse --models takes that folder.",
    )
    parser.add_argument("model", choices=("detector", "grader"))
    _add_data_to(parser)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder for checkpoints and caches")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the model")
    parser.add_argument(
        "--phantoms",
        type=whole_number(0, MOST_TO_LEARN_FROM),
        metavar="N",
        help="how many to simulate (default: 360 for the detector, 1000 for the grader, none by the preset paper)",
    )
    parser.add_argument(
        "--implants",
        type=whole_number(0, 100),
        metavar="N",
        help="how many times every disc of a patient is also learned from with lesions drawn into it, for the grader "
        f"(default {VARIANTS}, none by the preset paper)",
    )
    parser.add_argument(
        "--storage",
        choices=("8-bit", "half", "full"),
        help="of the weights (default: half for the detector, else 8-bit)",
    )
    add_workers_to(parser, default=2, what="processes that simulate and, on a GPU, draw")
    _add_manner_to(parser)
    parser.set_defaults(run=run)


def _add_data_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--spider",
        type=Path,
        metavar="DIR",
        help="folder of SPIDER: for the grader with images, masks and the two tables, or the reduced copy; for the "
        "detector the reduced copy",
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="CSV table of one's own labels, for the grader; may be given several times, and beside --spider. Columns: "
        "scan (path from the table's folder), patient, level, then any of pfirrmann, narrowing, upper_endplate, "
        "lower_endplate, upper_marrow, lower_marrow, any_marrow (0 or 1, side unknown) and split (train, validation, "
        "test). An empty grade is missing, 2|3|4 is one of these. Patients without a split are drawn 80:10:10",
    )


def _add_manner_to(parser: argparse.ArgumentParser) -> None:
    """How the grader learns, and where."""
    manner = parser.add_mutually_exclusive_group()
    manner.add_argument(
        "--further",
        type=Path,
        metavar="FILE",
        help="train this grader further instead of a new one, for instance the bundled one on one's own labels: "
        f"{FURTHER_RECIPE.steps} batches at a low rate. Give another --output, or a file of its name there is replaced",
    )
    manner.add_argument(
        "--preset",
        choices=[preset.value for preset in Preset],
        help="how the grader learns (default quick). " + " ".join(f"{p.value}: {p.description}." for p in Preset),
    )
    parser.add_argument(
        "--steps",
        type=whole_number(0, 1_000_000),
        metavar="N",
        help="how many batches each training of the grader has, in place of what the preset or --further says; 0 "
        "leaves the weights of --further as they are and only fits how sure its probabilities may be to the patients "
        "for validation, as every training does in the end where there are any",
    )
    parser.add_argument(
        "--swap-validation-and-test",
        action="store_true",
        help="learn a second grader whose validation patients are the test patients and the reverse, for evaluate "
        f"repeatability; it is written as {SWAPPED_GRADER_FILE}, beside the first",
    )
    add_device_to(
        parser,
        None,
        "where the grader learns: auto (the default) takes a CUDA GPU where there is one. For several GPUs or "
        "machines start this command by torchrun -m SpineNetCore, with one --work folder that all of them reach; batch "
        "normalisation is then over the whole batch on GPUs, and over each process's own part of it on CPUs",
    )


def run(options: argparse.Namespace) -> None:
    """Learn and write."""
    for folder in (options.work, options.output):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"'{folder}' is no folder: give --work and --output folders, or names for new ones.")
    logging.getLogger("SpineNetCore").setLevel(logging.INFO)
    if options.model == "detector":
        from SpineNetCore.commands.train_detector import train_detector

        train_detector(options)
    else:
        from SpineNetCore.commands.train_grader import train_grader

        train_grader(options)
