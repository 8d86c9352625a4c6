"""What of a labelled vertebra is body, and what lies behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.label_conventions import Convention
from SpineNetCore.label_map import LabelMap
from SpineNetCore.mask_corners import diagonal_corners

Mask = NDArray[np.bool_]
Plane = NDArray[np.float64]

_REAR_MM = 2.0
"""How far behind the line through discs or rear walls there may be body. ours: walls are hollow, discs bulge."""

_PARTED_SHARE = 0.15
"""How large, against a body, what lies behind it must be to tell that the canal parts the two. ours."""

_LARGE_SHARE = 0.4
"""How large a part must be, against the largest, to be a body and no speck. ours."""


def bodies_only(masks: dict[str, Mask], labels: LabelMap, convention: Convention) -> dict[str, Mask]:
    """Without what lies behind the canal, and where it is not labelled, as below a cord, behind the line from disc
    to disc, else from rear wall to rear wall.

    The lines end at the lowest disc or wall, so they leave the sacrum as it is.
    """
    canal = _canal_border(np.isin(labels.voxels, list(convention.canal)))
    line = _disc_border(level_masks(labels, convention.discs), labels)
    line = _wall_border(masks, labels) if line is None else line
    rear = canal if line is None else np.where(np.isinf(canal), line, canal)
    return {level: mask & _before(canal if level == "S1" else rear, mask) for level, mask in masks.items()}


def _before(border: Plane, mask: Mask) -> Mask:
    return np.asarray(np.arange(mask.shape[2])[None] < border[:, None])


def _canal_border(canal: Mask) -> Plane:
    """Of each row, the column where the canal begins on most slices; infinite above and below it."""
    rows = np.nonzero(canal.any(axis=(0, 2)))[0]
    if not rows.size:
        return np.full(canal.shape[1], np.inf)
    firsts = np.where(canal.any(axis=2), canal.argmax(axis=2), np.nan)[:, rows]
    border = ndimage.median_filter(np.nanmedian(firsts, axis=0), 9, mode="nearest")
    return np.asarray(np.interp(np.arange(canal.shape[1]), rows, border, left=np.inf, right=np.inf))


def _disc_border(discs: Mapping[str, Mask], labels: LabelMap) -> Plane | None:
    """Of each row, the column just behind the line from each disc's rear to the next."""
    rears = []
    for disc in discs.values():
        middle = disc[round(float(np.argwhere(disc)[:, 0].mean()))]
        if middle.any():
            rears.append(max(np.argwhere(middle), key=lambda place: int(place[1])))
    return _line(rears, labels)


def _wall_border(masks: Mapping[str, Mask], labels: LabelMap) -> Plane | None:
    """Of each row, the column just behind the rear walls that mid-sagittal slices show, the canal parting them."""
    walls = []
    for level, mask in masks.items():
        parted = [part for part in map(_parted_body, mask) if part is not None and level != "S1"]
        if parted:
            upright = np.array([1.0, 0.0])
            corners = [diagonal_corners(part, upright, labels.spacing_mm[1:]) for part in parted]
            walls += list(np.median(corners, axis=0)[1:3])
    return _line(walls, labels)


def _parted_body(mask: Mask) -> Mask | None:
    """The foremost part of a vertebra on a slice, if another one lies wholly behind it."""
    front = foremost_part(mask)
    columns = np.nonzero(front.any(axis=0))[0]
    behind = mask[:, columns.max() + 1 :] if columns.size else mask
    return front if columns.size and behind.sum() > _PARTED_SHARE * front.sum() else None


def _line(places: list[NDArray[Any]], labels: LabelMap) -> Plane | None:
    """Of each row, the column of the line through places (row, column), and `_REAR_MM` beyond."""
    if not places:
        return None
    rows, columns = np.array(sorted(map(tuple, places)), dtype=np.float64).T
    beyond = _REAR_MM / labels.spacing_mm[2]
    return np.asarray(np.interp(np.arange(labels.voxels.shape[1]), rows, columns + beyond))


def foremost_part(mask: Mask) -> Mask:
    """The foremost of the large parts that no bridge thinner than four pixels joins, with its own sharp corners."""
    out = np.zeros_like(mask)
    if not mask.any():
        return out
    (box,) = ndimage.find_objects(mask.astype(np.uint8))
    parts, count = ndimage.label(ndimage.binary_opening(mask[box], iterations=2))
    if count:
        sizes = np.bincount(parts.ravel())[1:]
        columns = np.array([place[1] for place in ndimage.center_of_mass(parts > 0, parts, range(1, count + 1))])
        chosen = 1 + int(np.argmin(np.where(sizes >= _LARGE_SHARE * sizes.max(), columns, np.inf)))
        out[box] = ndimage.binary_dilation(parts == chosen, iterations=2, mask=mask[box])
    return out


def level_masks(labels: LabelMap, names: Mapping[int, str]) -> dict[str, Mask]:
    """The voxels of each level present; values that share a level are taken together."""
    masks: dict[str, Mask] = {}
    for value in sorted(set(np.unique(labels.voxels)) & set(names)):
        mask = labels.voxels == value
        masks[names[value]] = masks[names[value]] | mask if names[value] in masks else mask
    return masks
