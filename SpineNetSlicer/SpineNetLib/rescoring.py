"""A disc that a reader put elsewhere is graded again on its own, and takes its place in the analysis."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from SpineNetCore.anatomy import Task, disc_label
from SpineNetCore.errors import InputError
from SpineNetLib.analysis import Analysis, Part, check_in_place
from SpineNetLib.corrections import DiscMoved, Signature, levels_moved
from SpineNetLib.disc_line import lined_disc, placement_on_line, remove_disc_line
from SpineNetLib.markers import move_disc_markers
from SpineNetLib.one_step import in_one_step
from SpineNetLib.placements import Placement, placement
from SpineNetLib.readings import moved_level
from SpineNetLib.results import DiscFinding, Result
from SpineNetLib.scan_nodes import in_scan_order
from SpineNetLib.segments import disc_mask, replace_disc_segment
from SpineNetLib.tables import corrections, log_correction

Content = dict[str, Any]


@dataclass(frozen=True)
class Rescoring:
    """One disc to be graded where a reader put it.

    level: the disc's in the analysis. original, new: where it was, and where it is put. report: the text of a
    `report.json` that has it there. views, hotspot_views: those that the other discs were seen through.
    """

    level: str
    original: Placement
    new: Placement
    report: str
    views: int
    hotspot_views: int


def asked_rescoring(analysis: Analysis) -> Rescoring:
    """What the line in the scene asks for; raises InputError where there is none, or it can be no place for a disc."""
    level = lined_disc(analysis)
    if level is None:
        raise InputError("No disc is being moved: pick one in the table and press 'Move disc'.")
    check_in_place(analysis)
    if analysis.node(Part.DISC_LINE).GetTransformNodeID() != analysis.scan.GetTransformNodeID():
        raise InputError(f"'{analysis.scan.GetName()}' was moved away from the line: pick a cell, then drag it again.")
    finding = analysis.findings.disc(level)
    if finding.centre_ras_mm is None or finding.geometry is None:
        raise InputError(f"{level} was not found: cancel the move.")
    new = placement_on_line(analysis, finding)
    original = placement(finding.centre_ras_mm, finding.geometry.posterior)
    settings = json.loads(analysis.record.GetText())["settings"]
    report = _report_with(analysis, finding, new)
    return Rescoring(level, original, new, report, settings["views"], settings["hotspot_views"])


def take_in(analysis: Analysis, rescoring: Rescoring, result: Result, signature: Signature) -> None:
    """Give the disc its new place, grades, evidence and voxels in one step, and log what was moved.

    Corrections by readers stay. Raises InputError, and changes nothing, where the disc could not be graded there, or
    its line was removed or its scan moved for good meanwhile.
    """
    check_in_place(analysis)
    if lined_disc(analysis) != rescoring.level:
        raise InputError(f"The line of {rescoring.level} was removed while it was graded: move the disc again.")
    analysis.require(Part.CORRECTIONS, Part.DISC_SEGMENTS)
    earlier, found = analysis.findings.disc(rescoring.level), result.findings.disc(rescoring.level)
    if not found.scores:
        reason = (found.reason or "no reason given").rstrip(".")
        raise InputError(f"{rescoring.level} could not be graded there ({reason}): drag the line elsewhere.")
    _check_same_grader(analysis, result)
    result = result.with_each_volume(partial(in_scan_order, analysis.scan))
    report = _report_with_disc(analysis, result, rescoring.level)
    maps = _merged_maps(analysis, result, rescoring.level)
    name = moved_level(rescoring.level, levels_moved(corrections(analysis)))
    mask = result.disc_labels.voxels.transpose(2, 1, 0) == disc_label(rescoring.level)
    entry = DiscMoved(signature, rescoring.level, rescoring.original, rescoring.new, _grades(earlier), _grades(found))
    with in_one_step(analysis.scene):
        analysis.record.SetText(report)
        for task, heat in maps.items():
            slicer.util.updateVolumeFromArray(analysis.heat_map(task), heat)
        replace_disc_segment(analysis, rescoring.level, name, mask)
        move_disc_markers(analysis, rescoring.level, earlier)
        remove_disc_line(analysis)
        log_correction(analysis, entry)


def _check_same_grader(analysis: Analysis, result: Result) -> None:
    of_all, of_one = (
        json.loads(text)["models"]["grader"] for text in (analysis.record.GetText(), result.findings.text)
    )
    if of_all["digest"] != of_one["digest"]:
        raise InputError(
            f"The other discs were graded by another model ({of_all['digest']}, not {of_one['digest']}): choose the "
            "folder of models that the scan was analysed with."
        )


def _grades(finding: DiscFinding) -> tuple[int, ...]:
    return tuple(finding.scores[task].grade for task in Task if task in finding.scores)


def _report_with(analysis: Analysis, finding: DiscFinding, new: Placement) -> str:
    """The report with the disc where it is put; its size stays as it was measured."""
    content: Content = json.loads(analysis.record.GetText())
    entry = _entry(content, finding.level)
    left = np.array(entry["geometry"]["left_ras"])
    entry["centre_ras_mm"] = list(new.centre_ras_mm)
    entry["geometry"] |= {
        "posterior_ras": list(new.posterior_ras),
        "inferior_ras": np.cross(new.posterior_ras, left).round(4).tolist(),
    }
    return json.dumps(content)


def _report_with_disc(analysis: Analysis, result: Result, level: str) -> str:
    """The analysis' report with that disc's entry from the result."""
    content: Content = json.loads(analysis.record.GetText())
    fresh = _entry(json.loads(result.findings.text), level)
    content["discs"] = [fresh if entry["level"] == level else entry for entry in content["discs"]]
    return json.dumps(content, indent=2, ensure_ascii=False)


def _entry(content: Content, level: str) -> Content:
    entry: Content = next(entry for entry in content["discs"] if entry["level"] == level)
    return entry


def _merged_maps(analysis: Analysis, result: Result, level: str) -> Mapping[Task, NDArray[np.float32]]:
    """The heat maps with this disc's share exchanged, [k, j, i].

    ours: a disc graded alone is scaled to itself; it keeps the strength that its evidence had beside the other discs.
    """
    nodes = {task: node for task, node in analysis.heat_maps().items() if task in result.hotspots}
    if not nodes:
        return {}
    maps, share = {}, _share(analysis, level)
    for task, node in nodes.items():
        heat = slicer.util.arrayFromVolume(node)
        strongest = float(heat[share].max(initial=0)) or 1.0
        fresh = strongest * result.hotspots[task].voxels.transpose(2, 1, 0)
        maps[task] = np.maximum(np.where(share, 0, heat), fresh).astype(np.float32)
    return maps


def _share(analysis: Analysis, level: str) -> NDArray[np.bool_]:
    """Voxels [k, j, i] whose heat is this disc's; where its segment was deleted, all that no other disc has.

    Raises InputError where that cannot be told, other segments being deleted, too.
    """
    share = disc_mask(analysis, [level])
    if share.any():
        return share
    others = [disc.level for disc in analysis.findings.discs if disc.scores and disc.level != level]
    deleted = [other for other in others if not disc_mask(analysis, [other]).any()]
    if deleted:
        moved = levels_moved(corrections(analysis))
        names = ", ".join(moved_level(other, moved) for other in deleted)
        raise InputError(f"The segments of other discs ({names}) were deleted: load the result again.")
    return ~disc_mask(analysis, others)
