"""The figures as text: an aligned table for people, and tidy tables for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from SpineNetCore.agreement import recalls
from SpineNetCore.anatomy import Task
from SpineNetCore.learning.bootstrap import UNKNOWN
from SpineNetCore.learning.datasets.graded_scans import DiscLabel
from SpineNetCore.learning.figure_text import aligned, csv_text, figure_cell, number_cell, share_cell
from SpineNetCore.learning.grading.measures import MEASURES
from SpineNetCore.learning.grading.running import GradedDisc
from SpineNetCore.learning.grading.summary import Figure, Line


@dataclass(frozen=True)
class Column:
    """One column of the table; `cell` says "" where nothing was measured."""

    title: str
    cell: Callable[[Line], str]


def _share(title: str, figure: Figure) -> Column:
    return Column(title, lambda line: share_cell(line.figures.get(figure, UNKNOWN)))


def _figure(title: str, figure: Figure) -> Column:
    return Column(title, lambda line: figure_cell(line.figures.get(figure, UNKNOWN)))


COLUMNS = (
    Column("task", lambda line: line.measure.title),
    Column("discs", lambda line: str(line.discs)),
    _share("balanced %", Figure.BALANCED),
    _share("accuracy %", Figure.ACCURACY),
    _share("within 1 %", Figure.WITHIN_ONE),
    _figure("kappa", Figure.KAPPA),
    _figure("NLL", Figure.LOSS),
    _figure("scaled", Figure.SCALED_LOSS),
    _share("ECE %", Figure.ERROR),
    _share("scaled", Figure.SCALED_ERROR),
    Column("temp.", lambda line: number_cell(line.temperature)),
)

_TIDY = ("group", "task", "figure", "truth", "given", "value", "low", "high")


def by_group(lines: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    """A heading and the lines of each group, in their order."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.group, []).append(line)
    return [(f"{group} ({_patients(members)})", members) for group, members in groups.items()]


def cells_of(lines: Sequence[Line]) -> list[list[str]]:
    """Titles, then a row of cells per line; columns in which nothing was measured are left out."""
    columns = [column for column in COLUMNS if any(column.cell(line) for line in lines)]
    return [[column.title for column in columns], *([column.cell(line) for column in columns] for line in lines)]


def table_text(lines: Sequence[Line]) -> str:
    """Aligned plain text, a block per group."""
    return "\n\n".join("\n".join([heading, *aligned(cells_of(members))]) for heading, members in by_group(lines))


def figures_csv(lines: Sequence[Line]) -> str:
    """A row per figure, in [0, 1] where it is a share, with its interval where it has one.

    Beside the names of `Figure`: patients, discs, temperature, `recall` of every true grade, and `count` of discs of
    every true and given grade.
    """
    return csv_text(_TIDY, (row for line in lines for row in _tidy_rows(line)))


def discs_csv(discs: Sequence[GradedDisc]) -> str:
    """A row per disc: its truth, several admitted grades joined by `|`, and the probabilities as reported."""
    chances = [f"{task.value}_p{grade}" for task in Task for grade in task.grades]
    truths = [f"{task.value}_truth" for task in Task]
    header = ("group", "split", "patient", "scan", "level", *truths, "any_marrow_truth", *chances)
    return csv_text(header, (_disc_row(disc) for disc in discs))


def _patients(lines: Sequence[Line]) -> str:
    count = len(frozenset().union(*(line.patients for line in lines)))
    return f"{count} patient" if count == 1 else f"{count} patients"


def _tidy_rows(line: Line) -> Iterator[list[object]]:
    start = [line.group, line.measure.name]
    yield [*start, "patients", "", "", len(line.patients), "", ""]
    yield [*start, "discs", "", "", line.discs, "", ""]
    for figure, estimate in line.figures.items():
        numbers = (number_cell(value, 4) for value in (estimate.value, estimate.low, estimate.high))
        yield [*start, figure.value, "", "", *numbers]
    if number_cell(line.temperature):
        yield [*start, "temperature", "", "", number_cell(line.temperature, 4), "", ""]
    grades = line.measure.grades
    for truth, recall, row in zip(grades, recalls(line.counts), line.counts, strict=True):
        yield [*start, "recall", truth, "", number_cell(float(recall), 4), "", ""]
        for given, count in zip(grades, row, strict=True):
            yield [*start, "count", truth, given, int(count), "", ""]


def _disc_row(disc: GradedDisc) -> list[object]:
    any_marrow = _MARROW.truth(disc.label)
    return [
        *(disc.group, disc.split.value, disc.patient, disc.scan, disc.level),
        *(_admitted(disc.label, task) for task in Task),
        "" if any_marrow is None else any_marrow,
        *(f"{chance:.6f}" for task in Task for chance in disc.chances[task]),
    ]


_MARROW = next(measure for measure in MEASURES if measure.name == "any_marrow")


def _admitted(label: DiscLabel, task: Task) -> str:
    return "|".join(str(grade) for grade in sorted(label.grades.get(task, frozenset())))
