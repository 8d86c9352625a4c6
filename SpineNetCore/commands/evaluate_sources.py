"""What every evaluation of graders asks for: patients, phantoms, models, views."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.commands.options import add_device_to, add_models_to, add_views_to, whole_number
from SpineNetCore.errors import InputError

if TYPE_CHECKING:
    from SpineNetCore.learning.datasets.graded_scans import GradedScan


def add_sources_to(parser: argparse.ArgumentParser) -> None:
    """Declare where graded discs come from."""
    parser.add_argument("--spider", type=Path, metavar="DIR", help="folder of SPIDER, or of its reduced copy")
    parser.add_argument(
        "--manifest",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="CSV table of one's own labels, with the columns of train; may be given several times. Its patients are "
        "split as in training",
    )
    parser.add_argument(
        "--phantoms",
        type=whole_number(0, 100_000),
        default=0,
        metavar="N",
        help="how many to test on (default 0), from seeds that training never drew, and as many again, of yet other "
        "seeds, in the place of validation patients",
    )


def add_graders_to(parser: argparse.ArgumentParser, device: str = "cpu") -> None:
    """Declare what grades them, and how; device: the default."""
    add_models_to(parser)
    add_views_to(parser)
    add_device_to(parser, device)


def add_cut_to(parser: argparse.ArgumentParser) -> None:
    """Declare where discs are kept between runs."""
    parser.add_argument(
        "--work",
        type=Path,
        metavar="DIR",
        help="folder that keeps discs once cut out of scans, such as that of train (default: they are cut anew)",
    )


def cut_folder(options: argparse.Namespace) -> Path | None:
    """Where those discs are kept, as training keeps them."""
    from SpineNetCore.learning.recipes import DISCS_FOLDER

    return options.work / DISCS_FOLDER if options.work else None


def check_sources(options: argparse.Namespace) -> None:
    """Raise InputError unless something is there to measure on."""
    if options.spider is None and not options.manifest and not options.phantoms:
        raise InputError("There is nothing to measure: give --spider DIR, --manifest FILE, --phantoms N, or several.")


def scans_of(options: argparse.Namespace) -> list[GradedScan]:
    """The graded scans with the splits that training drew; none where only phantoms were asked for."""
    from SpineNetCore.learning.datasets.sources import read_sources

    return read_sources(options.spider, options.manifest) if options.spider or options.manifest else []


def facts_of_sources(options: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """What a page says of them."""
    facts = [("Tables", ", ".join(path.name for path in options.manifest))] if options.manifest else []
    return (*facts, ("Views of a disc", str(options.views)))
