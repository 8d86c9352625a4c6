"""Figures on a terminal, and progress there, or as lines of JSON for a program that watches."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.progress import ProgressSink, silent

_LISTED = 5


def print_figures(tables: str, *notes: str) -> None:
    """Print tables, and below them what is to be known of them, the research-use notice last.

    A reader who has gone, as `head` does, stops nothing: files may still have to be written.
    """
    try:
        print("\n".join([tables, "", *notes, RESEARCH_USE_NOTICE]), flush=True)
    except BrokenPipeError:
        print_to_nobody()


def print_to_nobody() -> None:
    """From here on standard output goes nowhere, its reader having gone."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_to_people(*lines: str) -> None:
    """Print to standard error where it is a terminal, and nothing for a program that watches."""
    if sys.stderr.isatty():
        print("\n".join(lines), file=sys.stderr)


def listed_briefly(items: Sequence[str]) -> str:
    """How many there are, and the first few."""
    more = ", ..." if len(items) > _LISTED else ""
    return f"{len(items)} ({', '.join(items[:_LISTED])}{more})"


def sink_named(name: str) -> ProgressSink:
    """`bar`, `json`, `none`, or `auto`: a bar on a terminal and nothing elsewhere."""
    if name == "json":
        return _json_lines
    if name == "bar" or (name == "auto" and sys.stderr.isatty()):
        return _Bar()
    return silent


def _json_lines(stage: str, done: int, total: int) -> None:
    with suppress(BrokenPipeError):  # the result comes all the same where nobody watches any more
        print(json.dumps({"stage": stage, "done": done, "total": total}), file=sys.stderr, flush=True)


class _Bar:
    """One tqdm bar per stage, left standing with its time."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if done == 0:
            self._bar = tqdm(desc=f"{stage:>10}", total=total, bar_format="{desc} {bar:40} {elapsed}", file=sys.stderr)
        self._bar.total = total
        self._bar.update(done - self._bar.n)
        if done == total:
            self._bar.close()
