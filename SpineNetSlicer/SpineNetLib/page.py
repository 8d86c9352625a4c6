"""The page of the command line, `report.html`, written from the scene: the grades as they stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from SpineNetCore.anatomy import DISC_LEVELS, Disc, Task, Vertebra, disc_label, disc_level, neighbours
from SpineNetCore.file_volume import checked_scan
from SpineNetCore.report_page import page_html
from SpineNetCore.report_types import DiscResult, ModelUse, Settings, SpineReport
from SpineNetCore.scan import Scan
from SpineNetCore.task_score import TaskScore
from SpineNetLib.analysis import Analysis, check_in_place
from SpineNetLib.corrections import levels_moved
from SpineNetLib.export import write_whole
from SpineNetLib.readings import DiscReading, GradeReading, moved_level
from SpineNetLib.remarks import remarks
from SpineNetLib.results import DiscFinding
from SpineNetLib.scan_nodes import volume_of
from SpineNetLib.segments import disc_mask
from SpineNetLib.standing_warnings import standing_warnings
from SpineNetLib.tables import corrections, current_readings

Pairs = Mapping[str, tuple[Vertebra, Vertebra]]


def export_page(analysis: Analysis, path: Path) -> None:
    """Write one self-contained HTML page with the readers' grades and levels, and what they changed among its remarks.

    Raises InputError where the file cannot be written, an earlier one being left as it was.
    """
    write_whole(path, page_html(current_report(analysis)))


def current_report(analysis: Analysis) -> SpineReport:
    """The analysis as the command line would report it, had it found what holds after the readers.

    Raises InputError where the scan was moved away from it.
    """
    check_in_place(analysis)
    content = json.loads(analysis.record.GetText())
    scan = replace(checked_scan(volume_of(analysis.scan)), name=analysis.scan.GetName())
    log, (found, pairs) = corrections(analysis), _as_called_now(analysis)
    settings, naming = content["settings"], content["naming"]
    maps = {task: _on_slices(scan, slicer.util.arrayFromVolume(node)) for task, node in analysis.heat_maps().items()}
    return SpineReport(
        scan=scan,
        source=Path(scan.name.replace("/", "-")),
        vertebrae=found,
        discs=tuple(_result(reading, pairs) for reading in current_readings(analysis)),
        models=tuple(
            ModelUse(name, use["file"], use["digest"], use["description"]) for name, use in content["models"].items()
        ),
        timings_s=content["timings_s"],
        warnings=(*standing_warnings(analysis.findings, levels_moved(log)), *remarks(log)),
        settings=Settings(settings["views"], settings["hotspot_views"], settings["device"]),
        hotspots=maps if set(maps) == set(Task) else None,
        disc_labels=_on_slices(scan, _labels(analysis)),
        shifts={0: naming["confidence"]} | {a["shift_levels"]: a["probability"] for a in naming["alternatives"]},
        naming_doubts=analysis.findings.naming_doubts,
    )


def _as_called_now(analysis: Analysis) -> tuple[tuple[Vertebra, ...], Pairs]:
    """The vertebrae under their present names, and those above and below each disc by its level in the analysis."""
    moved, found = levels_moved(corrections(analysis)), analysis.findings.vertebrae
    now = {one.level: replace(one, level=moved_level(one.level, moved)) for one in found}
    pairs = {disc_level(a.level, b.level): (now[a.level], now[b.level]) for a, b in neighbours(found)}
    return tuple(now.values()), pairs


def _result(reading: DiscReading, pairs: Pairs) -> DiscResult:
    finding = reading.finding
    disc = None if finding is None else _disc(finding, pairs)
    centre = None if finding is None else finding.centre_ras_mm
    if not reading.grades:
        return DiscResult(reading.level, centre, reading.reason or "Not graded.", None, disc)
    return DiscResult(reading.level, centre, None, tuple(_score(grade) for grade in reading.grades.values()), disc)


def _disc(finding: DiscFinding, pairs: Pairs) -> Disc | None:
    geometry = finding.geometry
    if finding.centre_ras_mm is None or geometry is None or finding.level not in pairs:
        return None
    return Disc(
        *pairs[finding.level],
        centre_ras_mm=finding.centre_ras_mm,
        posterior=geometry.posterior,
        inferior=geometry.inferior,
        left=geometry.left,
        width_mm=geometry.width_mm,
        height_mm=geometry.height_mm,
    )


def _score(grade: GradeReading) -> TaskScore:
    """A grade that only a reader gave is certain to the page."""
    if grade.automatic is None:
        chances = tuple(float(number == grade.grade) for number in grade.task.grades)
        return TaskScore(grade.task, grade.grade, chances, None)
    return TaskScore(grade.task, grade.grade, grade.automatic.probabilities, grade.uncertainty)


def _labels(analysis: Analysis) -> NDArray[np.uint8]:
    """[k, j, i] of the scan: the discs' voxels under the levels as they are called now."""
    labels = np.zeros(slicer.util.arrayFromVolume(analysis.scan).shape, np.uint8)
    for reading in current_readings(analysis):
        if reading.finding is not None and reading.level in DISC_LEVELS:
            labels[disc_mask(analysis, [reading.finding.level])] = disc_label(reading.level)
    return labels


def _on_slices(scan: Scan, array: NDArray[Any]) -> NDArray[Any]:
    """[k, j, i] of a node on the scan's grid to [slice, row, column]."""
    if scan.file_grid is None:
        raise ValueError("a scan with averaged slices has no grid of a file")
    return np.ascontiguousarray(scan.file_grid.standard_from_file(array.transpose(2, 1, 0)))
