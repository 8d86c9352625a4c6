"""`--workers`, as every command that shares its work among processes takes it."""

from __future__ import annotations

import argparse

from SpineNetCore.commands.analyse import whole_number

MOST_WORKERS = 61
"""As many as a process can wait for on Windows."""


def add_workers_to(parser: argparse.ArgumentParser, default: int = 1, what: str = "processes") -> None:
    """Declare the option; what: the workers do."""
    number = whole_number(1, MOST_WORKERS)
    parser.add_argument("--workers", type=number, default=default, metavar="N", help=f"{what} (default {default})")
