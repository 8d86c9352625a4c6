"""Vertebral bodies out of a label map: tight corners that posterior elements do not widen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from SpineNetCore.anatomy import VERTEBRA_LEVELS, Vertebra
from SpineNetCore.label_borders import Mask, Plane, bodies_only, foremost_part, level_masks
from SpineNetCore.label_conventions import Convention
from SpineNetCore.label_map import LabelMap
from SpineNetCore.mask_corners import diagonal_corners
from SpineNetCore.scan import mapped

_NEAR_MIDDLE_MM = 5.0
_SMALLEST_BODY_MM2, _SMALLEST_DISC_MM2 = 150.0, 40.0
_BODY_SHARE = 0.6
"""A slice shows a body where it shows this much of its largest area; less is a pedicle or the body's edge. ours."""

_S1_BAND_MM, _S1_LEAN_DEG = 15.0, 15.0
_S1_DEPTH, _S1_TAPER = 0.75, 0.7
"""S1's height and lower width in widths of its upper endplate. ours."""


@dataclass(frozen=True)
class _Body:
    """pieces: what the slices show of it, by slice. corners_mm: (4, 2) rows and columns. middle: fractional slice."""

    pieces: Mapping[int, Mask]
    corners_mm: Plane
    middle: float


def vertebrae_from_labels(labels: LabelMap, convention: Convention) -> tuple[Vertebra, ...]:
    """Every labelled vertebra from T8 to S1 with a body in view, from the head downwards, each on its own plane.

    S1's lower corners are approximations: it has no lower end on a sagittal picture, and some label the whole sacrum.
    Where only the disc above it is labelled, its upper endplate is taken to be the disc's lower side, as wide as L5.
    """
    masks = bodies_only(level_masks(labels, convention.vertebrae), labels, convention)
    pieces = {level: _pieces(masks[level], labels, _SMALLEST_BODY_MM2) for level in VERTEBRA_LEVELS if level in masks}
    shown = {level: of_it for level, of_it in pieces.items() if of_it}
    centres = {level: _centre_mm(of_it, labels) for level, of_it in shown.items()}
    found = {level: _body(level, of_it, labels, _down(centres, level)) for level, of_it in shown.items()}
    sacral_disc = level_masks(labels, convention.discs).get("L5-S1")
    if "S1" not in found and "L5" in found and "L6" not in masks and sacral_disc is not None:
        below = _below_disc(sacral_disc, found["L5"], labels)
        found |= {} if below is None else {"S1": below}
    return tuple(_vertebra(level, found[level], labels) for level in VERTEBRA_LEVELS if level in found)


def _pieces(mask: Mask, labels: LabelMap, smallest_mm2: float) -> dict[int, Mask]:
    """By slice, the foremost of its large connected parts."""
    return _large_ones({k: foremost_part(part) for k, part in enumerate(mask) if part.any()}, labels, smallest_mm2)


def _large_ones(pieces: Mapping[int, Mask], labels: LabelMap, smallest_mm2: float) -> dict[int, Mask]:
    """Those slices that show about as much as the slice that shows most."""
    areas = {k: float(piece.sum() * np.prod(labels.spacing_mm[1:])) for k, piece in pieces.items()}
    least = max(_BODY_SHARE * max(areas.values(), default=0.0), smallest_mm2)
    return {k: piece for k, piece in pieces.items() if areas[k] >= least}


def _centre_mm(pieces: Mapping[int, Mask], labels: LabelMap) -> Plane:
    places = np.concatenate([np.argwhere(piece) for piece in pieces.values()])
    return np.asarray(places.mean(axis=0) * np.array(labels.spacing_mm[1:]))


def _down(centres_mm: Mapping[str, Plane], level: str) -> Plane:
    """Unit vector (row, column) from the body above to the body below, as far as there are such.

    S1 leans: it takes the direction of the two bodies above it, and lends its place only where just one other is there.
    """
    column = [name for name in VERTEBRA_LEVELS if name in centres_mm]
    if level == "S1":
        column = [name for name in column if name != "S1"][-2:]
    else:
        place = column.index(level)
        column = [name for name in column[max(place - 1, 0) : place + 2] if name != "S1" or len(column) == 2]
    step = centres_mm[column[-1]] - centres_mm[column[0]] if len(column) > 1 else np.array([1.0, 0.0])
    return np.asarray(step / np.linalg.norm(step))


def _body(level: str, pieces: Mapping[int, Mask], labels: LabelMap, down: Plane) -> _Body:
    corners_of = _sacral_corners_mm if level == "S1" else _corners_mm
    return _joined(pieces, {k: corners_of(piece, down, labels) for k, piece in pieces.items()}, labels)


def _sacral_corners_mm(piece: Mask, down: Plane, labels: LabelMap) -> Plane:
    """S1 from a label of S1 or of the whole sacrum: its upper endplate, squared up three times, and a block below."""
    course = _turned_back(down)
    for _ in range(3):
        upper = _corners_mm(_top(piece, course, labels), course, labels)[:2]
        course = _below(upper)
    return _with_block(upper)


def _below_disc(disc: Mask, last: _Body, labels: LabelMap) -> _Body | None:
    """S1 as wide as the lower endplate of the body above: discs bulge beyond it, or hardly fill it when collapsed."""
    half_width_mm = float(np.linalg.norm(last.corners_mm[2] - last.corners_mm[3])) / 2
    pieces = _large_ones({k: part for k, part in enumerate(disc) if part.any()}, labels, _SMALLEST_DISC_MM2)
    corners = {}
    for k, piece in pieces.items():
        points = np.argwhere(piece) * np.array(labels.spacing_mm[1:])
        along = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][0]
        along = along * np.sign(along[1])
        down = np.array([along[1], -along[0]])
        middle = _corners_mm(piece, down, labels)[[3, 2]].mean(axis=0) + labels.spacing_mm[1] * down
        corners[k] = _with_block(np.array([middle - half_width_mm * along, middle + half_width_mm * along]))
    return _joined(pieces, corners, labels) if pieces else None


def _turned_back(down: Plane) -> Plane:
    turn = np.deg2rad(_S1_LEAN_DEG)
    back = np.array([-down[1], down[0]])
    return np.asarray(np.cos(turn) * down + np.sin(turn) * back)


def _top(piece: Mask, down: Plane, labels: LabelMap) -> Mask:
    """The part of a sacrum within `_S1_BAND_MM` of its top."""
    depth = np.indices(piece.shape).transpose(1, 2, 0) * np.array(labels.spacing_mm[1:]) @ down
    return np.asarray(piece & (depth < np.percentile(depth[piece], 1) + _S1_BAND_MM))


def _below(upper: Plane) -> Plane:
    """Unit vector square to an endplate, given its front and rear, towards the feet."""
    along = (upper[1] - upper[0]) / np.linalg.norm(upper[1] - upper[0])
    return np.array([along[1], -along[0]])


def _with_block(upper: Plane) -> Plane:
    """(4, 2): an upper endplate, and lower corners as far below as S1 is high."""
    front, rear = upper
    inset = (1 - _S1_TAPER) / 2 * (rear - front)
    depth = _S1_DEPTH * float(np.linalg.norm(rear - front)) * _below(upper)
    return np.array([front, rear, rear - inset + depth, front + inset + depth])


def _corners_mm(piece: Mask, down: Plane, labels: LabelMap) -> Plane:
    spacing_mm = labels.spacing_mm[1:]
    return np.asarray(diagonal_corners(piece, down, spacing_mm) * np.array(spacing_mm))


def _joined(pieces: Mapping[int, Mask], corners_mm: Mapping[int, Plane], labels: LabelMap) -> _Body:
    """One body of what its slices show: the median of the corners near its middle slice."""
    middle = float(np.average(list(pieces), weights=[piece.sum() for piece in pieces.values()]))
    offsets_mm = {k: abs(k - middle) * labels.spacing_mm[0] for k in pieces}
    reach = max(_NEAR_MIDDLE_MM, min(offsets_mm.values()))
    near = [corners_mm[k] for k in pieces if offsets_mm[k] <= reach]
    return _Body(pieces, np.median(near, axis=0), middle)


def _vertebra(level: str, body: _Body, labels: LabelMap) -> Vertebra:
    in_plane = body.corners_mm / np.array(labels.spacing_mm[1:])
    corners = mapped(labels.ras_from_ijk, np.column_stack([np.full(4, body.middle), in_plane]))
    half_width_mm = (max(body.pieces) - min(body.pieces) + 1) * labels.spacing_mm[0] / 2
    return Vertebra(level, corners, half_width_mm, 1.0)
