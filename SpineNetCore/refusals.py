"""Why a scan is not read as a lumbar spine, though bodies were found on it: one sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
import torch

from SpineNetCore.anatomy import Vertebra
from SpineNetCore.column import Column, find_column
from SpineNetCore.errors import InputError
from SpineNetCore.naming import Naming
from SpineNetCore.scan import Scan
from SpineNetCore.vertebra_network import VertebraNetwork

SURE = 0.9
"""Naming confidence from which on names are given without a warning. ours."""

_FEWEST_BODIES = 4
_DEPTH_MM = (22.0, 60.0)
"""Lumbar bodies, from front to back. ours: cervical ones measure about 16 mm, lumbar ones of adults 28 to 45."""

_DISC_SEEN = 0.4
"""Median probability of disc below the bodies of a column. ours: 0.9 and more on spines, 0.1 on a brain."""

_LEFT_OUT = 2
"""Most bodies that a chain may pass over for each that it names. ours: a spine has a few at most, a brain ten times."""

_LESS_SURE = 0.01
"""In the probability of bodies. ours: SPIDER's slabs, flipped in three ways, are surer by 0.003 to 0.09 turned back;
one that is turned in plane is less sure by 0.03 when flipped.
"""

_LOOKED_AT = 3
_TURNS = {"upside down": (1,), "back to front": (2,), "upside down and back to front": (1, 2)}


def no_spine(scan: Scan) -> InputError:
    """What is said where nothing like a spine is seen."""
    return InputError(
        f"No lumbar spine was found on {scan.name!r}: choose a T2-weighted sagittal series of the lumbar spine."
    )


def check_column(column: Column, scan: Scan) -> None:
    """Raise InputError where a chain passes over most bodies, or no discs are seen between those that it names."""
    named = [body for body, _ in column.named]
    if len(column.bodies) - len(named) > _LEFT_OUT * len(named):
        raise no_spine(scan)
    if len(named) < 2 or float(np.median([body.mean(lambda d: d.disc_below) for body in named[:-1]])) < _DISC_SEEN:
        raise no_spine(scan)


def check_vertebrae(vertebrae: Sequence[Vertebra], is_sure: bool, scan: Scan) -> None:
    """Raise InputError unless the named bodies can be a lumbar spine, by their number and by their size.

    is_sure: its names are plain, or a reader gave them. Four bodies are the fewest where they are not.
    """
    if len(vertebrae) < _FEWEST_BODIES and not is_sure:
        raise no_spine(scan)
    depth_mm = float(np.median([_depth_mm(vertebra) for vertebra in vertebrae]))
    if not _DEPTH_MM[0] <= depth_mm <= _DEPTH_MM[1]:
        raise InputError(
            f"The vertebral bodies on {scan.name!r} measure {depth_mm:.1f} mm from front to back, lumbar ones "
            f"{_DEPTH_MM[0]:.0f} to {_DEPTH_MM[1]:.0f} mm: choose a lumbar series, or correct the file's spacing of "
            f"{scan.spacing_mm[1]:.2f} x {scan.spacing_mm[2]:.2f} mm."
        )


def check_upright(column: Column, scan: Scan, network: VertebraNetwork, device: torch.device) -> None:
    """Raise InputError for a volume whose header lies.

    Unsure as it stands, its sacrum is plain once it is turned over, and its bodies are no less sure.
    """
    if is_plain(column.naming):
        return
    middle_slice = round(median(body.middle_slice for body, _ in column.named))
    first = min(max(middle_slice - _LOOKED_AT // 2, 0), max(len(scan.voxels) - _LOOKED_AT, 0))
    middle = scan.voxels[first : first + _LOOKED_AT]
    for how, axes in _TURNS.items():
        turned = find_column(replace(scan, voxels=np.flip(middle, axes).copy()), network, device)
        if turned is None or len(turned.bodies) < _FEWEST_BODIES or not is_plain(turned.naming):
            continue
        if turned.confidence > column.confidence - _LESS_SURE:
            raise InputError(
                f"{scan.name!r} seems to lie {how} against what its header says: correct the orientation in the file, "
                "export it again from the archive, or, where it is right, give --lowest-level."
            )


def _depth_mm(vertebra: Vertebra) -> float:
    corners = vertebra.corners_ras_mm
    return float(np.linalg.norm(corners[[1, 2]] - corners[[0, 3]], axis=1).mean())


def is_plain(naming: Naming) -> bool:
    """Whether a sacrum was seen that leaves hardly a doubt about the names."""
    return naming.confidence >= SURE and "S1" in naming.levels
