"""The command line: `python -m SpineNetCore analyse SCAN --output DIR`, and what surrounds it."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from SpineNetCore import RESEARCH_USE_NOTICE, __version__
from SpineNetCore.commands import analyse, bench, evaluate, simulate, train
from SpineNetCore.errors import InputError

OURS, THEIRS = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0, 2 when the request or the input is at fault, or 1 when we are."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        options.run(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return THEIRS
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m SpineNetCore",
        description="Grades the lumbar discs on a T2-weighted sagittal MRI and shows the evidence for every grade.",
        epilog=RESEARCH_USE_NOTICE,
    )
    parser.add_argument("--version", action="version", version=f"SpineNetCore {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (analyse, simulate, train, evaluate, bench):
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
