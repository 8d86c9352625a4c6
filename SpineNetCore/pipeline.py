"""The whole story: a scan goes in, a report comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from SpineNetCore.anatomy import DISC_LEVELS, FloatArray, Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE, DiscVolume, cut_disc_volume
from SpineNetCore.file_names import named
from SpineNetCore.given_spine import read_spine
from SpineNetCore.hotspots import HotspotSettings, disc_hotspots, scaled_hotspots
from SpineNetCore.localisation import Spine, find_spine
from SpineNetCore.models import Models
from SpineNetCore.naming_override import NamingOverride
from SpineNetCore.progress import Count, Stages
from SpineNetCore.report_types import DiscResult, ModelUse, Settings, SpineReport
from SpineNetCore.scan import Scan, with_averaged_slices
from SpineNetCore.scan_files import read_scan
from SpineNetCore.scan_maps import disc_labels, maps_on_scan
from SpineNetCore.scores import score_discs
from SpineNetCore.task_score import TaskScore
from SpineNetCore.views import MOST_VIEWS

Scores = Sequence[tuple[TaskScore, ...]]

NOT_ASKED_FOR = "Not asked for."
"""Why a disc left out of `AnalysisSettings.levels` has no score."""


@dataclass(frozen=True)
class AnalysisSettings:
    """views: fixed views that score a disc, 1 to 54. hotspot_views: random views behind a map, 0 for no maps.

    levels: the discs to grade. vertebrae: file to take vertebrae and discs from, None to detect them. labels: what the
    values of that file mean if it is a label map, None to tell it from them. naming: the names of detected levels as
    the reader sets them.
    """

    views: int = MOST_VIEWS
    hotspot_views: int = 32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    levels: tuple[str, ...] = DISC_LEVELS
    vertebrae: Path | None = None
    labels: str | None = None
    naming: NamingOverride | None = None

    def for_report(self) -> Settings:
        """What a report says of them."""
        file = None if self.vertebrae is None else self.vertebrae.name
        naming = self.naming or NamingOverride()
        lowest = None if naming.lowest is None else str(naming.lowest)
        return Settings(
            self.views, self.hotspot_views, str(self.device), self.levels, file, lowest, shift_levels=naming.shift
        )


def analyse(path: Path, models: Models, settings: AnalysisSettings, stages: Stages) -> SpineReport:
    """Read a scan, find and name its discs, grade them, and map the evidence; raises InputError for unusable scans."""
    with stages.stage("read"):
        scan = read_scan(path)
    with stages.stage("localise") as count:
        spine = _spine(scan, models, settings, count)
    with stages.stage("cut"):
        thick = with_averaged_slices(scan)
        volumes = [cut_disc_volume(thick, disc) for disc in spine.discs if disc.level in settings.levels]
        contexts = np.stack([v.context for v in volumes]) if volumes else np.zeros((0, *CONTEXT_SHAPE), np.float32)
    with stages.stage("score") as count:
        scores = score_discs(models.grader, contexts, settings.views, settings.device, count)
    hotspots = None
    if settings.hotspot_views:
        with stages.stage("hotspots") as count:
            chosen = HotspotSettings(settings.hotspot_views, device=settings.device)
            maps = scaled_hotspots(disc_hotspots(models.grader, contexts, scores, chosen, count))
            hotspots = _on_scan(scan, volumes, maps)
    return SpineReport(
        scan=scan,
        source=named(path),
        vertebrae=spine.vertebrae,
        discs=_results(spine, volumes, scores, settings),
        models=_model_uses(models, settings),
        timings_s=stages.seconds,
        warnings=(*scan.doubts, *spine.warnings),
        settings=settings.for_report(),
        hotspots=hotspots,
        disc_labels=disc_labels(scan, volumes),
        shifts=spine.shifts,
        naming_doubts=spine.naming_doubts,
    )


def _spine(scan: Scan, models: Models, settings: AnalysisSettings, count: Count) -> Spine:
    if settings.vertebrae is not None:
        return read_spine(settings.vertebrae, scan, settings.labels)
    return find_spine(scan, models.detector.to(settings.device), settings.device, count, settings.naming)


def _on_scan(scan: Scan, volumes: Sequence[DiscVolume], maps: FloatArray) -> Mapping[Task, FloatArray]:
    """maps: (D, T, 9, 112, 224)."""
    return {task: maps_on_scan(scan, volumes, maps[:, row]) for row, task in enumerate(Task)}


def _results(
    spine: Spine, volumes: Sequence[DiscVolume], scores: Scores, settings: AnalysisSettings
) -> tuple[DiscResult, ...]:
    scored = {volume.level: disc_scores for volume, disc_scores in zip(volumes, scores, strict=True)}
    return tuple(_result(spine, level, scored.get(level), level in settings.levels) for level in DISC_LEVELS)


def _result(spine: Spine, level: str, scores: tuple[TaskScore, ...] | None, is_asked_for: bool) -> DiscResult:
    disc = spine.disc(level)
    centre = None if disc is None else disc.centre_ras_mm
    reason = None if scores else spine.reason_for_absence(level) if is_asked_for else NOT_ASKED_FOR
    return DiscResult(level, centre, reason, scores, disc)


def _model_uses(models: Models, settings: AnalysisSettings) -> tuple[ModelUse, ...]:
    named = {"detector": models.detector_file, "grader": models.grader_file}
    return tuple(
        ModelUse(name, stored.path.name, stored.digest, str(stored.note.get("description", "")))
        for name, stored in named.items()
        if name == "grader" or settings.vertebrae is None
    )
