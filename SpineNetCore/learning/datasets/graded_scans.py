"""The one form that every data set takes: scans, whose patients they show, and what readers said of their discs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from SpineNetCore.anatomy import Task

GradeSets = Mapping[Task, frozenset[int]]


class Split(Enum):
    """What a patient is for; its value is its name in tables."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class DiscLabel:
    """What is known of one disc.

    grades: per task the grades that it may have; a task without label is absent. marrow_changed: at least one side is,
    though it is not known which.
    """

    grades: GradeSets
    marrow_changed: bool = False

    @property
    def tells_something(self) -> bool:
        """Whether any task has a label."""
        return bool(self.grades) or self.marrow_changed


@dataclass(frozen=True)
class ScanFile:
    """A scan to be read; mask: a SPIDER mask on its grid that says where the discs are, else a detector finds them."""

    path: Path
    mask: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All that its discs are cut from."""
        return (self.path,) if self.mask is None else (self.path, self.mask)


@dataclass(frozen=True)
class PictureFile:
    """A mid-sagittal slice as a plain picture; spacing_mm: of its square pixels, only approximate; discs_in_view: as
    counted by a reader.
    """

    path: Path
    spacing_mm: float
    discs_in_view: int

    @property
    def files(self) -> tuple[Path, ...]:
        """All that its discs are cut from."""
        return (self.path,)


@dataclass(frozen=True)
class GradedScan:
    """A scan with labels per level.

    source: the table that has them. split: None where the table leaves it open. is_reserved: of a subset that its data
    set reserves for tests, whose patients are no part of those that are split into tenths.
    """

    patient: str
    source: Path
    image: ScanFile | PictureFile
    labels: Mapping[str, DiscLabel]
    split: Split | None = None
    is_reserved: bool = False
