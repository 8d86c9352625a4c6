"""Options that several commands take alike, and the numbers in them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from SpineNetCore.errors import InputError
from SpineNetCore.models import BUNDLED_MODELS
from SpineNetCore.views import MOST_VIEWS

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Options: TypeAlias = "argparse._ActionsContainer"

MOST_WORKERS = 61
"""As many as a process can wait for on Windows."""

_DEVICES = ("auto", "cpu", "cuda")


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """What turns an option's text into a number in range, or refuses it."""

    def number(text: str) -> int:
        value = int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else lowest - 1
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {lowest} to {highest}")
        return value

    return number


def check_implants(options: argparse.Namespace) -> None:
    """Raise InputError where lesions are to be drawn into the discs of no patient."""
    if options.implants and not (options.spider or options.manifest):
        raise InputError(
            "--implants draws into patients' discs: give --spider DIR or --manifest FILE, or leave it out."
        )


def add_models_to(options: Options) -> None:
    """Declare `--models`."""
    options.add_argument(
        "--models", type=Path, default=BUNDLED_MODELS, metavar="DIR", help="folder of the networks (default: bundled)"
    )


def add_views_to(options: Options) -> None:
    """Declare `--views`."""
    options.add_argument(
        "--views",
        type=whole_number(1, MOST_VIEWS),
        default=MOST_VIEWS,
        metavar="N",
        help=f"through how many fixed views each disc is graded, 1 to {MOST_VIEWS} (default {MOST_VIEWS})",
    )


def add_device_to(options: Options, default: str | None, help: str | None = None) -> None:
    """Declare `--device`; help: its text, in place of that of the default."""
    said = help or ("default: a GPU if there is one" if default == "auto" else f"default: {default}")
    options.add_argument("--device", choices=_DEVICES, default=default, help=said)


def add_seed_to(options: Options, of: str) -> None:
    """Declare `--seed`; of: the help text, what is drawn with it."""
    options.add_argument("--seed", type=whole_number(0, 10**9), default=0, metavar="N", help=of)


def add_workers_to(options: Options, default: int = 1, what: str = "processes") -> None:
    """Declare `--workers`; what: the help text, what the processes do."""
    number = whole_number(1, MOST_WORKERS)
    options.add_argument("--workers", type=number, default=default, metavar="N", help=f"{what} (default {default})")
