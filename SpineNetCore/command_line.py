"""The command line: `python -m SpineNetCore analyse SCAN --output DIR`, and what surrounds it."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from SpineNetCore import RESEARCH_USE_NOTICE, __version__
from SpineNetCore.commands import analyse, bench, evaluate, simulate, train
from SpineNetCore.errors import InputError
from SpineNetCore.file_names import check_file_name

THEIRS = 2

_HERE = Path(__file__).resolve().parent
"""A file of our own that is missing is a fault of ours."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0, or 2 when the request or the input is at fault."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        for argument in arguments:
            _check_argument(argument)
        options.run(options)
    except InputError as error:
        return _refused(str(error))
    except OSError as error:
        if error.filename is None or _HERE in Path(os.fsdecode(error.filename)).parents:
            raise
        return _refused(f"'{error.filename}' cannot be used ({error.strerror}): check its name and who may open it.")
    return 0


def _refused(reason: str) -> int:
    one_line = " ".join(reason.splitlines())  # names of files may hold line breaks
    print(f"error: {one_line}", file=sys.stderr)
    return THEIRS


def _check_argument(argument: str) -> None:
    check_file_name(argument)
    if re.fullmatch(r"(--[a-z-]+=)?", argument):  # as with a variable that was never set: the current folder as a path
        raise InputError(f"The argument '{argument}' names nothing: give a file, a folder or a value.")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a request in one line, as every other fault is said."""

    def error(self, message: str) -> NoReturn:
        self.exit(THEIRS, f"error: {message}: see '{self.prog} --help'.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m SpineNetCore",
        description="Grades the lumbar discs on a T2-weighted sagittal MRI and shows the evidence for every grade.",
        epilog=RESEARCH_USE_NOTICE,
    )
    parser.add_argument("--version", action="version", version=f"SpineNetCore {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (analyse, simulate, train, evaluate, bench):
        command.add_to(commands)
    return parser
