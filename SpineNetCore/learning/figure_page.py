"""Pages that show figures: what all of them have, whatever was measured."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from SpineNetCore import RESEARCH_USE_NOTICE, __version__
from SpineNetCore.report_style import STYLE

_STYLE = """
main { max-width: 1560px; }
.figures { overflow-x: auto; } .figures td, .figures th { padding: 4px 8px; font-size: 13px; white-space: nowrap; }
.figures td { text-align: right; font-variant-numeric: tabular-nums; } .figures thead th { text-align: right; }
.figures small { display: block; color: var(--soft); font-size: 11.5px; }
.figures thead th:first-child { text-align: left; } .figures .part { padding-left: 24px; font-weight: 400; }
.definitions-list dt { font-weight: 600; margin-top: 8px; } .definitions-list dd { margin: 0; color: var(--soft); }
@media print { @page { size: A4 landscape; } .figures { overflow: visible; }
  .figures td, .figures th { padding: 2px 3px; font-size: 7.5pt; white-space: normal; }
  .figures small { font-size: 6.5pt; } }
"""


def figure_page(title: str, what: Sequence[tuple[str, str]], body: str, style: str = "") -> str:
    """The whole page as HTML around its body, with its style inside it and nothing fetched from elsewhere.

    what: what was measured, such as the models and the patients, one line each.
    """
    facts = "".join(f"<li><b>{escape(name)}</b>{escape(value)}</li>" for name, value in what)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{_STYLE}{style}</style></head>\n<body><main>\n<h1>{escape(title)}</h1>\n"
        f'<ul class="facts">{facts}</ul>\n<div class="notice" role="note"><p><b>{escape(RESEARCH_USE_NOTICE)}</b></p>'
        f"</div>\n{body}\n"
        f'<footer class="soft"><p>SpineNet {escape(__version__)}. {escape(RESEARCH_USE_NOTICE)}</p></footer>\n'
        "</main></body></html>\n"
    )


def figures_table(heading: str, cells: Sequence[Sequence[str]]) -> str:
    """A section with a table of titles and rows; rows whose name begins with a blank are parts of the one above."""
    titles, *rows = cells
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "\n".join(_table_row(row) for row in rows)
    return (
        f"<section><h2>{escape(heading)}</h2>"
        f'<div class="figures"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div></section>'
    )


def definitions(pairs: Sequence[tuple[str, str]]) -> str:
    """A section that says what each figure means."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)
    return f'<section><h2>What the figures mean</h2><dl class="definitions-list">{items}</dl></section>'


def _table_row(row: Sequence[str]) -> str:
    part = ' class="part"' if row[0].startswith(" ") else ""
    cells = "".join(f"<td>{_cell(cell)}</td>" for cell in row[1:])
    return f'<tr><th scope="row"{part}>{escape(row[0].strip())}</th>{cells}</tr>'


def _cell(text: str) -> str:
    """The interval below its figure, so that the table fits a screen."""
    figure, _, interval = text.partition(" (")
    return escape(figure) + (f"<small>{escape(interval.removesuffix(')'))}</small>" if interval else "")
