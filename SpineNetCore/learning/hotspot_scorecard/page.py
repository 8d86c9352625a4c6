"""`hotspots.html`: the scorecard, how each figure is defined, and examples of every method's maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from SpineNetCore import RESEARCH_USE_NOTICE, __version__
from SpineNetCore.learning.hotspot_scorecard.cases import SMALLEST_LESION
from SpineNetCore.learning.hotspot_scorecard.figures import Example
from SpineNetCore.learning.hotspot_scorecard.measures import SLACK_PX
from SpineNetCore.learning.hotspot_scorecard.running import Scorecard
from SpineNetCore.learning.hotspot_scorecard.table import NOTE, Block, Summary, blocks_of
from SpineNetCore.report_style import STYLE

DEFINITIONS = (
    (
        "true positives",
        "Discs of phantoms with grades drawn evenly, cut where the phantom's truth says. A task counts where the "
        "grader gives grade 1 (Pfirrmann, narrowing: the exact grade, above 1) and the truth agrees, with a lesion of "
        f"at least {SMALLEST_LESION} voxels of the disc volume: the dent, the changed marrow, or the whole disc for "
        "Pfirrmann and narrowing.",
    ),
    (
        "methods",
        "All are made from the same network for the same class score, blurred alike, and blank in slices that the scan "
        "does not have. saliency: absolute gradient of the central view. SmoothGrad and Grad-CAM: by Captum, on the "
        "central view; Grad-CAM knows no slices. paper: mean absolute gradient over random views, each undone. ours: "
        "the same for graded tasks; for binary ones the integrated gradient over those views, from an even picture as "
        "bright as normal marrow.",
    ),
    (
        "pointing",
        f"The map's maximum lies in the lesion, in the same slice, {SLACK_PX} pixels allowed. in plane: it does once "
        "slices are disregarded.",
    ),
    ("energy ratio", "Share of the map's sum inside the lesion over the lesion's share of the volume; chance is 1."),
    ("IoU, AUPRC", "Overlap of the lesion with as many of the highest voxels; average precision over all voxels."),
    (
        "right half, points right",
        "Share of the map's sum above or below mid-disc, whichever side the graded endplate is on; and whether the "
        "maximum lies there.",
    ),
    ("other seed", "Correlation of the maps of two seeds, on one true positive of each of the first phantoms."),
    (
        "fc8 ... conv1",
        "The sanity check of Adebayo et al. 2018: weights are drawn anew from the last layer down to the one named, "
        "and the map is compared with the original by rank correlation. A map that shows what was learned falls to 0.",
    ),
)

_STYLE = """
.figures { overflow-x: auto; } .figures td, .figures th { padding: 4px 8px; font-size: 13px; white-space: nowrap; }
.figures td { text-align: right; font-variant-numeric: tabular-nums; } .figures thead th { text-align: right; }
.figures small { display: block; color: var(--soft); font-size: 11.5px; }
.figures thead th:first-child { text-align: left; }
.examples { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; margin: 8px 0 24px; }
.crop text { fill: #fff; font-weight: 600; } .peak { stroke: #fff; stroke-width: 1.2; fill: none; }
.definitions-list dt { font-weight: 600; margin-top: 8px; } .definitions-list dd { margin: 0; color: var(--soft); }
@media (max-width: 900px) { .examples { grid-template-columns: repeat(2, 1fr); } }
"""


@dataclass(frozen=True)
class Evaluation:
    """All that the page tells. what: what was measured, such as the model and the phantoms, one line each."""

    what: tuple[tuple[str, str], ...]
    card: Scorecard
    summary: Summary


def scorecard_page(evaluation: Evaluation) -> str:
    """The whole page as HTML, with its style and pictures inside it and nothing fetched from elsewhere."""
    title = "How well hotspots show what led to a grade"
    facts = "".join(f"<li><b>{escape(name)}</b>{escape(value)}</li>" for name, value in evaluation.what)
    tables = "\n".join(_table(block) for block in blocks_of(evaluation.summary))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}{_STYLE}</style></head>\n<body><main>\n<h1>{title}</h1>\n"
        f'<ul class="facts">{facts}</ul>\n<div class="notice" role="note"><p><b>{escape(RESEARCH_USE_NOTICE)}</b></p>'
        f'</div>\n{tables}\n<p class="soft">{escape(NOTE)}</p>\n{_definitions()}\n'
        f"{_examples(evaluation.card.examples)}\n"
        f'<footer class="soft"><p>SpineNet {escape(__version__)}. {escape(RESEARCH_USE_NOTICE)}</p></footer>\n'
        "</main></body></html>\n"
    )


def _table(block: Block) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in block.titles)
    body = "\n".join(_table_row(row) for row in block.rows)
    return (
        f'<section><h2>{escape(block.heading)}</h2><div class="figures"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div></section>"
    )


def _table_row(row: Sequence[str]) -> str:
    cells = "".join(f"<td>{_cell(cell)}</td>" for cell in row[1:])
    return f'<tr><th scope="row">{escape(row[0])}</th>{cells}</tr>'


def _cell(text: str) -> str:
    """The interval below its figure, so that the table fits a screen."""
    figure, _, interval = text.partition(" (")
    return escape(figure) + (f"<small>{escape(interval.removesuffix(')'))}</small>" if interval else "")


def _definitions() -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in DEFINITIONS)
    return f'<section><h2>What the figures mean</h2><dl class="definitions-list">{items}</dl></section>'


def _examples(examples: Sequence[Example]) -> str:
    key = (
        "<p>The first true positives of each task, not chosen for their looks. Green: the lesion's outline. White "
        "cross: the map's maximum, or in which slice it lies. Front is to the left; each map has its own scale.</p>"
    )
    shown = "\n".join(_example(one) for one in examples)
    return f"<section><h2>Examples</h2>{key}{shown}</section>" if examples else ""


def _example(example: Example) -> str:
    pictures = "".join(
        f"<figure>{picture}<figcaption>{escape(title)}</figcaption></figure>"
        for title, picture in example.pictures.items()
    )
    return f'<h3>{escape(example.caption)}</h3><div class="examples">{pictures}</div>'
