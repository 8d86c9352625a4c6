"""The figures of two models, or of two for each branch point, as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from SpineNetCore.learning.figure_page import definitions, figure_page, figures_table
from SpineNetCore.learning.grading.page import OF_AGREEMENT
from SpineNetCore.learning.grading.point_plots import KEY, STYLE, point_plots
from SpineNetCore.learning.grading.repeats import Repeat, figure_tables, point_tables

NOTE = (
    "Mean and standard deviation of two models, the second trained with validation and test patients exchanged and "
    "with other random numbers; each is measured on the patients that are its own test. Two models tell a standard "
    "deviation only roughly."
)
Facts = Sequence[tuple[str, str]]

_OF_TABLES = tuple(pair for pair in OF_AGREEMENT if pair[0] != "confusion matrices")


def repeats_page(title: str, what: Facts, repeated: Sequence[Repeat]) -> str:
    """The whole page of two models as HTML, with nothing fetched from elsewhere."""
    return _page(title, what, [figures_table(heading, cells) for heading, cells in figure_tables(repeated)])


def points_page(title: str, what: Facts, by_point: Mapping[str, Sequence[Repeat]]) -> str:
    """The whole page of two models for each branch point, a table and plots for each group."""
    groups = dict.fromkeys(one.group for repeated in by_point.values() for one in repeated)
    parts = [
        f'{figures_table(heading, cells)}<div class="points">{point_plots(by_point, group)}</div>'
        for group, (heading, cells) in zip(groups, point_tables(by_point), strict=True)
    ]
    return _page(title, what, [*parts, f'<p class="soft">{escape(KEY)}</p>'])


def _page(title: str, what: Facts, parts: Sequence[str]) -> str:
    body = "\n".join([*parts, f'<p class="soft">{escape(NOTE)}</p>', definitions(_OF_TABLES)])
    return figure_page(title, what, body, STYLE)
