"""Names of levels as a reader sets them, against what the chain of bodies was called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS, Point, disc_level
from SpineNetCore.errors import InputError
from SpineNetCore.level_names import disc_named

_NEIGHBOUR_SPACINGS = (0.5, 1.6)
"""How far from the end of the chain, in its own spacings, a body left out may be its next. ours."""

_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_FARTHEST_MM = 25.0
"""How far from the reader's point the disc may lie. ours: most of a body's height; beyond, it was not seen."""

Levels = tuple[str | None, ...]
Corners = NDArray[np.float64]


@dataclass(frozen=True)
class LevelAt:
    """The level that a reader gives to the disc nearest to a point; point_ras_mm: (3,)."""

    level: str
    point_ras_mm: tuple[float, float, float]

    def __str__(self) -> str:
        return f"{self.level}={','.join(f'{value:g}' for value in self.point_ras_mm)}"


@dataclass(frozen=True)
class NamingOverride:
    """Either moves all names `shift` levels towards the feet, or gives one disc its level; the whole chain follows."""

    lowest: LevelAt | None = None
    shift: int = 0

    @property
    def notice(self) -> str:
        """What a report says of it."""
        if self.lowest is None:
            way = f"moved {abs(self.shift)} towards the {'feet' if self.shift > 0 else 'head'} from those found"
        else:
            way = f"counted from {self.lowest.level} at {', '.join(f'{v:g}' for v in self.lowest.point_ras_mm)} mm RAS"
        return f"The names of the levels were set by the reader: {way}."


def parsed_lowest_level(text: str) -> LevelAt:
    """Read `L5-S1=x,y,z`; raises InputError where it is anything else."""
    name, _, place = text.partition("=")
    level = disc_named(name)
    numbers = [part.strip() for part in place.split(",")]
    if level is None or len(numbers) != 3 or not all(re.fullmatch(_NUMBER, number) for number in numbers):
        raise InputError(f"--lowest-level '{text}' cannot be read: give it as L5-S1=x,y,z, the disc's place in mm RAS.")
    x, y, z = map(float, numbers)
    return LevelAt(level, (x, y, z))


def renamed(levels: Levels, corners: Sequence[Corners], override: NamingOverride) -> Levels:
    """Levels of bodies, from the head downwards, as the override has them; None for a body without a known name.

    corners: (4, 3) of each body. Bodies left out right above or below the chain are named where the move needs them.
    Raises InputError where no disc lies at the reader's point, or no graded disc is left.
    """
    places = _chain(levels, corners)
    shift = override.shift if override.lowest is None else _shift_to(override.lowest, places, corners)
    known = range(len(VERTEBRA_LEVELS))
    moved = tuple(None if place is None or place + shift not in known else place + shift for place in places)
    if not _hold_a_disc(moved):
        asked = f"--lowest-level {override.lowest}" if override.lowest else f"Moving the names by {shift:+d} levels"
        raise InputError(f"{asked} leaves no disc from {DISC_LEVELS[0]} to {DISC_LEVELS[-1]}: check the level.")
    return tuple(None if place is None else VERTEBRA_LEVELS[place] for place in moved)


def _hold_a_disc(places: Sequence[int | None]) -> bool:
    """Whether two neighbours among bodies, by their places in the column, have a graded disc between them."""
    named = [VERTEBRA_LEVELS[place] for place in places if place is not None]
    return any(disc_level(upper, lower) in DISC_LEVELS for upper, lower in pairwise(named))


def _chain(levels: Levels, corners: Sequence[Corners]) -> list[int | None]:
    """Each body's place in the column, carried on above T8 (below 0) and below S1 while the next body is near."""
    places = [None if level is None else VERTEBRA_LEVELS.index(level) for level in levels]
    centres = [body.mean(axis=0) for body in corners]
    named = [k for k, place in enumerate(places) if place is not None]
    steps = [_apart(centres[a], centres[b]) / ((places[b] or 0) - (places[a] or 0)) for a, b in pairwise(named)]
    spacing_mm = float(np.median(steps)) if steps else 35.0
    for order, step in ((range(named[0] - 1, -1, -1), -1), (range(named[-1] + 1, len(places)), 1)):
        last = named[0] if step < 0 else named[-1]
        for k in order:
            spacings = _apart(centres[last], centres[k]) / spacing_mm
            if _NEIGHBOUR_SPACINGS[0] <= spacings <= _NEIGHBOUR_SPACINGS[1]:
                places[k] = (places[last] or 0) + step
                last = k
    return places


def _apart(a: Point, b: Point) -> float:
    return float(np.linalg.norm(a - b))


def _shift_to(wanted: LevelAt, places: Sequence[int | None], corners: Sequence[Corners]) -> int:
    named = [k for k, place in enumerate(places) if place is not None]
    point = np.array(wanted.point_ras_mm)
    found = []
    for upper, lower in pairwise(named):
        if places[lower] == (places[upper] or 0) + 1:
            middle = (corners[upper][2:].mean(axis=0) + corners[lower][:2].mean(axis=0)) / 2
            found.append((_apart(middle, point), places[upper] or 0))
    distance_mm, place = min(found, default=(np.inf, 0))
    if distance_mm > _FARTHEST_MM:
        away = f"the nearest is {distance_mm:.0f} mm away" if found else "there is none"
        raise InputError(
            f"--lowest-level {wanted} marks no disc that was found ({away}): give the middle of a disc in mm RAS."
        )
    return VERTEBRA_LEVELS.index(wanted.level.split("-")[0]) - place
