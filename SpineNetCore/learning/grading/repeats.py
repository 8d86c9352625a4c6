"""What two models of one recipe agree on: the mean and the standard deviation of their figures, as in Table 2.

Section 5 trains two models for each experiment, swapping validation and test: each is measured on patients that it
was neither trained on nor watched by, so that the two measure on different ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from SpineNetCore.learning.figure_text import aligned, csv_text, number_cell
from SpineNetCore.learning.grading.measures import Measure
from SpineNetCore.learning.grading.summary import Figure, Line

FIGURES = (Figure.BALANCED, Figure.ACCURACY, Figure.WITHIN_ONE, Figure.KAPPA)
_TITLES = {
    Figure.BALANCED: "balanced %",
    Figure.ACCURACY: "accuracy %",
    Figure.WITHIN_ONE: "within 1 %",
    Figure.KAPPA: "kappa",
}
_TIDY = ("branch_point", "group", "task", "figure", "first", "second", "mean", "standard_deviation")


@dataclass(frozen=True)
class Spread:
    """The figures of two models. ours: their standard deviation is that of a sample of two, |a - b| / sqrt(2)."""

    first: float
    second: float

    @property
    def mean(self) -> float:
        return (self.first + self.second) / 2

    @property
    def deviation(self) -> float:
        return float(abs(self.first - self.second) / np.sqrt(2))


@dataclass(frozen=True)
class Repeat:
    """One measure of one group, by both models; discs: those that each was measured on."""

    group: str
    measure: Measure
    discs: tuple[int, int]
    spreads: Mapping[Figure, Spread]


Table = list[list[str]]


def repeats(first: Sequence[Line], second: Sequence[Line]) -> list[Repeat]:
    """The measures that could be taken of both models, in the first one's order."""
    others = {(line.group, line.measure.name): line for line in second}
    pairs = [(line, others[key]) for line in first if (key := (line.group, line.measure.name)) in others]
    return [Repeat(one.group, one.measure, (one.discs, other.discs), _spreads(one, other)) for one, other in pairs]


def figure_tables(repeated: Sequence[Repeat]) -> list[tuple[str, Table]]:
    """Per group a heading and a table: titles, then a row per measure and a column per figure."""
    titles = ["task", "discs", *(_TITLES[figure] for figure in FIGURES)]
    return [
        (group, [titles, *([one.measure.title, _discs(one), *(_cell(one, f) for f in FIGURES)] for one in members)])
        for group, members in _by_group(repeated)
    ]


def point_tables(by_point: Mapping[str, Sequence[Repeat]]) -> list[tuple[str, Table]]:
    """Per group a heading and Table 2: titles, then a row per measure with the balanced accuracies of every point."""
    every = [one for of_point in by_point.values() for one in of_point]
    places = {(point, one.group, one.measure.name): one for point, members in by_point.items() for one in members}
    tables = []
    for group, members in _by_group(every):
        measures = {one.measure.name: one.measure.title for one in members}
        rows = [
            [title, *(_cell(places.get((point, group, name)), Figure.BALANCED) for point in by_point)]
            for name, title in measures.items()
        ]
        tables.append((f"{group}, balanced accuracy %", [["task", *by_point], *rows]))
    return tables


def tables_text(tables: Sequence[tuple[str, Table]]) -> str:
    """Aligned plain text, a block per table."""
    return "\n\n".join("\n".join([heading, *aligned(cells)]) for heading, cells in tables)


def repeats_csv(by_point: Mapping[str, Sequence[Repeat]]) -> str:
    """A row per branch point, measure and figure, in [0, 1] where it is a share."""
    return csv_text(_TIDY, (row for point, repeated in by_point.items() for row in _tidy_rows(point, repeated)))


def _spreads(first: Line, second: Line) -> dict[Figure, Spread]:
    return {
        figure: Spread(first.figures[figure].value, second.figures[figure].value)
        for figure in FIGURES
        if figure in first.figures and figure in second.figures
    }


def _by_group(repeated: Sequence[Repeat]) -> list[tuple[str, list[Repeat]]]:
    return [
        (group, [one for one in repeated if one.group == group]) for group in dict.fromkeys(r.group for r in repeated)
    ]


def _discs(repeat: Repeat) -> str:
    return " + ".join(str(count) for count in repeat.discs)


def _cell(repeat: Repeat | None, figure: Figure) -> str:
    spread = None if repeat is None else repeat.spreads.get(figure)
    if spread is None:
        return ""
    scale, decimals = (1, 2) if figure is Figure.KAPPA else (100, 1)
    return f"{scale * spread.mean:.{decimals}f} ± {scale * spread.deviation:.{decimals}f}"


def _tidy_rows(point: str, repeated: Sequence[Repeat]) -> Iterator[list[str]]:
    for one in repeated:
        for figure, spread in one.spreads.items():
            values = (spread.first, spread.second, spread.mean, spread.deviation)
            yield [point, one.group, one.measure.name, figure.value, *(number_cell(value, 4) for value in values)]
