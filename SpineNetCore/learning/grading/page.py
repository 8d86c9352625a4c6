"""`grading.html` and `agreement.html`: the figures, how each is defined, and the matrices and diagrams behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from SpineNetCore.learning.figure_page import definitions, figure_page, figures_table
from SpineNetCore.learning.figure_text import INTERVALS_NOTE
from SpineNetCore.learning.grading.calibration import BINS
from SpineNetCore.learning.grading.plots import STYLE, confusion_plot, key_mark, reliability_plot
from SpineNetCore.learning.grading.summary import Line
from SpineNetCore.learning.grading.table import by_group, cells_of

OF_AGREEMENT = (
    (
        "balanced %",
        "Mean per-class accuracy: the share graded rightly of each true grade, averaged over the grades that occur. "
        "Which side is taken for the truth matters.",
    ),
    ("accuracy %", "Discs given exactly the true grade."),
    ("within 1 %", "Discs given a grade at most one from the true one; of tasks with more than two grades."),
    (
        "kappa",
        "Cohen's, disagreement weighing as the squared distance of grades: 1 is perfect, 0 what chance alone would "
        "give. None where all grades are the same.",
    ),
    (
        "coarser questions",
        "Narrowing, none or some: grade 1 or any other, whose probabilities add up. Marrow, either side: changed above "
        "or below, as likely as on the likelier side. Labels that only tell so much count here, and not in the task "
        "itself.",
    ),
    ("discs", "Those of which the truth tells; a disc on two scans counts twice. Intervals are over patients."),
    (
        "confusion matrices",
        "A row per true grade, a column per given one: discs, and their share of the row, which is also the colour.",
    ),
)
OF_CALIBRATION = (
    (
        "NLL",
        "Mean negative log-likelihood of the true grades; less is better. 'scaled': after further temperature scaling.",
    ),
    (
        "ECE %",
        f"Expected calibration error: how far confidence, the given grade's probability, lies from the share graded "
        f"rightly, on average over {BINS} bins of confidence. Few discs make it look larger than it is.",
    ),
    (
        "temp.",
        "The temperature fitted on the validation patients of the same source, or on phantoms of other seeds, never on "
        "those tested, on top of the grader's own; above 1 the probabilities were too bold. It changes no grade, and "
        "few discs to fit it on leave it near 1. None where validation has but one true grade.",
    ),
    (
        "reliability diagrams",
        "Share graded rightly over confidence, bin by bin; on the dashed diagonal both agree. Orange circles and a "
        "broken line: as reported; blue squares and a solid line: after. Larger marks stand for more discs.",
    ),
)
_STYLE = (
    STYLE
    + """
.answers { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 540px), 1fr)); gap: 16px;
  margin: 12px 0 26px; }
.answers figure { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 12px;
  overflow-x: auto; break-inside: avoid; } .answers figcaption { margin: 0 0 8px; }
"""
)


@dataclass(frozen=True)
class Evaluation:
    """All that a page tells. what: what was measured, such as the models and the patients, one line each."""

    title: str
    what: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]


def evaluation_page(evaluation: Evaluation) -> str:
    """The whole page as HTML, with its style and plots inside it and nothing fetched from elsewhere."""
    has_chances = any(line.raw for line in evaluation.lines)
    groups = "\n".join(_group(heading, lines) for heading, lines in by_group(evaluation.lines))
    note = f'<p class="soft">{escape(INTERVALS_NOTE)}</p>'
    meanings = definitions(OF_AGREEMENT + (OF_CALIBRATION if has_chances else ()))
    return figure_page(evaluation.title, evaluation.what, f"{groups}\n{note}\n{meanings}", _STYLE)


def _group(heading: str, lines: Sequence[Line]) -> str:
    figures = "\n".join(_figure(line) for line in lines)
    key = _key(lines) if any(line.raw for line in lines) else ""
    return f'{figures_table(heading, cells_of(lines))}\n{key}<div class="answers">{figures}</div>'


def _key(lines: Sequence[Line]) -> str:
    before = f"{key_mark('raw')} as reported"
    after = f" {key_mark('scaled')} after further temperature scaling" if any(line.scaled for line in lines) else ""
    return f'<p class="key">Reliability: {before}{after}</p>\n'


def _figure(line: Line) -> str:
    plots = confusion_plot(line) + (reliability_plot(line) if line.raw else "")
    title = f"<figcaption><b>{escape(line.measure.title)}</b>, {line.discs} discs</figcaption>"
    return f'<figure>{title}<div class="plots">{plots}</div></figure>'
