"""A phantom, and everything it knows about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import VERTEBRA_LEVELS, Affine, Point, Task, Vertebra
from SpineNetCore.learning.phantom.bodies_paint import lesion_label
from SpineNetCore.learning.phantom.canvas import Mask
from SpineNetCore.learning.phantom.field_of_view import FieldOfView
from SpineNetCore.learning.phantom.grades import Grades
from SpineNetCore.learning.phantom.shapes import DiscShape, Plane, Spine
from SpineNetCore.scan import Scan, mapped

_NEAR_DISC_MM = 8.0


@dataclass(frozen=True)
class DiscTruth:
    """A disc in view. height_mm: in its middle; normal_height_mm: what its level should have in this patient."""

    level: str
    centre_ras_mm: Point
    grades: Grades
    height_mm: float
    normal_height_mm: float

    @property
    def label(self) -> int:
        """Its value in lesion maps: 1 = L5-S1 ... 6 = T12-L1, 7 and more above."""
        return lesion_label(self.level)


@dataclass(frozen=True)
class Phantom:
    """A simulated scan and its truth.

    vertebrae: bodies with a name whose four corners lie in view, from the head downwards. discs: those in view, among
    them every disc between two of these vertebrae. labels: uint8 [slice, row, column], `PhantomLabel`. lesions: per
    task uint8 [slice, row, column], the disc's label where its lesion lies.
    """

    scan: Scan
    vertebrae: tuple[Vertebra, ...]
    discs: tuple[DiscTruth, ...]
    labels: NDArray[np.uint8]
    lesions: Mapping[Task, NDArray[np.uint8]]

    def lesion_mask(self, disc: DiscTruth, task: Task) -> Mask:
        """Voxels [slice, row, column] that led to a disc's grade; none where it is normal."""
        return np.asarray(self.lesions[task] == disc.label)


def visible_vertebrae(spine: Spine, view: FieldOfView, ras_from_phantom: Affine) -> tuple[Vertebra, ...]:
    """Bodies with a name whose corners all lie in view, each on its own mid-sagittal plane."""
    return tuple(
        Vertebra(body.level, _in_ras(body.corners, body.lateral_mm, ras_from_phantom), body.half_width_mm, 1.0)
        for body in spine.bodies
        if body.level in VERTEBRA_LEVELS and view.contains(body.corners) and view.reaches(body.lateral_mm)
    )


def visible_discs(spine: Spine, view: FieldOfView, ras_from_phantom: Affine) -> tuple[DiscTruth, ...]:
    """Named discs with some tissue in view on either side."""
    return tuple(
        DiscTruth(
            level=disc.level,
            centre_ras_mm=_in_ras(disc.centre[None], disc.lateral_mm, ras_from_phantom)[0],
            grades=disc.grades,
            height_mm=disc.height_mm,
            normal_height_mm=disc.normal_height_mm,
        )
        for disc in spine.discs
        if disc.grades is not None and view.contains(_surround(disc)) and view.reaches(disc.lateral_mm)
    )


def _surround(disc: DiscShape) -> Plane:
    """The disc's corners, and its middle moved up and down a little: within both bodies' reach."""
    corners = np.concatenate([disc.upper.corners[2:], disc.lower.corners[:2]])
    down = disc.lower.centre - disc.upper.centre
    step = _NEAR_DISC_MM * down / np.linalg.norm(down)
    return np.concatenate([corners, (disc.centre + step)[None], (disc.centre - step)[None]])


def _in_ras(points: Plane, lateral_mm: float, ras_from_phantom: Affine) -> NDArray[np.float64]:
    posterior, inferior = points[:, 0], points[:, 1]
    return mapped(ras_from_phantom, np.stack([np.full(len(points), lateral_mm), inferior, posterior], axis=1))
