"""Figures as people and programs read them: cells, aligned tables, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np

from SpineNetCore.learning.bootstrap import Estimate

INTERVALS_NOTE = (
    "Beside or below a figure: its 95 % bootstrap interval over patients, of whom one alone has none. Where nothing "
    "failed it says nothing; n patients without a failure leave room for failures in up to 3/n of patients (rule of "
    "three)."
)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """A line per row, the first column flush left and the others flush right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  ".join(cell.rjust(width) if k else cell.ljust(width) for k, (cell, width) in enumerate(pairs)).rstrip()
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]


def share_cell(estimate: Estimate) -> str:
    """Per cent, with the interval; empty where nothing was measured."""
    per_cent = Estimate(100 * estimate.value, 100 * estimate.low, 100 * estimate.high)
    return figure_cell(per_cent, decimals=1)


def figure_cell(estimate: Estimate, decimals: int = 2) -> str:
    """The figure with its interval, where it has one; empty where nothing was measured."""
    value, low, high = (number_cell(part, decimals) for part in (estimate.value, estimate.low, estimate.high))
    dash = " to " if estimate.low < 0 else "-"
    return f"{value} ({low}{dash}{high})" if low else value


def number_cell(value: float, decimals: int = 2) -> str:
    """Empty for NaN."""
    return "" if np.isnan(value) else f"{value:.{decimals}f}"


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A comma-separated table with line feeds alone."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return text.getvalue()
