"""Tables as people keep them: rows that know where they stand, so that a fault can be found and mended."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from SpineNetCore.errors import InputError


@dataclass(frozen=True)
class TableRow:
    """One row of a table; cells without the blanks around them; line: in the file, the header being line 1."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """The cell; empty where the table has no such column."""
        return self.cells.get(column, "")

    def required(self, column: str) -> str:
        """The cell; raises InputError where it is empty."""
        if not self[column]:
            raise self.fault(f"{column} is empty", "fill it in")
        return self[column]

    def numbers(self, column: str, allowed: Collection[int]) -> frozenset[int]:
        """Whole numbers joined by `|`; none for an empty cell, InputError for any that is not allowed."""
        parts = [part.strip() for part in self[column].split("|")] if self[column] else []
        found = frozenset(int(part.removesuffix(".0")) for part in parts if part.removesuffix(".0").isdecimal())
        if len(found) < len(parts) or not found <= set(allowed):
            choice = ", ".join(str(number) for number in sorted(allowed))
            raise self.fault(
                f"{column} is '{self[column]}'", f"write one of {choice}, several joined by '|', or nothing"
            )
        return found

    def number(self, column: str, allowed: Collection[int]) -> int | None:
        """One whole number; None for an empty cell, InputError for any that is not allowed."""
        found = self.numbers(column, allowed)
        if len(found) > 1:
            raise self.fault(f"{column} is '{self[column]}'", "write one number or nothing")
        return next(iter(found), None)

    def place(self, column: str) -> Path:
        """The path in a cell, from the table's folder; raises InputError where its text can be no path."""
        try:
            place = (self.path.parent / self.required(column)).resolve()
            place.exists()  # the system refuses names that resolve() takes
        except (OSError, ValueError) as error:
            raise self.fault(f"{column} '{self[column][:60]}' is no path ({error})", "correct it") from error
        return place

    def fault(self, what: str, remedy: str) -> InputError:
        """The error to raise for this row."""
        return InputError(f"'{self.path}', line {self.line}: {what}: {remedy}.")


def read_table(path: Path, required: Sequence[str], known: Collection[str] | None = None) -> list[TableRow]:
    """The rows of a comma-separated UTF-8 table; raises InputError where it is no such table or lacks a column.

    known: all columns that it may have beside the required ones; None lets it have any.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_rows(path, file, required, known))
    except FileNotFoundError as error:
        raise InputError(f"'{path}' does not exist: give the table of labels.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' cannot be read ({error}): save it as comma-separated text in UTF-8.") from error


def _rows(
    path: Path, lines: Iterator[str], required: Sequence[str], known: Collection[str] | None
) -> Iterator[TableRow]:
    numbered = _numbered(path, lines)
    header = [name.strip() for name in next(numbered, (1, []))[1]]
    _check_header(path, header, required, known)
    for line, cells in numbered:
        row = TableRow(path, line, dict(zip(header, (cell.strip() for cell in cells), strict=False)))
        if len(cells) > len(header) or 0 < len(cells) < len(header):
            raise row.fault(f"{len(cells)} cells under {len(header)} columns", "give every column one cell")
        if any(row.cells.values()):
            yield row


def _numbered(path: Path, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Every row's last line, counted from 1, and its cells."""
    reader = csv.reader(lines, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(
            f"'{path}', line {reader.line_num}: it is not comma-separated ({error}): close every quotation mark that "
            "opens a cell, and double those inside it."
        ) from error


def _check_header(path: Path, header: list[str], required: Sequence[str], known: Collection[str] | None) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise InputError(f"'{path}' separates its cells by semicolons: save it with commas.")
    missing = [name for name in required if name not in header]
    if missing:
        raise InputError(f"'{path}' has no column '{missing[0]}': its first line must name {', '.join(required)}.")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise InputError(f"'{path}' has the column '{twice[0]}' more than once: keep one.")
    strange = [name for name in header if known is not None and name not in (*required, *known)]
    if strange:
        raise InputError(
            f"'{path}' has a column '{strange[0]}' that nobody knows: use {', '.join((*required, *(known or ())))}."
        )
