"""Where L5-S1 lies on SPIDER's mid-sagittal pictures, which come without masks.

`spider_lowest_discs.csv` has a place for each picture on which it shows: proposed by a detector, looked at one by one
by an author of this project, no radiologist, and corrected where SPIDER's counts of discs contradict it. Derived from
SPIDER, CC BY 4.0.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("spider_lowest_discs.csv")

Place = tuple[float, float]


def lowest_disc(patient: int, shape: tuple[int, int]) -> Place | None:
    """(row, column) of the middle of L5-S1 on a patient's picture; None where it is not known.

    shape: rows and columns of the picture, by which another picture under the same number is told.
    """
    return _places().get((patient, *shape))


@cache
def _places() -> dict[tuple[int, int, int], Place]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return {(row["patient"], row["rows"], row["columns"]): (row["row"], row["column"]) for row in rows}
