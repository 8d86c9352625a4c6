"""A result folder of the command line, read back without the network's libraries."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from SpineNetCore.anatomy import DISC_LEVELS, Affine, Point, Task, Vertebra
from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import FileVolume
from SpineNetCore.image_files import read_image

Json = Mapping[str, Any]


@dataclass(frozen=True)
class AutomaticScore:
    """What the network says of one task.

    probabilities: one per class of `task.grades`. uncertainty: None where the report does not tell.
    """

    grade: int
    probabilities: tuple[float, ...]
    uncertainty: float | None


@dataclass(frozen=True)
class DiscGeometry:
    """A disc's size and frame. width_mm: antero-posterior. posterior, inferior, left: (3,) orthonormal, RAS."""

    width_mm: float
    height_mm: float
    posterior: Point
    inferior: Point
    left: Point


@dataclass(frozen=True)
class DiscFinding:
    """A disc as the analysis found it.

    centre_ras_mm: (3,), None when not found. geometry: None when not found. reason: why there are no scores. scores:
    empty when not scored.
    """

    level: str
    centre_ras_mm: Point | None
    geometry: DiscGeometry | None
    reason: str | None
    scores: Mapping[Task, AutomaticScore]


@dataclass(frozen=True)
class Findings:
    """All of `report.json` that the scene shows, and its text as it was.

    scan_digest: of the voxels that were analysed, "" where an earlier version wrote none. shape, ras_from_ijk: of the
    scan that was analysed, [slice, row, column], RAS millimetres. naming_doubts: those of the warnings that are over
    once a reader has moved the names.
    """

    text: str
    scan_digest: str
    shape: tuple[int, int, int]
    ras_from_ijk: Affine
    vertebrae: tuple[Vertebra, ...]
    discs: tuple[DiscFinding, ...]
    warnings: tuple[str, ...]
    naming_doubts: tuple[str, ...]

    def disc(self, level: str) -> DiscFinding:
        """The one of that level of DISC_LEVELS."""
        return self.discs[DISC_LEVELS.index(level)]


@dataclass(frozen=True)
class Result:
    """A whole result folder. hotspots: one volume per task, or none at all. disc_labels: values of `disc_label`."""

    findings: Findings
    hotspots: Mapping[Task, FileVolume]
    disc_labels: FileVolume

    def with_each_volume(self, change: Callable[[FileVolume], FileVolume]) -> Result:
        """The same result with the label map and all heat maps changed alike."""
        hotspots = {task: change(volume) for task, volume in self.hotspots.items()}
        return replace(self, hotspots=hotspots, disc_labels=change(self.disc_labels))


def read_result(folder: Path) -> Result:
    """Read a result folder; raises InputError where it is not whole."""
    report = folder / "report.json"
    if not report.is_file():
        raise InputError(f"'{folder}' holds no report.json: choose a folder that an analysis has written.")
    findings = read_findings(_text(report), str(report))
    return Result(findings, _hotspots(folder), read_image(_existing(folder / "discs.nii.gz")))


@lru_cache(maxsize=8)
def read_findings(text: str, source: str) -> Findings:
    """Understand the text of a `report.json`; raises InputError, naming `source`, where it is no such report."""
    try:
        content = json.loads(text)
        discs = tuple(_disc(entry) for entry in content["discs"])
        if tuple(disc.level for disc in discs) != DISC_LEVELS:
            raise ValueError(f"its discs are not {', '.join(DISC_LEVELS)}")
        return Findings(
            text=text,
            scan_digest=str(content["scan"].get("digest", "")),
            shape=_shape(content["scan"]["shape"]),
            ras_from_ijk=_affine(content["scan"]["ras_from_ijk"]),
            vertebrae=tuple(_vertebra(entry) for entry in content["vertebrae"]),
            discs=discs,
            warnings=tuple(str(warning) for warning in content.get("warnings", ())),
            naming_doubts=tuple(str(doubt) for doubt in content.get("naming", {}).get("doubts", ())),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        said = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"'{source}' is not a report of SpineNet ({said}): analyse the scan again.") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' cannot be read ({error}): analyse the scan again.") from error


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"'{path}' is missing, so the result is not whole: analyse the scan again.")
    return path


def _hotspots(folder: Path) -> dict[Task, FileVolume]:
    if not (folder / "hotspots").exists():
        return {}
    return {task: read_image(_existing(folder / "hotspots" / f"{task.value}.nii.gz")) for task in Task}


def _disc(entry: Json) -> DiscFinding:
    return DiscFinding(
        level=str(entry["level"]),
        centre_ras_mm=None if entry["centre_ras_mm"] is None else _point(entry["centre_ras_mm"]),
        geometry=None if entry.get("geometry") is None else _geometry(entry["geometry"]),
        reason=entry["reason"],
        scores={Task(name): _score(Task(name), score) for name, score in entry["scores"].items()},
    )


def _geometry(entry: Json) -> DiscGeometry:
    posterior, inferior, left = (_point(entry[f"{name}_ras"]) for name in ("posterior", "inferior", "left"))
    return DiscGeometry(float(entry["width_mm"]), float(entry["height_mm"]), posterior, inferior, left)


def _score(task: Task, entry: Json) -> AutomaticScore:
    score = AutomaticScore(
        grade=int(entry["grade"]),
        probabilities=tuple(float(probability) for probability in entry["probabilities"]),
        uncertainty=None if entry.get("uncertainty") is None else float(entry["uncertainty"]),
    )
    if score.grade not in task.grades or len(score.probabilities) != len(task.grades):
        raise ValueError(f"{task.value} has grade {score.grade} and {len(score.probabilities)} probabilities")
    return score


def _vertebra(entry: Json) -> Vertebra:
    corners = np.array([_point(corner) for corner in entry["corners_ras_mm"]])
    return Vertebra(str(entry["level"]), corners, float(entry.get("half_width_mm", 0)), float(entry["confidence"]))


def _shape(values: Any) -> tuple[int, int, int]:
    slices, rows, columns = values
    return int(slices), int(rows), int(columns)


def _affine(values: Any) -> Affine:
    affine = np.array(values, dtype=np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise ValueError(f"{values} is no place of a scan")
    return affine


def _point(values: Any) -> Point:
    point = np.array(values, dtype=np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise ValueError(f"{values} is no point")
    return point
