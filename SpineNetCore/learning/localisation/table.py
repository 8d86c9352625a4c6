"""The figures as text: an aligned table for people, and a row per scan and condition for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from SpineNetCore.learning.bootstrap import Estimate
from SpineNetCore.learning.localisation.measures import Outcome
from SpineNetCore.learning.localisation.summary import Summary

INTERVALS_NOTE = (
    "Beside or below a figure: its 95 % bootstrap interval over patients. Where nothing failed it says nothing; n "
    "patients without a failure leave room for failures in up to 3/n of patients (rule of three)."
)


@dataclass(frozen=True)
class Column:
    """One column of the table; `cell` says "" where nothing was measured."""

    title: str
    cell: Callable[[Summary], str]


COLUMNS = (
    Column("condition", lambda line: line.condition),
    Column("scans", lambda line: str(line.scans)),
    Column("discs", lambda line: str(line.discs)),
    Column("found %", lambda line: _share(line.found)),
    Column("named %", lambda line: _share(line.named)),
    Column("false/scan", lambda line: _figure(line.false)),
    Column("centre mm", lambda line: _figure(line.centre_mm)),
    Column("95th", lambda line: _number(line.centre_95_mm)),
    Column("across", lambda line: _number(line.lateral_mm)),
    Column("corner mm", lambda line: _figure(line.corner_mm)),
    Column("95th", lambda line: _number(line.corner_95_mm)),
    Column("S1 lower", lambda line: _number(line.s1_lower_mm)),
    Column("confid.", lambda line: _number(line.confidence)),
    Column("warned", lambda line: str(line.warned)),
    Column("refused", lambda line: str(line.refused)),
    Column("misnamed", lambda line: str(line.misnamed)),
    Column("unwarned", lambda line: str(line.unwarned)),
    Column("2nd right", lambda line: str(line.second_right)),
)

_CSV_COLUMNS = (
    *("group", "patient", "condition", "slice_mm", "discs", "found", "named", "false", "missed", "misnamed"),
    *("centre_error_mm", "worst_centre_error_mm", "across_error_mm", "corner_error_mm", "s1_lower_error_mm"),
    *("naming_confidence", "runner_up_shift", "runner_up_probability", "warnings", "refusal"),
)


def by_group(lines: Sequence[Summary]) -> list[tuple[str, list[Summary]]]:
    """The lines of each group, in their order."""
    return [(group, list(members)) for group, members in groupby(lines, key=lambda line: line.group)]


def heading(group: str, lines: Sequence[Summary]) -> str:
    """What stands over a group's lines."""
    return f"{group} ({max(line.patients for line in lines)})"


def cells_of(lines: Sequence[Summary]) -> list[list[str]]:
    """Titles, then a row of cells per line; columns in which nothing was measured are left out."""
    columns = [column for column in COLUMNS if any(column.cell(line) for line in lines)]
    return [[column.title for column in columns], *([column.cell(line) for column in columns] for line in lines)]


def table_text(lines: Sequence[Summary]) -> str:
    """Aligned plain text, a block per group."""
    blocks = []
    for group, members in by_group(lines):
        rows = cells_of(members)
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        text = ["  ".join(_aligned(row[k], widths[k], k == 0) for k in range(len(row))).rstrip() for row in rows]
        blocks.append("\n".join([heading(group, members), *text]))
    return "\n\n".join(blocks)


def outcomes_csv(outcomes: Sequence[Outcome]) -> str:
    """A row per scan and condition; empty cells where nothing was measured.

    Names of discs are joined by blanks, the misnamed as their own and the one given: `L4-L5=L3-L4`.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_CSV_COLUMNS)
    table.writerows(_row(outcome) for outcome in outcomes)
    return text.getvalue()


def _row(outcome: Outcome) -> list[str | int]:
    centre = [disc.centre_error_mm for disc in outcome.discs if disc.is_found]
    across = [disc.lateral_error_mm for disc in outcome.discs if disc.is_found]
    return [
        *(outcome.group, outcome.patient, outcome.condition, f"{outcome.slice_mm:.2f}"),
        *(len(outcome.discs), outcome.found, outcome.named, len(outcome.false)),
        *(" ".join(outcome.missed), " ".join(f"{own}={given}" for own, given in outcome.misnamed)),
        *(_median(centre), _number(max(centre, default=np.nan), 3), _median(across)),
        *(_median(outcome.corner_errors_mm), _median(outcome.s1_lower_errors_mm)),
        *(_number(outcome.confidence, 4), *_runner_up(outcome)),
        *(" ".join(outcome.warnings), outcome.refusal or ""),
    ]


def _runner_up(outcome: Outcome) -> tuple[str, str]:
    if outcome.runner_up is None:
        return "", ""
    shift, probability = outcome.runner_up
    return f"{shift:+d}", f"{probability:.4f}"


def _median(values: Sequence[float]) -> str:
    return f"{np.median(values):.3f}" if len(values) else ""


def _share(estimate: Estimate) -> str:
    if np.isnan(estimate.value):
        return ""
    return f"{100 * estimate.value:.1f} ({100 * estimate.low:.1f}-{100 * estimate.high:.1f})"


def _figure(estimate: Estimate) -> str:
    return "" if np.isnan(estimate.value) else f"{estimate.value:.2f} ({estimate.low:.2f}-{estimate.high:.2f})"


def _number(value: float, decimals: int = 2) -> str:
    return "" if np.isnan(value) else f"{value:.{decimals}f}"


def _aligned(text: str, width: int, is_first: bool) -> str:
    return text.ljust(width) if is_first else text.rjust(width)
