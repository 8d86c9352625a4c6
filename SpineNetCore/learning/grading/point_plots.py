"""Balanced accuracy over branch points, a small plot per measure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from SpineNetCore.learning.grading.repeats import Repeat, Spread
from SpineNetCore.learning.grading.summary import Figure

STYLE = """
.points { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 14px; margin: 12px 0; }
.points figure { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 10px;
  break-inside: avoid; }
.points svg { display: block; width: 100%; font-size: 11px; } .points text { fill: var(--soft); }
.points .grid { stroke: var(--line); } .points .bar { stroke: var(--bar); stroke-width: 2; }
.points .mean { fill: var(--bar); } .points .model { fill: none; stroke: var(--ink); opacity: .6; }
"""
KEY = "Filled: mean of the two models, with one standard deviation to either side. Rings: the two models."

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 270, 170, 34, 10, 28


def point_plots(by_point: Mapping[str, Sequence[Repeat]], group: str) -> str:
    """A figure for each measure of a group, its scale fitted to what it shows."""
    titles = {one.measure.name: one.measure.title for of in by_point.values() for one in of if one.group == group}
    return "".join(_figure(by_point, group, name, title) for name, title in titles.items())


def _figure(by_point: Mapping[str, Sequence[Repeat]], group: str, name: str, title: str) -> str:
    found = {point: _spread(repeated, group, name) for point, repeated in by_point.items()}
    label = escape(f"{title}: balanced accuracy % by branch point")
    plot = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{_content(found)}</svg>'
    return f"<figure><figcaption><b>{escape(title)}</b></figcaption>{plot}</figure>"


def _spread(repeated: Sequence[Repeat], group: str, name: str) -> Spread | None:
    spreads = [one.spreads for one in repeated if (one.group, one.measure.name) == (group, name)]
    return spreads[0].get(Figure.BALANCED) if spreads else None


def _content(found: Mapping[str, Spread | None]) -> str:
    scale = _Scale.of([spread for spread in found.values() if spread is not None])
    step = (_WIDTH - _LEFT) / len(found)
    parts = [_tick(tick, scale.y(tick)) for tick in (scale.low, (scale.low + scale.high) / 2, scale.high)]
    for place, (point, spread) in enumerate(found.items()):
        x = _LEFT + step * (place + 0.5)
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(point)}</text>')
        parts.append("" if spread is None else _marks(spread, scale, x))
    return "".join(parts)


@dataclass(frozen=True)
class _Scale:
    """Per cent at the plot's lower and upper end."""

    low: float
    high: float

    @staticmethod
    def of(spreads: Sequence[Spread]) -> _Scale:
        """Whole fives around everything."""
        ends = [100 * (spread.mean + way * spread.deviation) for spread in spreads for way in (-1, 1)]
        low = 5 * math.floor(min(ends, default=50) / 5)
        return _Scale(low, max(5 * math.ceil(max(ends, default=100) / 5), low + 5))

    def y(self, per_cent: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (self.high - per_cent) / (self.high - self.low)


def _tick(per_cent: float, y: float) -> str:
    line = f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{per_cent:g}</text>'


def _marks(spread: Spread, scale: _Scale, x: float) -> str:
    low, mean, high = (scale.y(100 * (spread.mean + way * spread.deviation)) for way in (-1, 0, 1))
    models = (scale.y(100 * value) for value in (spread.first, spread.second))
    rings = "".join(f'<circle class="model" cx="{x + 9:.1f}" cy="{y:.1f}" r="3"/>' for y in models)
    bar = f'<line class="bar" x1="{x:.1f}" x2="{x:.1f}" y1="{high:.1f}" y2="{low:.1f}"/>'
    return f'{bar}{rings}<circle class="mean" cx="{x:.1f}" cy="{mean:.1f}" r="4"/>'
