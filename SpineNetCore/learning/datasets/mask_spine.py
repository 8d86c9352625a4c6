"""The spine that a mask of SPIDER's original layout outlines: bodies with their corners, under their own names.

Vertebrae are counted from the bottom (1 = L5), discs likewise (201 = L5-S1), the canal is 100. Vertebrae from 101 on
are only partly in view, and the sacrum is not outlined at all: S1 follows from the disc above it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import VERTEBRA_LEVELS, Vertebra
from SpineNetCore.errors import InputError
from SpineNetCore.localisation import NAMED_BY_READER, Spine, discs_between
from SpineNetCore.mask_corners import diagonal_corners
from SpineNetCore.scan import Scan, mapped

CANAL, FIRST_DISC = 100, 201
MOST_VERTEBRAE = 9

_NEAR_MIDDLE_MM = 5.0
_FEWEST_PIXELS = 60
_ENDPLATE_MM = 1.0
_S1_DEPTH, _S1_TAPER = 0.75, 0.7
Labels = NDArray[np.int32]
InPlane = NDArray[np.float64]


def spine_of_mask(scan: Scan, labels: Labels) -> Spine:
    """Vertebrae and graded discs of a scan from its mask, [slice, row, column] on the scan's voxels.

    A body that cannot be told from its arch, or of which too little is in view, is left out with its discs. Raises
    InputError where no disc is left.
    """
    found = [body for number in range(MOST_VERTEBRAE, 0, -1) if (body := _body(scan, labels, number)) is not None]
    sacrum = _sacrum(scan, labels)
    vertebrae = tuple(found + ([sacrum] if sacrum is not None else []))
    discs = discs_between(vertebrae, scan)
    if not discs:
        raise InputError(
            f"The mask of '{scan.name}' outlines no two neighbouring vertebrae and their disc: give a mask numbered as "
            "SPIDER's, vertebrae from 1 and discs from 201 at the bottom, the canal 100."
        )
    return Spine(vertebrae, discs, NAMED_BY_READER, ())


def _body(scan: Scan, labels: Labels, number: int) -> Vertebra | None:
    in_front = np.stack([_in_front_of_canal(one == number, one == CANAL) for one in labels])
    down = _down(scan, labels, number, in_front)
    return None if down is None else _vertebra(scan, VERTEBRA_LEVELS[-1 - number], in_front, down)


def _sacrum(scan: Scan, labels: Labels) -> Vertebra | None:
    """S1 as a tapering box below the lowest disc, as deep as S1 usually is."""
    disc = labels == FIRST_DISC
    if not disc.any():
        return None
    points = np.argwhere(disc)[:, 1:] * np.array(scan.spacing_mm[1:])
    axis = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][0]
    back = axis * np.sign(axis[1])
    outline = _vertebra(scan, "S1", disc, np.array([back[1], -back[0]]))
    if outline is None:
        return None
    _, _, rear, front = outline.corners_ras_mm
    width, towards_feet = rear - front, outline.corners_ras_mm[3] - outline.corners_ras_mm[0]
    down = towards_feet - width * (towards_feet @ width) / (width @ width)
    down /= np.linalg.norm(down)
    front, rear = front + _ENDPLATE_MM * down, rear + _ENDPLATE_MM * down
    wall = _S1_DEPTH * np.linalg.norm(width) * down
    inset = (1 - _S1_TAPER) / 2 * width
    corners = np.array([front, rear, rear + wall - inset, front + wall + inset])
    return Vertebra("S1", corners, outline.half_width_mm, 1.0)


def _vertebra(scan: Scan, level: str, slices: NDArray[np.bool_], down: InPlane) -> Vertebra | None:
    """The median outline of the slices within 5 mm of the structure's own middle."""
    areas = slices.sum(axis=(1, 2))
    areas[areas < _FEWEST_PIXELS] = 0
    if not areas.any():
        return None
    middle = float(np.average(np.arange(len(slices)), weights=areas))
    away_mm = np.where(areas > 0, np.abs(np.arange(len(slices)) - middle) * scan.spacing_mm[0], np.inf)
    near = np.nonzero(away_mm <= max(_NEAR_MIDDLE_MM, float(away_mm.min())))[0]
    spacing = (scan.spacing_mm[1], scan.spacing_mm[2])
    in_plane = np.median([diagonal_corners(slices[k], down, spacing) for k in near], axis=0)
    corners = mapped(scan.ras_from_ijk, np.column_stack([np.full(4, middle), in_plane]))
    return Vertebra(level, corners, float((areas > 0).sum()) * scan.spacing_mm[0] / 2, 1.0)


def _down(scan: Scan, labels: Labels, number: int, body: NDArray[np.bool_]) -> InPlane | None:
    """Unit vector (row, column) along the spine at a body; None where there is none, or no disc beside it."""
    here = _centre_mm(scan, body)
    above, below = (_centre_mm(scan, labels == FIRST_DISC + k) for k in (number, number - 1))
    if here is None or (above is None and below is None):
        return None
    way = (here if below is None else below) - (here if above is None else above)
    return np.asarray(way / np.linalg.norm(way))


def _centre_mm(scan: Scan, mask: NDArray[np.bool_]) -> InPlane | None:
    points = np.argwhere(mask)[:, 1:]
    return np.asarray(points.mean(axis=0) * np.array(scan.spacing_mm[1:])) if len(points) else None


def _in_front_of_canal(bone: NDArray[np.bool_], canal: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of a vertebra in front of the canal, whose border is carried on straight; none without a canal."""
    rows = np.nonzero(canal.any(axis=1))[0]
    if not len(rows):
        return np.zeros_like(bone)
    border = np.interp(np.arange(len(bone)), rows, canal[rows].argmax(axis=1))
    return np.asarray(bone & (np.arange(bone.shape[1])[None] < border[:, None]))
