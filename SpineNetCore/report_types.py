"""What an analysis finds out about one scan, before any of it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import DISC_LEVELS, Disc, FloatArray, Point, Task, Vertebra
from SpineNetCore.scan import Scan
from SpineNetCore.task_score import TaskScore


@dataclass(frozen=True)
class DiscResult:
    """What became of one of the six discs: scored, or not scored for a reason.

    centre_ras_mm: (3,), None when the disc was not found. reason: one sentence, None when scored. scores: one per task,
    None when not scored. disc: None when not found.
    """

    level: str
    centre_ras_mm: Point | None
    reason: str | None
    scores: tuple[TaskScore, ...] | None
    disc: Disc | None

    @property
    def status(self) -> Literal["scored", "not scored"]:
        return "not scored" if self.scores is None else "scored"

    def score(self, task: Task) -> TaskScore | None:
        """This disc's score of one task, None when the disc was not scored."""
        return next((score for score in self.scores or () if score.task is task), None)


@dataclass(frozen=True)
class ModelUse:
    """A model that took part. digest: the first characters of its file's SHA-256."""

    name: str
    file: str
    digest: str
    description: str


@dataclass(frozen=True)
class Settings:
    """How the analysis was run.

    views: per disc for its scores. hotspot_views: per disc, 0 when none were asked for. levels: discs asked for.
    vertebrae_file: name of the file that vertebrae and discs were taken from, None when they were detected.
    lowest_level: the level that the reader gave to a disc, as `L5-S1=x,y,z`. shift_levels: how many levels towards the
    feet the reader moved all names.
    """

    views: int
    hotspot_views: int
    device: str
    levels: tuple[str, ...] = DISC_LEVELS
    vertebrae_file: str | None = None
    lowest_level: str | None = None
    shift_levels: int = 0


@dataclass(frozen=True)
class SpineReport:
    """Everything found on one scan.

    discs: always the six of DISC_LEVELS, T12-L1 first. hotspots: per task float32 in [0, 1] on the scan's voxels
    [slice, row, column]; None when none were asked for. disc_labels: uint8 [slice, row, column] of `disc_label`s.
    shifts: probability of these levels, under 0, and of all others, by how many levels towards the feet they lie.
    naming_doubts: those of the warnings that are over once a reader has named the levels.
    """

    scan: Scan
    source: Path
    vertebrae: tuple[Vertebra, ...]
    discs: tuple[DiscResult, ...]
    models: tuple[ModelUse, ...]
    timings_s: Mapping[str, float]
    warnings: tuple[str, ...]
    settings: Settings
    hotspots: Mapping[Task, FloatArray] | None
    disc_labels: NDArray[np.uint8]
    shifts: Mapping[int, float]
    naming_doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        levels = tuple(disc.level for disc in self.discs)
        if levels != DISC_LEVELS:
            raise ValueError(f"a report holds the discs {DISC_LEVELS}, not {levels}")
