"""`report.html`: one self-contained page that a clinician can read on a screen or on paper."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from SpineNetCore import RESEARCH_USE_NOTICE, __version__
from SpineNetCore.anatomy import Task
from SpineNetCore.pictures import heat_palette, scan_window
from SpineNetCore.report_figures import DiscFigures, Evidence, disc_figures, overview
from SpineNetCore.report_style import STYLE
from SpineNetCore.report_types import DiscResult, SpineReport
from SpineNetCore.task_score import TaskScore

CITATION = (
    "A. Jamaludin, T. Kadir, A. Zisserman: SpineNet: Automatically Pinpointing Classification Evidence in Spinal MRIs. "
    "MICCAI 2016."
)
_OPTION = re.compile(r"--[a-z-]+( -?\d+)?")
_KEPT_WHOLE = r'<span class="option">\g<0></span>'
SHADES = 5
"""Shades from normal to severe, named s0 ... s4 in the style."""


def page_html(report: SpineReport) -> str:
    """The whole page as HTML, with its style and pictures inside it and nothing fetched from elsewhere."""
    window = scan_window(report.scan, report.disc_labels > 0)
    figures = disc_figures(report, window)
    title = f"Lumbar spine report: {escape(report.scan.name)}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><main>\n"
        f"<h1>{title}</h1>\n{_scan_facts(report)}\n{_notice(report)}\n"
        f'<div class="top"><figure>{overview(report, window)}<figcaption>Mid-sagittal slice, front to the left. '
        "Orange: vertebral bodies. Blue: discs scored. White and dashed: discs not scored. "
        "Ribs are not looked at: a T13 would be called T12."
        "</figcaption></figure>\n"
        f"<section><h2>Grades</h2>{_score_table(report)}</section></div>\n"
        f"{_evidence_section(report, figures)}\n{_used(report)}\n{_footer()}\n</main></body></html>\n"
    )


def _scan_facts(report: SpineReport) -> str:
    slices, rows, columns = report.scan.voxels.shape
    slice_mm, row_mm, column_mm = report.scan.spacing_mm
    scored = sum(disc.scores is not None for disc in report.discs)
    facts = (
        ("File", report.source.name),
        ("Slices", f"{slices}, {slice_mm:.1f} mm apart"),
        ("Rows × columns", f"{rows} × {columns}, {row_mm:.2f} × {column_mm:.2f} mm"),
        ("Discs scored", f"{scored} of {len(report.discs)}"),
    )
    return f'<ul class="facts">{"".join(f"<li><b>{name}</b>{escape(value)}</li>" for name, value in facts)}</ul>'


def _notice(report: SpineReport) -> str:
    unscored = [f"{disc.level} was not scored: {disc.reason}" for disc in report.discs if disc.scores is None]
    remarks = _items([*report.warnings, *unscored])
    more = f'<div class="notice warnings" role="note"><p><b>Please note</b></p>{remarks}</div>' if remarks else ""
    return (
        f'<div class="notice" role="note"><p><b>{escape(RESEARCH_USE_NOTICE)}</b></p>'
        "<p>Grades and heat maps come from a computer, unchecked by a reader unless a note says so. "
        "They must not guide a patient's care.</p>"
        f"</div>{more}"
    )


def _items(texts: Iterable[str]) -> str:
    """Options of the command line never break, so that they can be copied by eye."""
    items = "".join(f"<li>{_OPTION.sub(_KEPT_WHOLE, escape(text))}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def _score_table(report: SpineReport) -> str:
    heads = "".join(f'<th scope="col">{task.title}</th>' for task in Task)
    rows = "\n".join(_score_row(disc) for disc in report.discs)
    shades = "".join(f'<span class="s{shade}">{name}</span>' for shade, name in _shade_names())
    return (
        f'<table class="scores"><thead><tr><th scope="col">Disc</th>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>'
        f'<div class="key">Shade: {shades}</div>'
        '<p class="soft">Each cell: the grade, what it means, and its probability ± its standard deviation over the '
        "views of the disc. “Upper” is the endplate or marrow above the disc, “lower” "
        "the one below.</p>"
    )


def _shade_names() -> tuple[tuple[int, str], ...]:
    return (0, "normal"), (1, "slight"), (2, "moderate"), (3, "marked"), (SHADES - 1, "most severe, or present")


def _score_row(disc: DiscResult) -> str:
    head = f'<th scope="row">{disc.level}</th>'
    if disc.scores is None:
        reason = f"Not scored: {escape(disc.reason or '')}"
        return f'<tr>{head}<td class="reason" colspan="{len(Task)}">{reason}</td></tr>'
    return f"<tr>{head}{''.join(_score_cell(disc.score(task)) for task in Task)}</tr>"


def _score_cell(score: TaskScore | None) -> str:
    if score is None:
        return "<td></td>"
    return (
        f'<td class="{_shade(score)}"><span class="grade">{score.grade}</span>'
        f'<span class="label">{score.task.labels[score.grade]}</span>'
        f'<span class="number">{_percent(_chance(score), score.uncertainty)}</span></td>'
    )


def _shade(score: TaskScore) -> str:
    lowest, highest = score.task.grades[0], score.task.grades[-1]
    return f"s{round((SHADES - 1) * (score.grade - lowest) / (highest - lowest))}"


def _chance(score: TaskScore) -> float:
    return score.probabilities[score.class_index]


def _percent(probability: float, spread: float | None = None) -> str:
    return f"{100 * probability:.0f}{'' if spread is None else f' ± {100 * spread:.0f}'} %"


def _evidence_section(report: SpineReport, figures: dict[str, DiscFigures]) -> str:
    levels = "\n".join(_level_section(disc, figures.get(disc.level), len(report.scan.voxels)) for disc in report.discs)
    if report.hotspots is None:
        intro = "<p>Evidence hotspots were not asked for.</p>"
    else:
        intro = (
            "<p>For every grading: the scan, and beside it the same picture with the evidence hotspots, the places "
            "that moved the computer's grade most; for endplates and marrow those that speak for a change, even where "
            "none was graded. For Pfirrmann and narrowing they tell little more than where the disc is. Each is the "
            "slice on which the hotspots are strongest within the disc.</p>"
            f"{_heat_scale()}"
        )
    return f"<section><h2>Disc by disc</h2>{intro}\n{levels}</section>"


def _heat_scale() -> str:
    stops = "".join(
        f'<stop offset="{index / 255:.2f}" stop-color="rgb({red},{green},{blue})" stop-opacity="{opacity / 255:.2f}"/>'
        for index, (red, green, blue, opacity) in list(enumerate(heat_palette().tolist()))[::15]
    )
    return (
        '<div class="scale">0 <svg role="img" aria-label="Colour scale of the heat maps from 0 to 1" '
        'viewBox="0 0 220 14" preserveAspectRatio="none"><linearGradient id="heat">'
        f'{stops}</linearGradient><rect width="220" height="14" fill="url(#heat)"/></svg> 1 (strongest evidence)</div>'
    )


def _level_section(disc: DiscResult, figures: DiscFigures | None, slices: int) -> str:
    scores = disc.scores or ()
    summary = f"Not scored: {escape(disc.reason or '')}" if not scores else escape(_summary(disc))
    evidence = {item.task: item for item in figures.evidence} if figures else {}
    cards = "\n".join(_card(score, evidence.get(score.task), slices) for score in scores)
    definitions = figures.definitions if figures else ""
    single = f'<div class="single">{figures.central}</div>' if figures and not (scores and evidence) else ""
    return (
        f'<section class="level" id="{disc.level}"><header><h3>{disc.level}</h3>'
        f'<span class="soft">{summary}</span></header>'
        f'{definitions}{single}<div class="cards">{cards}</div></section>'
    )


def _summary(disc: DiscResult) -> str:
    changed = [score for score in disc.scores or () if score.grade != score.task.grades[0]]
    findings = ", ".join(f"{score.task.title} {score.grade} ({score.task.labels[score.grade]})" for score in changed)
    return findings or "No change found"


def _card(score: TaskScore, evidence: Evidence | None, slices: int) -> str:
    where, pictures = "", ""
    if evidence is not None:
        blank = ", no evidence inside this disc" if evidence.is_blank else ""
        where = f'<span class="where soft">slice {evidence.slice_number} of {slices}{blank}</span>'
        pictures = f'<div class="pair">{evidence.plain}{evidence.overlaid}</div>'
    chances = "".join(_chance_bar(score, index) for index in range(len(score.probabilities)))
    badge = f'<span class="badge {_shade(score)}">{score.grade} · {score.task.labels[score.grade]}</span>'
    return (
        f'<article class="card"><header><b>{score.task.title}</b>{badge}{where}</header>{pictures}'
        f'<div class="chances">{chances}</div></article>'
    )


def _chance_bar(score: TaskScore, index: int) -> str:
    grade, percent = score.task.grades[index], _percent(score.probabilities[index])
    chosen = ' class="chosen"' if grade == score.grade else ""
    width = 100 * score.probabilities[index]
    return (
        f'<div{chosen} title="{score.task.labels[grade]}">{grade}: {percent}'
        f'<i><i style="width:{width:.1f}%"></i></i></div>'
    )


def _used(report: SpineReport) -> str:
    settings = report.settings
    hotspots = (
        f"{settings.hotspot_views} views per disc for its hotspots" if report.hotspots is not None else "no hotspots"
    )
    models = "".join(
        f"<tr><th>Model: {escape(model.name)}</th><td>{escape(model.description)}<br>"
        f"<code>{escape(model.file)}, SHA-256 {escape(model.digest)}</code></td></tr>"
        for model in report.models
    )
    timings = " · ".join(f"{escape(stage)} {seconds:.1f} s" for stage, seconds in report.timings_s.items())
    return (
        f'<section><h2>What was used</h2><table class="used"><tbody>'
        f"<tr><th>Software</th><td>SpineNet {escape(__version__)}</td></tr>"
        f"{models}<tr><th>Settings</th><td>{settings.views} views per disc for its grades, {hotspots}, on "
        f"{escape(settings.device)}</td></tr><tr><th>Time</th><td>{timings}</td></tr></tbody></table></section>"
    )


def _footer() -> str:
    return (
        f'<footer class="soft"><p>{escape(RESEARCH_USE_NOTICE)}</p>'
        f"<p>Method: {escape(CITATION)} This program is an independent implementation of it.</p></footer>"
    )
