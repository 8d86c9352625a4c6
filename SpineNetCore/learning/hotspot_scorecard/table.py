"""The scorecard as text: aligned blocks for people, and a row per map for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SpineNetCore.learning.bootstrap import Estimate
from SpineNetCore.learning.figure_text import aligned, csv_text, figure_cell, number_cell
from SpineNetCore.learning.hotspot_scorecard.running import REPEATED, Reading
from SpineNetCore.learning.hotspot_scorecard.sanity import LAYERS_FROM_TOP
from SpineNetCore.learning.hotspot_scorecard.summary import MEASURES, CheckLine, Lead, Line

NOTE = (
    "In brackets: 95 % bootstrap interval over phantoms or patients, of which one alone has none. "
    "'ahead by' is the mean difference, on the same true positives, of ours with most views "
    "to the best other method for that figure."
)

_CSV_COLUMNS = (
    *("patient", "level", "task", "method", "points", "points_in_plane", "energy_ratio", "iou", "auprc"),
    *("right_half", "points_right", "fall"),
)


@dataclass(frozen=True)
class Summary:
    """Every line of the scorecard.

    knows_lesions: as of phantoms. Without, only their surroundings are known.
    """

    lines: tuple[Line, ...]
    leads: tuple[Lead, ...]
    checks: tuple[CheckLine, ...]
    knows_lesions: bool = True


@dataclass(frozen=True)
class Block:
    """One table: what stands over it, its column titles, and its rows, the first cell being the row's name."""

    heading: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def blocks_of(summary: Summary) -> list[Block]:
    """A table per group of tasks, and one of repeatability and sanity where they were checked."""
    leads = {lead.group: lead for lead in summary.leads}
    blocks = []
    for group in dict.fromkeys(line.group for line in summary.lines):
        lines = [line for line in summary.lines if line.group == group]
        blocks.append(_block(group, lines, leads.get(group), summary.knows_lesions))
    return [*blocks, _checks_block(summary.checks)] if summary.checks else blocks


def table_text(summary: Summary) -> str:
    """Aligned plain text."""
    blocks = blocks_of(summary)
    return "\n\n".join("\n".join([block.heading, *aligned([block.titles, *block.rows])]) for block in blocks)


def readings_csv(readings: Sequence[Reading], *, knows_lesions: bool) -> str:
    """A row per map; empty cells where a figure has no meaning. knows_lesions: see `Summary`."""
    return csv_text(_CSV_COLUMNS, (_csv_row(reading, knows_lesions) for reading in readings))


def _block(group: str, lines: Sequence[Line], lead: Lead | None, knows_lesions: bool) -> Block:
    """Measures that no line of the group has, or that need lesions that are not known, are left out."""
    kept = [
        k
        for k, measure in enumerate(MEASURES)
        if measure.is_known(knows_lesions) and any(not np.isnan(line.figures[k].value) for line in lines)
    ]
    rows = [(line.method, *(figure_cell(line.figures[k]) for k in kept)) for line in lines]
    if lead is not None:
        rows.append(("ahead by", *(_difference(lead.figures[k]) for k in kept)))
    titles = ("method", *(MEASURES[k].title for k in kept))
    return Block(f"{group}: {lines[0].maps} true positives", titles, tuple(rows))


def _checks_block(lines: Sequence[CheckLine]) -> Block:
    checks = [check for check in (REPEATED, *LAYERS_FROM_TOP) if any(check in line.figures for line in lines)]
    rows = [
        (line.method, *(figure_cell(line.figures[c]) if c in line.figures else "" for c in checks)) for line in lines
    ]
    heading = "How alike a map is to that of another seed, and to itself once layers are undone down to conv1"
    return Block(heading, ("method", *checks), tuple(rows))


def _difference(estimate: Estimate) -> str:
    if np.isnan(estimate.value):
        return ""
    interval = "" if np.isnan(estimate.low) else f" ({estimate.low:+.2f} to {estimate.high:+.2f})"
    return f"{estimate.value:+.2f}{interval}"


def _csv_row(reading: Reading, knows_lesions: bool) -> list[str]:
    names = (reading.patient, reading.level, reading.task.value, reading.method)
    figures = (measure.of(reading) if measure.is_known(knows_lesions) else np.nan for measure in MEASURES)
    return [*names, *(number_cell(figure, 4) for figure in figures)]
