"""`analyse`: one scan in, a result folder out."""

from __future__ import annotations

import argparse
from pathlib import Path

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.anatomy import DISC_LEVELS, MOST_LEVELS_MOVED
from SpineNetCore.commands.options import Commands, add_device_to, add_models_to, add_views_to, whole_number
from SpineNetCore.commands.terminal import print_to_people, sink_named
from SpineNetCore.errors import InputError
from SpineNetCore.label_conventions import LABEL_NAMES
from SpineNetCore.level_names import chosen_levels
from SpineNetCore.models import chosen_device, load_models
from SpineNetCore.naming_override import NamingOverride, parsed_lowest_level
from SpineNetCore.pipeline import AnalysisSettings, analyse
from SpineNetCore.progress import Stages
from SpineNetCore.report import REPORT, write_report


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "analyse",
        help="grade the discs of one scan",
        description="Find and name the discs T12-L1 to L5-S1 on a T2-weighted sagittal lumbar MRI, give each six "
        "grades with probabilities, and map the evidence for every grade onto the scan.",
        epilog="DIR then holds report.html (open it in a browser), scores.csv, report.json, discs.nii.gz and "
        f"hotspots/<task>.nii.gz. {RESEARCH_USE_NOTICE}",
    )
    parser.add_argument("scan", type=Path, metavar="SCAN", help="NIfTI, NRRD or MHA file, DICOM folder, or DICOM file")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the result")
    _add_localisation_options(parser)
    add_model_options(parser)
    parser.add_argument("--no-hotspots", action="store_true", help="grades only, no evidence maps")
    parser.add_argument("--progress", choices=("auto", "bar", "json", "none"), default="auto", help="how to show it")
    parser.set_defaults(run=run)


def _add_localisation_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--levels",
        default=",".join(DISC_LEVELS),
        metavar="LEVELS",
        help="grade these discs only, such as L4-L5,L5-S1 (default: all six)",
    )
    parser.add_argument(
        "--vertebrae",
        type=Path,
        metavar="FILE",
        help="take vertebrae and discs from here instead of detecting them: a report.json, perhaps edited; a markups "
        "file (.mrk.json) of 3D Slicer with a point in each disc, named by its level; or a label map",
    )
    parser.add_argument(
        "--labels",
        choices=LABEL_NAMES,
        help="whose values a label map given with --vertebrae holds (default: told from the values)",
    )
    names = parser.add_mutually_exclusive_group()
    names.add_argument(
        "--lowest-level",
        metavar="L5-S1=X,Y,Z",
        help="call the disc nearest to this place (mm RAS) so, and count all levels from it",
    )
    names.add_argument(
        "--shift-levels",
        type=whole_number(-MOST_LEVELS_MOVED, MOST_LEVELS_MOVED),
        default=0,
        metavar="N",
        help="move the names of all levels N towards the feet, -2 to 2: 1 makes L5-S1 of L4-L5",
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Declare what every command that runs the networks takes."""
    add_device_to(parser, "auto")
    add_views_to(parser)
    parser.add_argument(
        "--hotspot-views",
        type=whole_number(1, 10_000),
        default=32,
        metavar="N",
        help="random views behind every evidence map (default 32)",
    )
    add_models_to(parser)


def run(options: argparse.Namespace) -> None:
    """Analyse and write, checking everything that may fail early before the long work."""
    REPORT.check(options.output)
    if options.labels is not None and options.vertebrae is None:
        raise InputError(f"--labels {options.labels} says what a label map holds: give that with --vertebrae.")
    settings = AnalysisSettings(
        views=options.views,
        hotspot_views=0 if options.no_hotspots else options.hotspot_views,
        device=chosen_device(options.device),
        levels=chosen_levels(options.levels),
        vertebrae=options.vertebrae,
        labels=options.labels,
        naming=_naming(options),
    )
    models = load_models(options.models)
    stages = Stages(sink_named(options.progress))
    report = analyse(options.scan, models, settings, stages)
    with stages.stage("write"):
        write_report(report, options.output)
    if options.progress in ("auto", "bar"):
        print_to_people(*report.warnings, f"The page is '{options.output / 'report.html'}'.")


def _naming(options: argparse.Namespace) -> NamingOverride | None:
    if options.lowest_level is None and not options.shift_levels:
        return None
    if options.vertebrae is not None:
        raise InputError(
            f"--vertebrae '{options.vertebrae}' brings its own names: change them there, or leave out --lowest-level "
            "and --shift-levels."
        )
    lowest = None if options.lowest_level is None else parsed_lowest_level(options.lowest_level)
    return NamingOverride(lowest, options.shift_levels)
