"""Two tables of grades side by side: two readers, or a reader and the scores of an analysis."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import DiscLabel
from SpineNetCore.learning.datasets.manifest import label_of, level_of
from SpineNetCore.learning.datasets.tables import TableRow, read_table

_GRADE_COLUMNS = (*(task.value for task in Task), "any_marrow")

_ALIKE = 0.85
"""How alike two names of columns are, of 1, where one is the other misspelt. ours."""


@dataclass(frozen=True)
class LabelPair:
    """What two tables say of the same disc."""

    patient: str
    first: DiscLabel
    second: DiscLabel


def paired_labels(first: Path, second: Path) -> list[LabelPair]:
    """The discs that stand in both tables, in the first one's order; raises InputError where there are none.

    Tables need a column `level` and one of a task or `any_marrow`: manifests, and the `scores.csv` of a result. Discs
    are matched by level and by `scan`, its path from the table's folder or else as it is written. A table without that
    column is of one scan and goes with another of one scan alone. Patients are named by the first table.
    """
    ours, theirs = _read(first), _read(second)
    for path, table, other in ((first, ours, theirs), (second, theirs, ours)):
        if not table.tells_scans and len(other.scans) > 1:
            raise InputError(
                f"'{path}' has no column 'scan' to tell the {len(other.scans)} scans of the other table apart: add it."
            )
    pairs = _matched(ours, theirs)
    if not pairs:
        raise InputError(
            f"No disc stands in both '{first}' and '{second}': check that their columns scan and level name the same "
            "discs."
        )
    return pairs


@dataclass(frozen=True)
class _Row:
    scan: str
    written_scan: str
    level: str
    patient: str
    label: DiscLabel


@dataclass(frozen=True)
class _Table:
    rows: tuple[_Row, ...]
    tells_scans: bool

    @property
    def scans(self) -> set[str]:
        return {row.scan for row in self.rows}


def _read(path: Path) -> _Table:
    rows = read_table(path, ("level",))
    if not rows or not set(rows[0].cells) & set(_GRADE_COLUMNS):
        raise InputError(f"'{path}' grades no disc: give it rows and one of the columns {', '.join(_GRADE_COLUMNS)}.")
    _check_spelling(path, rows[0].cells)
    read: dict[tuple[str, str], TableRow] = {}
    found = []
    for row in rows:
        one = _Row(_scan(row), row["scan"], level_of(row), row["patient"] or row["scan"], label_of(row))
        earlier = read.setdefault((one.scan, one.level), row)
        if earlier is not row:
            raise row.fault(f"{one.level} was graded on line {earlier.line}", "keep one row per disc")
        found.append(one)
    return _Table(tuple(found), "scan" in rows[0].cells)


def _check_spelling(path: Path, columns: Collection[str]) -> None:
    """Other columns are other programs' business, but a grade's own name misspelt would go by unseen."""
    for column in columns:
        name = column.lower()
        meant = get_close_matches(name, set(_GRADE_COLUMNS) - set(columns), n=1, cutoff=_ALIKE)
        if meant and not name.startswith(f"{meant[0]}_") and not name.endswith(f"_{meant[0]}"):
            raise InputError(f"'{path}' has a column '{column}', perhaps for '{meant[0]}': call it so, or otherwise.")


def _scan(row: TableRow) -> str:
    """Where the scan lies, whether or not it is still there."""
    if "scan" not in row.cells:
        return ""
    return str(row.place("scan"))


def _matched(ours: _Table, theirs: _Table) -> list[LabelPair]:
    if not (ours.tells_scans and theirs.tells_scans):
        return _joined(ours, theirs, lambda row: "")
    return _joined(ours, theirs, lambda row: row.scan) or _joined(ours, theirs, lambda row: row.written_scan)


def _joined(ours: _Table, theirs: _Table, scan_of: Callable[[_Row], str]) -> list[LabelPair]:
    known = {(scan_of(row), row.level): row.label for row in theirs.rows}
    return [
        LabelPair(row.patient, row.label, known[scan_of(row), row.level])
        for row in ours.rows
        if (scan_of(row), row.level) in known
    ]
