"""The report's pictures: the overview of the spine, and the evidence of each disc."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import Disc, FloatArray, Point, Task, Vertebra, disc_label
from SpineNetCore.pictures import Grid, Window, grey_picture, heat_picture, picture_places, whole_slice
from SpineNetCore.report_types import DiscResult, SpineReport
from SpineNetCore.scan import Scan, mapped

OVERVIEW_PIXELS = 900
"""The most pixels along the longer side of the overview."""
CROP_PIXELS = (180, 288)
_SHOWN_WIDTHS = 2.1
"""Height and width of a crop in pixels; its width in disc widths. ours: slightly more than the disc volume's box."""


@dataclass(frozen=True)
class Evidence:
    """One task's heat map on one disc, where it is strongest.

    slice_number: counted from 1. plain, overlaid: SVG of the bare scan and of the heat map over it. is_blank: no heat.
    """

    task: Task
    slice_number: int
    plain: str
    overlaid: str
    is_blank: bool


@dataclass(frozen=True)
class DiscFigures:
    """The pictures of one disc.

    definitions: SVG, itself invisible, of the slices that the other pictures refer to, so that the page holds each only
    once. central: SVG of the bare scan through the disc's centre. evidence: one per task, none without hotspots.
    """

    definitions: str
    central: str
    evidence: tuple[Evidence, ...]


def overview(report: SpineReport, window: Window) -> str:
    """SVG of the mid-sagittal slice with vertebrae outlined and named, and discs marked and named."""
    scan = report.scan
    number = _mid_sagittal_slice(report)
    grid = whole_slice(scan, OVERVIEW_PIXELS)
    marks = [_vertebra_mark(vertebra, scan, grid) for vertebra in report.vertebrae]
    marks += [
        _disc_mark(result, result.centre_ras_mm, scan, grid)
        for result in report.discs
        if result.centre_ras_mm is not None
    ]
    levels = ", ".join(result.level for result in report.discs if result.centre_ras_mm is not None) or "none"
    return (
        f'<svg class="overview" viewBox="0 0 {grid.width} {grid.height}" role="img" '
        f'aria-label="Mid-sagittal slice; discs found: {levels}">'
        f'<image width="{grid.width}" height="{grid.height}" href="{grey_picture(scan.voxels[number], grid, window)}"/>'
        f"{''.join(marks)}</svg>"
    )


def disc_figures(report: SpineReport, window: Window) -> dict[str, DiscFigures]:
    """Pictures of every disc that was found, by level; without evidence where the report has no hotspots."""
    regions = ndimage.find_objects(report.disc_labels, max_label=len(report.discs))
    figures = {}
    for result in report.discs:
        region = regions[disc_label(result.level) - 1]
        if result.disc is not None and region is not None:
            figures[result.level] = _figures_of(report, result.disc, region, window)
    return figures


def _mid_sagittal_slice(report: SpineReport) -> int:
    slices = len(report.scan.voxels)
    if not report.vertebrae:
        return slices // 2
    centres = mapped(report.scan.ijk_from_ras, np.stack([vertebra.centre_ras_mm for vertebra in report.vertebrae]))
    return int(np.clip(np.rint(np.median(centres[:, 0])), 0, slices - 1))


def _vertebra_mark(vertebra: Vertebra, scan: Scan, grid: Grid) -> str:
    corners = picture_places(vertebra.corners_ras_mm, scan, grid)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    x, y = corners.mean(axis=0)
    return (
        f'<polygon class="body" points="{points}"/>'
        f'<text class="body-name" x="{x:.1f}" y="{y:.1f}" font-size="{2.4 * _unit(grid):.1f}">{vertebra.level}</text>'
    )


def _disc_mark(result: DiscResult, centre_ras_mm: Point, scan: Scan, grid: Grid) -> str:
    unit = _unit(grid)
    x, y = picture_places(centre_ras_mm, scan, grid)
    end_x, end_y = x + 9 * unit, y
    if result.disc is not None:
        end_x, end_y = picture_places(centre_ras_mm + 1.05 * result.disc.width_mm * result.disc.posterior, scan, grid)
    shown = float(np.clip((grid.width - 10 * unit - x) / max(end_x - x, 1e-6), 0, 1))  # the name must lie inside, too
    end_x, end_y = x + shown * (end_x - x), y + shown * (end_y - y)
    kind = "disc" if result.scores is not None else "disc unscored"
    return (
        f'<line class="{kind}" x1="{x:.1f}" y1="{y:.1f}" x2="{end_x:.1f}" y2="{end_y:.1f}"/>'
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{0.7 * unit:.1f}"/>'
        f'<text class="disc-name" x="{end_x + 0.6 * unit:.1f}" y="{end_y:.1f}" font-size="{2.2 * unit:.1f}">'
        f"{result.level}</text>"
    )


def _unit(grid: Grid) -> float:
    """For sizes of text and marks: a hundredth of the picture's longer side, less where it is narrow."""
    return min(max(grid.width, grid.height) / 100, grid.width / 50)


def _figures_of(report: SpineReport, disc: Disc, region: tuple[slice, slice, slice], window: Window) -> DiscFigures:
    grid = _crop_grid(report.scan, disc)
    last = len(report.scan.voxels) - 1
    central = int(np.clip(np.rint(mapped(report.scan.ijk_from_ras, disc.centre_ras_mm)[0]), 0, last))
    inside = report.disc_labels[region] == disc_label(disc.level)
    evidence = tuple(
        _evidence(disc, task, _strongest_slice(heat, inside, region, central), grid)
        for task, heat in (report.hotspots or {}).items()
    )
    numbers = sorted({central + 1, *(item.slice_number for item in evidence)})
    definitions = "".join(_definition(report.scan, disc, number, grid, window) for number in numbers)
    return DiscFigures(
        f'<svg class="definitions" aria-hidden="true">{definitions}</svg>', _plain(disc, central + 1), evidence
    )


def _strongest_slice(
    heat: FloatArray, inside: NDArray[np.bool_], region: tuple[slice, slice, slice], central: int
) -> tuple[int, FloatArray]:
    """The index of the slice with the most heat inside the disc's region, and its heat [row, column] in there."""
    heat_inside = heat[region] * inside
    per_slice = heat_inside.sum(axis=(1, 2))
    slice_heat = np.zeros_like(heat[0])
    if not per_slice.any():
        return central, slice_heat
    strongest = int(per_slice.argmax())
    slice_heat[region[1:]] = heat_inside[strongest]
    return region[0].start + strongest, slice_heat


def _evidence(disc: Disc, task: Task, strongest: tuple[int, FloatArray], grid: Grid) -> Evidence:
    index, heat = strongest
    number = index + 1
    overlaid = _crop(
        f"{disc.level}, {task.title}: evidence hotspots on slice {number}",
        f'<use href="#{_slice_name(disc, number)}"/>'
        f'<image class="heat" width="{grid.width}" height="{grid.height}" href="{heat_picture(heat, grid)}"/>',
    )
    return Evidence(task, number, _plain(disc, number), overlaid, is_blank=not heat.any())


def _crop_grid(scan: Scan, disc: Disc) -> Grid:
    """The disc upright, front to the left; the same for every slice, as slices are parallel to the disc's plane."""
    height, width = CROP_PIXELS
    pixel_mm = _SHOWN_WIDTHS * disc.width_mm / width
    back_mm = (np.arange(width) - (width - 1) / 2) * pixel_mm
    down_mm = (np.arange(height) - (height - 1) / 2)[:, None] * pixel_mm
    points = disc.centre_ras_mm + back_mm[:, None] * disc.posterior + down_mm[..., None] * disc.inferior
    indices = mapped(scan.ijk_from_ras, points)  # (height, width, 3)
    return Grid(indices[..., 1], indices[..., 2])


def _definition(scan: Scan, disc: Disc, number: int, grid: Grid, window: Window) -> str:
    picture = grey_picture(scan.voxels[number - 1], grid, window)
    return f'<image id="{_slice_name(disc, number)}" width="{grid.width}" height="{grid.height}" href="{picture}"/>'


def _slice_name(disc: Disc, number: int) -> str:
    return f"{disc.level}-slice-{number}"


def _plain(disc: Disc, number: int) -> str:
    return _crop(f"{disc.level}, slice {number}", f'<use href="#{_slice_name(disc, number)}"/>')


def _crop(label: str, content: str) -> str:
    height, width = CROP_PIXELS
    return (
        f'<svg class="crop" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{content}'
        f'<text x="6" y="{height / 2}">A</text><text x="{width - 6}" y="{height / 2}" text-anchor="end">P</text></svg>'
    )
