"""A table of one's own labels: one row per disc, saying in which scan it is and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import DiscLabel, GradedScan, ScanFile, Split
from SpineNetCore.learning.datasets.tables import TableRow, read_table
from SpineNetCore.level_names import disc_named

REQUIRED_COLUMNS = ("scan", "patient", "level")
OPTIONAL_COLUMNS = (*(task.value for task in Task), "any_marrow", "split")

_NORMAL, _CHANGED = frozenset({0}), frozenset({1})
_MARROW = (Task.UPPER_MARROW, Task.LOWER_MARROW)


def manifest_scans(path: Path) -> list[GradedScan]:
    """The scans of a manifest in the order of their first rows; raises InputError that names the row at fault.

    Columns as `REQUIRED_COLUMNS` and `OPTIONAL_COLUMNS`. `scan` is relative to the manifest's folder; an empty grade is
    missing, `2|3|4` is one of these; `any_marrow` 1 or 0 tells whether the marrow of either side is changed.
    """
    rows = read_table(path, REQUIRED_COLUMNS, OPTIONAL_COLUMNS)
    if not rows:
        raise InputError(f"'{path}' grades no disc: add a row for every one.")
    by_scan: dict[Path, list[TableRow]] = {}
    for row in rows:
        by_scan.setdefault(_scan_path(row), []).append(row)
    _check_splits(rows)
    scans = [_graded_scan(scan, of_scan) for scan, of_scan in by_scan.items()]
    if not any(label.tells_something for scan in scans for label in scan.labels.values()):
        raise InputError(
            f"'{path}' grades no disc: fill in one of the columns {', '.join(OPTIONAL_COLUMNS[:-1])}, with fewer than "
            "all grades of a task."
        )
    return scans


def _scan_path(row: TableRow) -> Path:
    path = row.place("scan")
    if not path.exists():
        raise row.fault(f"there is no scan '{path}'", "give its path from the folder of this table")
    return path


def _check_splits(rows: Sequence[TableRow]) -> None:
    first: dict[str, TableRow] = {}
    for row in rows:
        split, patient = _split(row), row.required("patient")
        if split is not None and _split(first.setdefault(patient, row)) is not split:
            earlier = first[patient]
            raise row.fault(
                f"patient '{patient}' is in '{row['split']}' here and in '{earlier['split']}' on line {earlier.line}",
                "put every patient into one split",
            )


def _split(row: TableRow) -> Split | None:
    names = [split.value for split in Split]
    if row["split"] and row["split"] not in names:
        raise row.fault(f"split is '{row['split']}'", f"write {', '.join(names)} or nothing")
    return Split(row["split"]) if row["split"] else None


def _graded_scan(scan: Path, rows: list[TableRow]) -> GradedScan:
    first = rows[0]
    by_level: dict[str, TableRow] = {}
    for row in rows:
        if row["patient"] != first["patient"]:
            raise row.fault(
                f"the scan of patient '{row['patient']}' is that of patient '{first['patient']}' on line {first.line}",
                "give every scan to one patient",
            )
        by_level[_level(row, by_level)] = row
    labels = {level: label for level, row in by_level.items() if (label := label_of(row)).tells_something}
    split = next((split for split in map(_split, rows) if split is not None), None)
    return GradedScan(first["patient"], first.path, ScanFile(scan), labels, split)


def level_of(row: TableRow) -> str:
    """The graded disc that a row is of, in any usual spelling."""
    level = disc_named(row.required("level"))
    if level not in DISC_LEVELS:
        raise row.fault(f"level is '{row['level']}'", f"write one of {', '.join(DISC_LEVELS)}")
    return level


def _level(row: TableRow, earlier: dict[str, TableRow]) -> str:
    level = level_of(row)
    if level in earlier:
        same = row.cells == earlier[level].cells
        raise row.fault(
            f"it repeats line {earlier[level].line}" if same else f"{level} was graded on line {earlier[level].line}",
            "delete one of the two" if same else "keep one row per disc, with several grades joined by '|'",
        )
    return level


def label_of(row: TableRow) -> DiscLabel:
    """What the columns of the tasks and `any_marrow` say of one disc; raises InputError where they contradict."""
    known = {task: row.numbers(task.value, task.grades) for task in Task}
    grades = {task: admitted for task, admitted in known.items() if 0 < len(admitted) < len(task.grades)}
    any_marrow = row.number("any_marrow", (0, 1))
    if any_marrow is None:
        return DiscLabel(grades)
    return _with_any_marrow(row, grades, bool(any_marrow))


def _with_any_marrow(row: TableRow, grades: dict[Task, frozenset[int]], is_changed: bool) -> DiscLabel:
    """What the sides and the sentence on both together say: one normal side leaves the change to the other."""
    sides = [grades.get(task) for task in _MARROW]
    if not is_changed:
        if _CHANGED in sides:
            raise row.fault("any_marrow is 0 beside a changed side", "make them agree")
        return DiscLabel(grades | dict.fromkeys(_MARROW, _NORMAL))
    if sides == [_NORMAL, _NORMAL]:
        raise row.fault("any_marrow is 1 beside two normal sides", "make them agree")
    if _NORMAL in sides:
        return DiscLabel(grades | {_MARROW[1 - sides.index(_NORMAL)]: _CHANGED})
    return DiscLabel(grades, marrow_changed=_CHANGED not in sides)
