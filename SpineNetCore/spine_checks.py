"""Whether vertebrae and discs from a file can be those of a scan."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from SpineNetCore.anatomy import Disc, Point, Vertebra
from SpineNetCore.errors import InputError
from SpineNetCore.scan import Scan, mapped

_BODY_MM = (8.0, 80.0)
"""Shortest and longest side of a vertebral body. ours: from a collapsed one to more than anybody's."""

_HIGHEST_DISC_MM = 25.0
"""ours: more than any disc's height, less than a body's with its two discs."""

OUT_OF_PLACE_MM = 12.0
"""How far a disc may lie from midway between its vertebrae without a word. ours: about a disc's own height."""

_DISC_SLACK_MM, _BODY_SLACK_MM = 2.0, 30.0
"""How far a disc's centre and a body's corner may lie outside the scan. ours: bodies at its border are cut off."""


def check_bodies(vertebrae: Sequence[Vertebra], path: Path, scan: Scan) -> None:
    """Raise InputError where a body that was drawn has no size of one, or lies outside the scan or out of order."""
    for vertebra in vertebrae:
        _check_body(vertebra, path, scan)
    towards_feet = scan.ras_from_ijk[:3, 1]
    for upper, lower in pairwise(vertebrae):
        if (lower.centre_ras_mm - upper.centre_ras_mm) @ towards_feet <= 0:
            raise InputError(
                f"'{path}' places the vertebra {upper.level} below {lower.level}: check the names of the vertebrae."
            )


def check_discs(discs: Sequence[Disc], path: Path, scan: Scan) -> None:
    """Raise InputError where a disc is higher than any, as if a vertebra were left out, or lies outside the scan."""
    for disc in discs:
        if disc.height_mm > _HIGHEST_DISC_MM:
            raise InputError(
                f"'{path}' leaves {disc.height_mm:.0f} mm between {disc.upper.level} and {disc.lower.level}, too much "
                "for a disc: add the vertebra between them, or check the names."
            )
        if _outside_mm(disc.centre_ras_mm, scan) > _DISC_SLACK_MM:
            raise _not_here(disc.level, disc.centre_ras_mm, path, scan)


def has_sides_of_a_body(vertebra: Vertebra) -> bool:
    """Whether all four sides are within `_BODY_MM`."""
    sides_mm = _sides_mm(vertebra)
    return bool(_BODY_MM[0] <= sides_mm.min() and sides_mm.max() <= _BODY_MM[1])


def _sides_mm(vertebra: Vertebra) -> Point:
    corners = vertebra.corners_ras_mm
    return np.asarray(np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1))


def _check_body(vertebra: Vertebra, path: Path, scan: Scan) -> None:
    corners = vertebra.corners_ras_mm
    if not has_sides_of_a_body(vertebra):
        sides_mm = _sides_mm(vertebra)
        raise InputError(
            f"'{path}' draws {vertebra.level} with sides of {', '.join(f'{side:.1f}' for side in sides_mm)} mm: give "
            f"corners in millimetres, {_BODY_MM[0]:g} to {_BODY_MM[1]:g} apart."
        )
    if max(_outside_mm(corner, scan) for corner in corners) > _BODY_SLACK_MM:
        raise _not_here(vertebra.level, vertebra.centre_ras_mm, path, scan)


def _outside_mm(point: Point, scan: Scan) -> float:
    """How far a point lies outside the scan's outermost voxels, at most along one axis."""
    ijk = mapped(scan.ijk_from_ras, point)
    last = np.array(scan.voxels.shape) - 0.5
    return float((np.maximum(np.maximum(-0.5 - ijk, ijk - last), 0) * scan.spacing_mm).max())


def _not_here(level: str, place: Point, path: Path, scan: Scan) -> InputError:
    where = ", ".join(f"{value:.1f}" for value in place)
    return InputError(
        f"'{path}' places {level} at ({where}) mm RAS, outside the scan '{scan.name}': give a file made on this scan."
    )
