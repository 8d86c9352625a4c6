"""The figures of two models, or of two for each branch point, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from SpineNetCore.learning.figure_page import definitions, figure_page, figures_table
from SpineNetCore.learning.grading.page import OF_AGREEMENT
from SpineNetCore.learning.grading.repeats import Table

NOTE = (
    "Mean and standard deviation of two models, the second trained with validation and test patients exchanged and "
    "with other random numbers; each is measured on the patients that are its own test. Two models tell a standard "
    "deviation only roughly."
)
_OF_TABLES = tuple(pair for pair in OF_AGREEMENT if pair[0] != "confusion matrices")


def repeats_page(title: str, what: Sequence[tuple[str, str]], tables: Sequence[tuple[str, Table]]) -> str:
    """The whole page as HTML, with nothing fetched from elsewhere."""
    shown = "\n".join(figures_table(heading, cells) for heading, cells in tables)
    return figure_page(title, what, f'{shown}\n<p class="soft">{escape(NOTE)}</p>\n{definitions(_OF_TABLES)}')
