"""Points that a reader set in 3D Slicer, one in each disc, named by the disc's level."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from SpineNetCore.anatomy import Point
from SpineNetCore.errors import InputError
from SpineNetCore.level_names import disc_named

_RAS_FROM = {"LPS": np.array([-1.0, -1.0, 1.0]), "RAS": np.ones(3)}
_OLD_NUMBERS = {"0": "RAS", "1": "LPS"}
_FCSV_COLUMNS = 12
_NOT_SET = ("undefined", "preview", "missing")
_FCSV_STATUS, _FCSV_NOT_SET = 14, ("0", "1", "3")
"""The column that newer versions add, and what stands in it for the same."""


@dataclass(frozen=True)
class _Mark:
    label: str
    position: Any
    coordinate_system: str


def points_from_markups(content: dict[str, Any], path: Path) -> dict[str, Point]:
    """RAS millimetres of every disc marked in a parsed `.mrk.json`, by level.

    Points that Slicer lists without a place are passed over. Raises InputError where a point cannot be read or named.
    """
    marks = []
    for markup in _dicts(content.get("markups"), path):
        units = markup.get("coordinateUnits", "mm")
        if units not in ("mm", ["mm", "mm", "mm"]):
            raise InputError(f"'{path}' places its points in {units!r}: save them in mm.")
        for point in _dicts(markup.get("controlPoints", []), path):
            if point.get("positionStatus") not in _NOT_SET:
                system = str(markup.get("coordinateSystem"))
                marks.append(_Mark(str(point.get("label", "")), point.get("position"), system))
    return _points(marks, path)


def points_from_fcsv(path: Path) -> dict[str, Point]:
    """As `points_from_markups`, from the `.fcsv` file of older versions."""
    try:
        text = path.read_text(encoding="utf-8")
    except ValueError as error:
        raise InputError(f"'{path}' is no text: save the points again as .mrk.json.") from error
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror or error}): choose another file.") from error
    said = re.search(r"^#\s*CoordinateSystem\s*=\s*(\w+)", text, re.MULTILINE)
    system = "" if said is None else _OLD_NUMBERS.get(said[1], said[1])
    rows = csv.reader(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    marks = []
    for row in rows:
        if len(row) < _FCSV_COLUMNS:
            raise InputError(f"'{path}' has a line of {len(row)} columns: save the points again as .mrk.json.")
        if len(row) <= _FCSV_STATUS or row[_FCSV_STATUS] not in _FCSV_NOT_SET:
            marks.append(_Mark(row[11], row[1:4], system))
    return _points(marks, path)


def _dicts(entries: Any, path: Path) -> list[dict[str, Any]]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"'{path}' is no markups file of 3D Slicer: save a point list as .mrk.json.")
    return entries


def _points(marks: list[_Mark], path: Path) -> dict[str, Point]:
    points: dict[str, Point] = {}
    for mark in marks:
        level = disc_named(mark.label)
        if level is None:
            raise InputError(f"'{path}' has a point called '{mark.label}': call each by its disc, such as L4-L5.")
        if level in points:
            raise InputError(f"'{path}' marks {level} more than once: keep one point per disc.")
        points[level] = _place(mark, path)
    return points


def _place(mark: _Mark, path: Path) -> Point:
    if mark.coordinate_system not in _RAS_FROM:
        raise InputError(f"'{path}' has the coordinate system '{mark.coordinate_system}': save it as LPS or RAS.")
    try:
        position = np.array(mark.position, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        position = np.zeros(0)
    if position.shape != (3,) or not np.isfinite(position).all():
        raise InputError(f"'{path}' places '{mark.label}' at {mark.position!r}: give three numbers in mm.")
    return np.asarray(position * _RAS_FROM[mark.coordinate_system])
