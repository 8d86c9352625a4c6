"""The words of the lumbar spine: levels, grading tasks, vertebrae and discs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Affine = NDArray[np.float64]
Point = NDArray[np.float64]

VERTEBRA_LEVELS = ("T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1")
"""Vertebrae from the head downwards."""

DISC_LEVELS = ("T12-L1", "L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")
"""The six discs that are graded, from the head downwards."""

MOST_LEVELS_MOVED = 2
"""How many levels a reader may move all names."""


def disc_level(upper: str, lower: str) -> str:
    """Name of the disc between two vertebrae, such as `L4-L5`."""
    return f"{upper}-{lower}"


def disc_label(level: str) -> int:
    """Value of a graded disc in label maps: 1 = L5-S1 ... 6 = T12-L1."""
    return len(DISC_LEVELS) - DISC_LEVELS.index(level)


class Task(Enum):
    """One of the six gradings; its value is its name in every file."""

    PFIRRMANN = "pfirrmann"
    NARROWING = "narrowing"
    UPPER_ENDPLATE = "upper_endplate"
    LOWER_ENDPLATE = "lower_endplate"
    UPPER_MARROW = "upper_marrow"
    LOWER_MARROW = "lower_marrow"

    @property
    def title(self) -> str:
        """How the task is called on screen."""
        return _TITLES[self]

    @property
    def labels(self) -> dict[int, str]:
        """What each grade of the clinic's numbering means, in rising order."""
        return _LABELS.get(self, _DEFECT_LABELS if "endplate" in self.value else _MARROW_LABELS)

    @property
    def grades(self) -> tuple[int, ...]:
        """The clinic's numbers, one per class of the network's output, in rising order."""
        return tuple(self.labels)

    @property
    def is_binary(self) -> bool:
        """Whether the task only tells normal (0) from abnormal (1)."""
        return len(self.grades) == 2


_TITLES = {
    Task.PFIRRMANN: "Pfirrmann",
    Task.NARROWING: "Narrowing",
    Task.UPPER_ENDPLATE: "Upper endplate",
    Task.LOWER_ENDPLATE: "Lower endplate",
    Task.UPPER_MARROW: "Upper marrow",
    Task.LOWER_MARROW: "Lower marrow",
}
_LABELS = {
    Task.PFIRRMANN: {
        1: "bright and homogeneous",
        2: "bright, inhomogeneous",
        3: "grey, border unclear",
        4: "dark, border lost",
        5: "black, collapsed",
    },
    Task.NARROWING: {1: "none", 2: "slight", 3: "moderate", 4: "severe"},
}
_DEFECT_LABELS = {0: "intact", 1: "defect"}
_MARROW_LABELS = {0: "normal", 1: "changed"}


@dataclass(frozen=True)
class Vertebra:
    """A vertebral body.

    centre_ras_mm: (3,) mean of its corners. corners_ras_mm: (4, 3) anterior-superior, posterior-superior,
    posterior-inferior, anterior-inferior, on its own mid-sagittal plane. half_width_mm: from that plane to either
    side, along the slice normal. confidence: the detector's, in [0, 1].
    """

    level: str
    corners_ras_mm: NDArray[np.float64]
    half_width_mm: float
    confidence: float

    @property
    def centre_ras_mm(self) -> Point:
        return np.asarray(self.corners_ras_mm.mean(axis=0), dtype=np.float64)


def neighbours(vertebrae: Iterable[Vertebra]) -> list[tuple[Vertebra, Vertebra]]:
    """Upper and lower vertebra of every disc, from the head downwards; where one is missing between there is none."""
    by_level = {vertebra.level: vertebra for vertebra in vertebrae}
    levels = [pair for pair in pairwise(VERTEBRA_LEVELS) if by_level.keys() >= set(pair)]
    return [(by_level[upper], by_level[lower]) for upper, lower in levels]


@dataclass(frozen=True)
class Disc:
    """An intervertebral disc, as the space between two bodies.

    centre_ras_mm: (3,). posterior, inferior, left: (3,) orthonormal RAS directions of its own frame, `left` being the
    normal of the sagittal slices. width_mm: antero-posterior. height_mm: between the endplates.
    """

    upper: Vertebra
    lower: Vertebra
    centre_ras_mm: Point
    posterior: Point
    inferior: Point
    left: Point
    width_mm: float
    height_mm: float

    @property
    def level(self) -> str:
        return disc_level(self.upper.level, self.lower.level)
