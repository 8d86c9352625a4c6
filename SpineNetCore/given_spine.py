"""Vertebrae and discs from a file, for a scan on which nothing needs to be detected."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from SpineNetCore.errors import InputError
from SpineNetCore.localisation import Spine
from SpineNetCore.markups_file import points_from_fcsv, points_from_markups
from SpineNetCore.scan import Scan
from SpineNetCore.spine_checks import check_discs
from SpineNetCore.spine_json import NOT_LOOKED_FOR, spine_from_report
from SpineNetCore.spine_labels import spine_from_labels
from SpineNetCore.spine_points import spine_from_points

_WANTED = "a report.json, a .mrk.json or a label map"


def read_spine(path: Path, scan: Scan, labels_name: str | None = None) -> Spine:
    """Read the vertebrae and discs of a scan from a `report.json`, a markups file with a point in each disc, or labels.

    labels_name: convention of a label map, None to tell it from its values. Raises InputError where the file is none of
    these, or what it holds does not lie on the scan.
    """
    if not path.is_file():
        raise InputError(f"'{path}' is no file: give --vertebrae {_WANTED}.")
    spine = _spine(path, scan, labels_name)
    if not spine.discs:
        raise InputError(f"'{path}' holds no disc from T12-L1 to L5-S1: give a file that places at least one.")
    check_discs(spine.discs, path, scan)
    said = f"Vertebrae and discs were taken from '{path.name}', {NOT_LOOKED_FOR}"
    return replace(spine, warnings=(said, *spine.warnings), absence=f"not in '{path.name}'.")


def _spine(path: Path, scan: Scan, labels_name: str | None) -> Spine:
    if path.suffix.lower() not in (".json", ".fcsv"):
        return spine_from_labels(path, scan, labels_name)
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
        raise InputError(f"'{path}' holds no JSON object: give {_WANTED}.")
    return content
