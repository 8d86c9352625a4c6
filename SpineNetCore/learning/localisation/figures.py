"""A scan on which something went wrong, as a picture: what is there, and what was said."""

from __future__ import annotations

from html import escape

import numpy as np
from scipy import ndimage

from SpineNetCore.anatomy import Disc, Vertebra
from SpineNetCore.learning.localisation.cases import OTHER_DISC, Case
from SpineNetCore.localisation import Spine
from SpineNetCore.pictures import Grid, data_uri, grey_picture, picture_places, png, scan_window, whole_slice
from SpineNetCore.scan import mapped

LONGEST_PIXELS = 460
_TRUTH_COLOURS = np.array([[0, 0, 0, 0], [110, 231, 135, 255], [170, 170, 170, 255]], dtype=np.uint8)


def failure_picture(case: Case, spine: Spine | None, label: str) -> str:
    """SVG of the mid-slice of the true discs, these outlined and named, and over them the bodies and discs found."""
    number = _mid_slice(case)
    grid = whole_slice(case.scan, LONGEST_PIXELS)
    graded = (case.discs > 0) & (case.discs < OTHER_DISC)
    grey = grey_picture(case.scan.voxels[number], grid, scan_window(case.scan, graded))
    marks = [_true_name(case, level, grid) for level in case.levels]
    if spine is not None:
        marks += [_body(vertebra, case, grid) for vertebra in spine.vertebrae]
        marks += [_reported(disc, case, grid) for disc in spine.discs]
    size = f'width="{grid.width}" height="{grid.height}"'
    return (
        f'<svg class="overview" viewBox="0 0 {grid.width} {grid.height}" role="img" aria-label="{escape(label)}">'
        f'<image {size} href="{grey}"/><image {size} href="{_true_outlines(case, number, grid)}"/>'
        f"{''.join(marks)}</svg>"
    )


def _mid_slice(case: Case) -> int:
    centres = [mapped(case.scan.ijk_from_ras, case.centre(level))[0] for level in case.levels]
    middle = float(np.median(centres)) if centres else (len(case.discs) - 1) / 2
    return int(np.clip(np.rint(middle), 0, len(case.discs) - 1))


def _true_outlines(case: Case, number: int, grid: Grid) -> str:
    """PNG's data URI: rims of the graded discs in green, of others in grey."""
    rows, columns = (np.rint(places).astype(int) for places in (grid.rows, grid.columns))
    _, row_count, column_count = case.discs.shape
    on_grid = case.discs[number][np.clip(rows, 0, row_count - 1), np.clip(columns, 0, column_count - 1)]
    inner = ndimage.minimum_filter(on_grid, 3) == ndimage.maximum_filter(on_grid, 3)
    rim = np.where(inner | (on_grid == 0), 0, np.where(on_grid == OTHER_DISC, 2, 1)).astype(np.uint8)
    return data_uri(png(rim, _TRUTH_COLOURS))


def _true_name(case: Case, level: str, grid: Grid) -> str:
    """Named behind the canal, at the height of the disc."""
    columns = np.nonzero(case.disc(level))[2]
    _, y = picture_places(case.centre(level), case.scan, grid)
    x = (columns.max() + 1) * grid.width / case.discs.shape[2] + 0.03 * grid.height
    return _text("true-name", x, y, level)


def _body(vertebra: Vertebra, case: Case, grid: Grid) -> str:
    corners = picture_places(vertebra.corners_ras_mm, case.scan, grid)
    x_middle, y_middle = corners.mean(axis=0)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polygon class="body" points="{points}"/>' + _text("body-name", x_middle, y_middle, vertebra.level)


def _reported(disc: Disc, case: Case, grid: Grid) -> str:
    x, y = picture_places(disc.centre_ras_mm, case.scan, grid)
    front = x - 0.6 * disc.width_mm * grid.height / (case.discs.shape[1] * case.scan.spacing_mm[1])
    return f'<circle class="disc" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' + _text("disc-name", front, y, disc.level)


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="14">{text}</text>'
