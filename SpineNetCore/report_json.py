"""`report.json`: the whole report but for its volumes, as in `report.schema.json`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from SpineNetCore import RESEARCH_USE_NOTICE, __version__
from SpineNetCore.anatomy import Disc, Point, Vertebra
from SpineNetCore.report_types import DiscResult, Settings, SpineReport
from SpineNetCore.scan import Scan
from SpineNetCore.task_score import TaskScore

Json = dict[str, Any]

_LEAST_TOLD = 0.01


def json_text(report: SpineReport) -> str:
    """The report as JSON; raises ValueError where a number is not finite."""
    content: Json = {
        "version": __version__,
        "notice": RESEARCH_USE_NOTICE,
        "scan": _scan(report.scan, report.source.name),
        "models": {
            model.name: {"file": model.file, "digest": model.digest, "description": model.description}
            for model in report.models
        },
        "vertebrae": [_vertebra(vertebra) for vertebra in report.vertebrae],
        "naming": _naming(report),
        "discs": [_disc_result(disc) for disc in report.discs],
        "timings_s": {stage: round(float(seconds), 3) for stage, seconds in report.timings_s.items()},
        "settings": _settings(report.settings),
        "warnings": list(report.warnings),
    }
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _scan(scan: Scan, file_name: str) -> Json:
    return {
        "name": scan.name,
        "file": file_name,
        "digest": scan.digest,
        "axes": ["slice", "row", "column"],
        "shape": list(scan.voxels.shape),
        "spacing_mm": _numbers(np.asarray(scan.spacing_mm)),
        "ras_from_ijk": [[float(value) for value in row] for row in scan.ras_from_ijk],
    }


def _settings(settings: Settings) -> Json:
    return {
        "views": settings.views,
        "hotspot_views": settings.hotspot_views,
        "device": settings.device,
        "levels": list(settings.levels),
        "vertebrae_file": settings.vertebrae_file,
        "lowest_level": settings.lowest_level,
        "shift_levels": settings.shift_levels,
    }


def _naming(report: SpineReport) -> Json:
    """Other readings come in falling order of their probability, the least likely left out."""
    shifts = report.shifts
    others = sorted(shifts.keys() - {0}, key=lambda shift: -shifts[shift])
    told = [shift for shift in others if shifts[shift] >= _LEAST_TOLD]
    return {
        "confidence": round(shifts[0], 4),
        "alternatives": [{"shift_levels": shift, "probability": round(shifts[shift], 4)} for shift in told],
        "doubts": list(report.naming_doubts),
    }


def _vertebra(vertebra: Vertebra) -> Json:
    return {
        "level": vertebra.level,
        "centre_ras_mm": _numbers(vertebra.centre_ras_mm),
        "corners_ras_mm": [_numbers(corner) for corner in vertebra.corners_ras_mm],
        "half_width_mm": round(float(vertebra.half_width_mm), 4),
        "confidence": round(float(vertebra.confidence), 6),
    }


def _disc_result(result: DiscResult) -> Json:
    return {
        "level": result.level,
        "centre_ras_mm": None if result.centre_ras_mm is None else _numbers(result.centre_ras_mm),
        "status": result.status,
        "reason": result.reason,
        "scores": {score.task.value: _score(score) for score in result.scores or ()},
        "geometry": None if result.disc is None else _geometry(result.disc),
    }


def _score(score: TaskScore) -> Json:
    return {
        "grade": int(score.grade),
        "label": score.task.labels[score.grade],
        "probabilities": [round(float(probability), 6) for probability in score.probabilities],
        "uncertainty": None if score.uncertainty is None else round(float(score.uncertainty), 6),
    }


def _geometry(disc: Disc) -> Json:
    return {
        "width_mm": round(float(disc.width_mm), 4),
        "height_mm": round(float(disc.height_mm), 4),
        "posterior_ras": _numbers(disc.posterior),
        "inferior_ras": _numbers(disc.inferior),
        "left_ras": _numbers(disc.left),
    }


def _numbers(values: Point) -> list[float]:
    return [round(float(value), 4) for value in values]
