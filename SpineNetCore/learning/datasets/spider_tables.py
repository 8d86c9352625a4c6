"""SPIDER's two tables, the same in both layouts: what readers said of every disc, and what each series is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.learning.datasets.graded_scans import DiscLabel
from SpineNetCore.learning.datasets.tables import TableRow, read_table

GRADINGS_FILE, OVERVIEW_FILE = "radiological_gradings.csv", "overview.csv"

UNCLEAR_PATIENTS = frozenset({35, 55, 57, 64, 98, 107, 118, 152})
"""Mask and grade counts disagree."""

_TRANSITIONAL = 0
_HIGHEST_DISC = 20
_GRADE_COLUMNS = ("Modic", "UP endplate", "LOW endplate", "Disc narrowing", "Pfirrman grade")


@dataclass(frozen=True)
class Series:
    """One series of the overview; kind: `t1`, `t2` or `t2_SPACE`. spacing_mm: of its pixels. discs: in view.

    is_validation: of SPIDER's own validation subset.
    """

    patient: int
    kind: str
    spacing_mm: float
    discs: int
    is_validation: bool


@dataclass(frozen=True)
class PatientLabels:
    """labels: of the discs with a level of their own. rows: how many the table grades, transitional ones apart."""

    labels: dict[str, DiscLabel]
    rows: int


def patient_labels(folder: Path) -> dict[int, PatientLabels]:
    """What is known of every patient whose grades can be told apart; those in `UNCLEAR_PATIENTS` are left out.

    SPIDER tells narrowing only as absent or present, and Modic change without its side: present narrowing admits 2, 3
    and 4; marrow change on an unknown side leaves both marrow tasks open. Label 0 is a transitional disc, left out.
    """
    found: dict[int, dict[int, TableRow]] = {}
    for row in read_table(folder / GRADINGS_FILE, ("Patient", "IVD label", *_GRADE_COLUMNS)):
        patient, label = _patient(row), row.number("IVD label", range(_HIGHEST_DISC + 1))
        if label is None:
            raise row.fault("IVD label is empty", "write the disc's number, 1 for L5-S1")
        earlier = found.setdefault(patient, {}).setdefault(label, row)
        if earlier is not row:
            raise row.fault(
                f"disc {label} of patient {patient} was graded on line {earlier.line}", "delete one of the two"
            )
    return {patient: _of_patient(rows) for patient, rows in found.items() if patient not in UNCLEAR_PATIENTS}


def read_series(folder: Path) -> dict[str, Series]:
    """The overview by series name, such as `12_t2`. Its quirks are trailing blanks and lists as strings."""
    columns = ("new_file_name", "num_discs", "PixelSpacing")
    return {series_name(one): one for one in _series(read_table(folder / OVERVIEW_FILE, columns))}


def series_name(series: Series) -> str:
    """Name of a series' files without their ending."""
    return f"{series.patient}_{series.kind}"


def _series(rows: list[TableRow]) -> Iterator[Series]:
    for row in rows:
        patient, _, kind = row.required("new_file_name").partition("_")
        discs = row.number("num_discs", range(_HIGHEST_DISC + 1))
        if not patient.isdecimal() or discs is None:
            raise row.fault(
                f"series '{row['new_file_name']}' with '{row['num_discs']}' discs cannot be placed",
                "name it like 12_t2 and count its discs",
            )
        yield Series(int(patient), kind, _spacing_mm(row), discs, row["subset"] == "validation")


def _spacing_mm(row: TableRow) -> float:
    try:
        spacing_mm = float(ast.literal_eval(row["PixelSpacing"])[0])
    except (ValueError, SyntaxError, TypeError, IndexError):
        spacing_mm = 0.0
    if not 0 < spacing_mm < 10:
        raise row.fault(f"PixelSpacing is '{row['PixelSpacing']}'", "write two millimetres such as [0.625, 0.625]")
    return spacing_mm


def _patient(row: TableRow) -> int:
    text = row.required("Patient").removesuffix(".0")
    if not text.isdecimal():
        raise row.fault(f"Patient is '{text}'", "write the patient's number")
    return int(text)


def _of_patient(rows: dict[int, TableRow]) -> PatientLabels:
    labels = {DISC_LEVELS[-number]: _label(row) for number, row in rows.items() if 1 <= number <= len(DISC_LEVELS)}
    return PatientLabels(labels, sum(number != _TRANSITIONAL for number in rows))


def _label(row: TableRow) -> DiscLabel:
    """SPIDER's upper endplate is that of the body below the disc, so that it lies below the disc: a lower one here.

    Its lower one is the body's above. Their table does not say so: the dents do, on discs with one of the two alone.
    """
    pfirrmann = row.number("Pfirrman grade", Task.PFIRRMANN.grades)
    narrowed = row.number("Disc narrowing", (0, 1))
    modic = row.number("Modic", range(4))
    known = {
        Task.PFIRRMANN: frozenset() if pfirrmann is None else frozenset({pfirrmann}),
        Task.NARROWING: frozenset() if narrowed is None else frozenset({2, 3, 4} if narrowed else {1}),
        Task.UPPER_ENDPLATE: _defect(row, "LOW endplate"),
        Task.LOWER_ENDPLATE: _defect(row, "UP endplate"),
        Task.UPPER_MARROW: frozenset({0} if modic == 0 else ()),
        Task.LOWER_MARROW: frozenset({0} if modic == 0 else ()),
    }
    return DiscLabel({task: grades for task, grades in known.items() if grades}, marrow_changed=bool(modic))


def _defect(row: TableRow, column: str) -> frozenset[int]:
    """Any endplate label above 0 is a defect."""
    found = row.number(column, range(4))
    return frozenset() if found is None else frozenset({int(found > 0)})
