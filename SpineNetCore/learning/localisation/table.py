"""The figures as text: an aligned table for people, and a row per scan and condition for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from SpineNetCore.learning.figure_text import aligned, csv_text, figure_cell, number_cell, share_cell
from SpineNetCore.learning.localisation.measures import Outcome
from SpineNetCore.learning.localisation.summary import Summary


@dataclass(frozen=True)
class Column:
    """One column of the table; `cell` says "" where nothing was measured."""

    title: str
    cell: Callable[[Summary], str]


COLUMNS = (
    Column("condition", lambda line: line.condition),
    Column("scans", lambda line: str(line.scans)),
    Column("discs", lambda line: str(line.discs)),
    Column("found %", lambda line: share_cell(line.found)),
    Column("named %", lambda line: share_cell(line.named)),
    Column("false/scan", lambda line: figure_cell(line.false)),
    Column("centre mm", lambda line: figure_cell(line.centre_mm)),
    Column("95th", lambda line: number_cell(line.centre_95_mm)),
    Column("across", lambda line: number_cell(line.lateral_mm)),
    Column("corner mm", lambda line: figure_cell(line.corner_mm)),
    Column("95th", lambda line: number_cell(line.corner_95_mm)),
    Column("S1 lower", lambda line: number_cell(line.s1_lower_mm)),
    Column("confid.", lambda line: number_cell(line.confidence)),
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
        blocks.append("\n".join([heading(group, members), *aligned(cells_of(members))]))
    return "\n\n".join(blocks)


def outcomes_csv(outcomes: Sequence[Outcome]) -> str:
    """A row per scan and condition; empty cells where nothing was measured.

    Names of discs are joined by blanks, the misnamed as their own and the one given: `L4-L5=L3-L4`.
    """
    return csv_text(_CSV_COLUMNS, (_row(outcome) for outcome in outcomes))


def _row(outcome: Outcome) -> list[str | int]:
    centre = [disc.centre_error_mm for disc in outcome.discs if disc.is_found]
    across = [disc.lateral_error_mm for disc in outcome.discs if disc.is_found]
    return [
        *(outcome.group, outcome.patient, outcome.condition, f"{outcome.slice_mm:.2f}"),
        *(len(outcome.discs), outcome.found, outcome.named, len(outcome.false)),
        *(" ".join(outcome.missed), " ".join(f"{own}={given}" for own, given in outcome.misnamed)),
        *(_median(centre), number_cell(max(centre, default=np.nan), 3), _median(across)),
        *(_median(outcome.corner_errors_mm), _median(outcome.s1_lower_errors_mm)),
        *(number_cell(outcome.confidence, 4), *_runner_up(outcome)),
        *(" ".join(outcome.warnings), outcome.refusal or ""),
    ]


def _runner_up(outcome: Outcome) -> tuple[str, str]:
    if outcome.runner_up is None:
        return "", ""
    shift, probability = outcome.runner_up
    return f"{shift:+d}", f"{probability:.4f}"


def _median(values: Sequence[float]) -> str:
    return f"{np.median(values):.3f}" if len(values) else ""
