"""`simulate`: phantoms as files, each with its truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.commands.analyse import whole_number
from SpineNetCore.errors import InputError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


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
    parser.add_argument(
        "--seed", type=whole_number(0, 10**9), default=0, metavar="S", help="of the first; the others count on"
    )
    parser.add_argument("--balanced", action="store_true", help="draw grades evenly, not by the paper's Table 1")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Simulate and write."""
    import numpy as np

    from SpineNetCore.learning.phantom import PhantomSettings, simulate, write_phantom

    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder '{options.output}' cannot be made ({error.strerror}): choose another.") from error
    settings = PhantomSettings(balanced=options.balanced)
    for seed in range(options.seed, options.seed + options.count):
        write_phantom(simulate(np.random.default_rng(seed), settings), options.output, f"phantom-{seed:06d}")
