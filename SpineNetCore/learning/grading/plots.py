"""Confusion matrices and reliability diagrams as SVG that follows the page's light or dark colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from SpineNetCore.learning.grading.calibration import Bin
from SpineNetCore.learning.grading.summary import Line

STYLE = """
.plots { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: flex-start; }
.plot { display: block; font-size: 12px; } .plot text { fill: var(--ink); }
.plot .soft-text { fill: var(--soft); font-size: 11px; } .plot .on-dark { fill: #fff; }
.plot .cell { fill: #0072b2; stroke: var(--line); } .plot .frame { fill: none; stroke: var(--line); }
.plot .ideal { stroke: var(--soft); stroke-dasharray: 4 4; }
.raw { fill: #d55e00; stroke: #d55e00; } .scaled { fill: #0072b2; stroke: #0072b2; }
@media (prefers-color-scheme: dark) { .scaled { fill: #56b4e9; stroke: #56b4e9; } }
.plot polyline { fill: none; stroke-width: 1.8; } .plot polyline.raw { stroke-dasharray: 6 3; }
"""

_CELL, _MARGIN = 44, 44
_SIDE = 190


def confusion_plot(line: Line) -> str:
    """A row per true and a column per given grade; in each cell the discs, and their share, as colour too."""
    grades, size = line.measure.grades, _MARGIN + _CELL * len(line.measure.grades)
    shares = line.counts / np.maximum(line.counts.sum(axis=1, keepdims=True), 1)
    cells = [
        _cell(row, column, int(line.counts[row, column]), float(shares[row, column]))
        for row in range(len(grades))
        for column in range(len(grades))
    ]
    middles = [_MARGIN + _CELL * (place + 0.5) for place in range(len(grades))]
    names = [_text(middle, _MARGIN - 7, str(grade)) for middle, grade in zip(middles, grades, strict=True)]
    names += [_text(_MARGIN - 12, middle + 4, str(grade)) for middle, grade in zip(middles, grades, strict=True)]
    centre = (_MARGIN + size) / 2
    titles = _text(centre, 14, "given", "soft-text")
    titles += f'<g transform="rotate(-90 12 {centre})">{_text(12, centre, "truth", "soft-text")}</g>'
    label = f"Confusion matrix, {line.measure.title}"
    return _svg(size + 2, size + 2, label, "".join([titles, *names, *cells]))


def reliability_plot(line: Line) -> str:
    """Share right over confidence as reported and after scaling, a mark per bin, its area growing with the discs."""
    ticks = [_text(_x(value), _SIDE + 32, f"{value:g}", "soft-text") for value in (0, 0.5, 1)]
    ticks += [_text(25, _y(value) + 4, f"{value:g}", "soft-text") for value in (0, 0.5, 1)]
    frame = f'<rect class="frame" x="{_x(0)}" y="{_y(1)}" width="{_SIDE}" height="{_SIDE}"/>'
    ideal = f'<line class="ideal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
    middle = _y(0.5)
    titles = _text(_x(0.5), _SIDE + 48, "confidence", "soft-text")
    titles += f'<g transform="rotate(-90 10 {middle})">{_text(10, middle, "share right", "soft-text")}</g>'
    series = _series(line.raw, "raw", line.discs) + _series(line.scaled, "scaled", line.discs)
    label = f"Reliability diagram, {line.measure.title}"
    return _svg(_SIDE + 50, _SIDE + 54, label, "".join([frame, ideal, *ticks, titles, series]))


def key_mark(kind: str) -> str:
    """The mark of a series as its key shows it; kind: `raw` or `scaled`."""
    return f'<svg width="16" height="16" aria-hidden="true">{_mark(kind, 8, 8, 6)}</svg>'


def _cell(row: int, column: int, count: int, share: float) -> str:
    x, y = _MARGIN + _CELL * column, _MARGIN + _CELL * row
    kind = "on-dark" if share > 0.8 else ""
    middle = x + _CELL / 2
    said = _text(middle, y + 20, str(count), kind) + _text(
        middle, y + 35, f"{share:.0%}", kind or ("soft-text" if share < 0.25 else "")
    )
    box = f'<rect class="cell" x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill-opacity="{share:.2f}"/>'
    return box + (said if count else "")


def _series(bins: Sequence[Bin], kind: str, discs: int) -> str:
    """A line through circles, or squares once scaled, so that colour is not all that tells them apart."""
    points = [(_x(one.confidence), _y(one.right), 3 + 9 * (one.discs / discs) ** 0.5) for one in bins]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    marks = "".join(_mark(kind, x, y, radius) for x, y, radius in points)
    return f'<polyline class="{kind}" points="{path}"/>{marks}' if bins else ""


def _mark(kind: str, x: float, y: float, radius: float) -> str:
    if kind == "raw":
        return f'<circle class="raw" fill-opacity=".35" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
    corner = f'x="{x - 0.9 * radius:.1f}" y="{y - 0.9 * radius:.1f}"'
    return f'<rect class="scaled" fill-opacity=".35" {corner} width="{1.8 * radius:.1f}" height="{1.8 * radius:.1f}"/>'


def _x(share: float) -> float:
    return 36 + _SIDE * share


def _y(share: float) -> float:
    return 14 + _SIDE * (1 - share)


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'


def _svg(width: float, height: float, label: str, content: str) -> str:
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return f'<svg class="plot" {size} role="img" aria-label="{escape(label)}">{content}</svg>'
