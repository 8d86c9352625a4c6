"""Vertebrae and discs from a file, for a scan on which nothing needs to be detected."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from SpineNetCore.anatomy import Disc, Vertebra
from SpineNetCore.errors import InputError
from SpineNetCore.localisation import Spine
from SpineNetCore.markups_file import points_from_fcsv, points_from_markups
from SpineNetCore.scan import Scan, mapped
from SpineNetCore.spine_json import spine_from_report
from SpineNetCore.spine_points import spine_from_points

_BODY_MM = (8.0, 80.0)
"""Shortest and longest side of a vertebral body. ours: from a collapsed one to more than anybody's."""

_DISC_SLACK_MM, _BODY_SLACK_MM = 2.0, 30.0
"""How far a disc's centre and a body's corner may lie outside the scan. ours: bodies at its border are cut off."""


def read_spine(path: Path, scan: Scan) -> Spine:
    """Read the vertebrae and discs of a scan from a `report.json`, or from a markups file with a point in each disc.

    Raises InputError where the file is neither, or what it holds does not lie on the scan.
    """
    if not path.is_file():
        raise InputError(f"'{path}' is no file: give --vertebrae a report.json or a .mrk.json.")
    spine = _spine(path, scan)
    if not spine.discs:
        raise InputError(f"'{path}' holds no disc from T12-L1 to L5-S1: give a file that places at least one.")
    for vertebra in spine.vertebrae:
        _check_vertebra(vertebra, path, scan)
    for disc in spine.discs:
        _check_disc(disc, path, scan)
    said = f"Vertebrae and discs were taken from '{path.name}', none were looked for on the scan."
    return replace(spine, warnings=(said, *spine.warnings), absence=f"not in '{path.name}'.")


def _spine(path: Path, scan: Scan) -> Spine:
    if path.suffix.lower() == ".fcsv":
        return spine_from_points(points_from_fcsv(path), path, scan)
    content = _parsed(path)
    if "markups" in content:
        return spine_from_points(points_from_markups(content, path), path, scan)
    return spine_from_report(content, path, scan)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"'{path}' is no JSON that can be read ({error}): write it again.") from error
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror or error}): choose another file.") from error
    if not isinstance(content, dict):
        raise InputError(f"'{path}' holds no JSON object: give a report.json or a .mrk.json.")
    return content


def _check_vertebra(vertebra: Vertebra, path: Path, scan: Scan) -> None:
    corners = vertebra.corners_ras_mm
    sides_mm = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    if not (_BODY_MM[0] <= sides_mm.min() and sides_mm.max() <= _BODY_MM[1]):
        raise InputError(
            f"'{path}' draws {vertebra.level} with sides of {', '.join(f'{side:.1f}' for side in sides_mm)} mm: give "
            f"corners in millimetres, {_BODY_MM[0]:g} to {_BODY_MM[1]:g} apart."
        )
    if max(_outside_mm(corner, scan) for corner in corners) > _BODY_SLACK_MM:
        raise _not_here(vertebra.level, vertebra.centre_ras_mm, path, scan)


def _check_disc(disc: Disc, path: Path, scan: Scan) -> None:
    if _outside_mm(disc.centre_ras_mm, scan) > _DISC_SLACK_MM:
        raise _not_here(disc.level, disc.centre_ras_mm, path, scan)


def _outside_mm(point: np.ndarray[Any, np.dtype[np.float64]], scan: Scan) -> float:
    """How far a point lies outside the scan's outermost voxels, at most along one axis."""
    ijk = mapped(scan.ijk_from_ras, point)
    last = np.array(scan.voxels.shape) - 0.5
    return float((np.maximum(np.maximum(-0.5 - ijk, ijk - last), 0) * scan.spacing_mm).max())


def _not_here(level: str, place: np.ndarray[Any, np.dtype[np.float64]], path: Path, scan: Scan) -> InputError:
    where = ", ".join(f"{value:.1f}" for value in place)
    return InputError(
        f"'{path}' places {level} at ({where}) mm RAS, outside the scan '{scan.name}': give a file made on this scan."
    )
