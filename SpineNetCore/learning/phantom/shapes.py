"""What a simulated spine is made of, in millimetres of the scan's own directions.

Plane points are (posterior, inferior); `lateral_mm` runs towards the patient's left, as the slices do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.learning.phantom.grades import Grades

Plane = NDArray[np.float64]

SACRAL_LEVELS = ("S1", "S2", "S3", "S4", "S5")
THORACIC_LEVELS = ("T6", "T7", "T8", "T9", "T10", "T11")
"""Those with slanting spinous processes: T12 has a lumbar one."""


@dataclass(frozen=True)
class Dent:
    """A hollow in an endplate, filled by the disc.

    along: place from anterior 0 to posterior 1. depth_mm: at its middle, below the natural contour.
    flatness: 2 for a round hollow, more for a broad one with steep sides. is_defect: whether it is deep enough to be
    graded.
    """

    along: float
    lateral_mm: float
    depth_mm: float
    half_length_mm: float
    half_width_mm: float
    flatness: float
    is_defect: bool


@dataclass(frozen=True)
class MarrowPatch:
    """Changed marrow beside an endplate.

    half_length: as a fraction of the endplate. depth_mm: from the endplate. factor: signal against normal marrow.
    softness_mm: width of its border. mottling: of its texture, 1 leaving some marrow in it as it was.
    """

    along: float
    lateral_mm: float
    half_length: float
    half_width_mm: float
    depth_mm: float
    factor: float
    softness_mm: float
    mottling: float


@dataclass(frozen=True)
class Endplate:
    """bow_mm: depth of its natural hollow; skew: how much further back its deepest point lies."""

    bow_mm: float
    skew: float = 0.0
    dents: tuple[Dent, ...] = ()
    patches: tuple[MarrowPatch, ...] = ()


@dataclass(frozen=True)
class Haemangioma:
    """A round spot of bright, striated marrow; (posterior, inferior) from the body's centre."""

    offset_mm: tuple[float, float]
    lateral_mm: float
    radius_mm: float
    factor: float


@dataclass(frozen=True)
class Process:
    """A spinous process, millimetres. drop_mm: how much lower its tip hangs than its root."""

    length_mm: float
    root_mm: float
    tip_mm: float
    drop_mm: float


@dataclass(frozen=True)
class Body:
    """A vertebral body or a piece of the sacrum.

    corners: (4, 2) plane points, AS, PS, PI, AI. lateral_mm: of its own mid-sagittal plane. coronal_slope and twist:
    millimetres down, and back, per millimetre to the left. waist_mm: hollow of its anterior and posterior wall.
    osteophytes_mm: (4,) reach beyond each corner. marrow: signal against the patient's own marrow.
    vein_mm, vein_signal: length of the basivertebral cleft, and how bright it is, [0, 1].
    """

    level: str
    corners: Plane
    lateral_mm: float
    half_width_mm: float
    coronal_slope: float
    twist: float
    superior: Endplate
    inferior: Endplate
    waist_mm: tuple[float, float]
    osteophytes_mm: tuple[float, float, float, float]
    marrow: float
    vein_mm: float
    vein_signal: float
    process: Process
    haemangioma: Haemangioma | None = None

    @property
    def centre(self) -> Plane:
        """(2,) plane point."""
        return np.asarray(self.corners.mean(axis=0))

    @property
    def depth_mm(self) -> float:
        """Antero-posterior, between the middles of its walls."""
        return float(np.linalg.norm(self.corners[[1, 2]].mean(axis=0) - self.corners[[0, 3]].mean(axis=0)))

    @property
    def is_sacral(self) -> bool:
        return self.level in SACRAL_LEVELS


@dataclass(frozen=True)
class Nucleus:
    """How the inside of a disc looks.

    signal: against cerebrospinal fluid. softness: width of its border, as a fraction of its size. extent: half-axes as
    fractions of the half-depth, half-height and half-width. cleft: depth of the dark horizontal band; cleft_place and
    cleft_width: its height, -1 to 1, and width, as fractions of the half-height. mottling: of its texture.
    """

    signal: float
    softness: float
    extent: tuple[float, float, float]
    cleft: float
    cleft_place: float
    cleft_width: float
    mottling: float


@dataclass(frozen=True)
class Protrusion:
    """Disc material that pushes into the canal."""

    lateral_mm: float
    reach_mm: float
    half_width_mm: float


@dataclass(frozen=True)
class DiscShape:
    """The space between two bodies; `grades` is None for the sacrum's remnants and above the named discs.

    bulges_mm: anterior and posterior. height_mm: in its middle; normal_height_mm: what that level should have.
    """

    upper: Body
    lower: Body
    grades: Grades | None
    nucleus: Nucleus
    bulges_mm: tuple[float, float]
    protrusion: Protrusion | None
    height_mm: float
    normal_height_mm: float

    @property
    def level(self) -> str:
        return f"{self.upper.level}-{self.lower.level}"

    @property
    def is_sacral(self) -> bool:
        return self.upper.is_sacral

    @property
    def lateral_mm(self) -> float:
        return (self.upper.lateral_mm + self.lower.lateral_mm) / 2

    @property
    def half_width_mm(self) -> float:
        return (self.upper.half_width_mm + self.lower.half_width_mm) / 2

    @property
    def centre(self) -> Plane:
        """(2,) plane point between the middles of both endplates."""
        return np.asarray((self.upper.corners[[2, 3]].mean(axis=0) + self.lower.corners[[0, 1]].mean(axis=0)) / 2)


@dataclass(frozen=True)
class Spine:
    """bodies and discs from the head downwards; disc k lies below body k. conus_inferior_mm: where the cord ends."""

    bodies: tuple[Body, ...]
    discs: tuple[DiscShape, ...]
    conus_inferior_mm: float
    stature: float
    age: float

    def body(self, level: str) -> Body:
        return next(body for body in self.bodies if body.level == level)
