"""`localisation.html`: the figures, how each is defined, and every kind of failure as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from SpineNetCore.learning.figure_page import definitions, figure_page, figures_table
from SpineNetCore.learning.figure_text import INTERVALS_NOTE
from SpineNetCore.learning.localisation.lowest_discs import PictureOutcome, pictures_sentence
from SpineNetCore.learning.localisation.measures import SLACK_MM, Outcome
from SpineNetCore.learning.localisation.running import Measurement
from SpineNetCore.learning.localisation.summary import Summary
from SpineNetCore.learning.localisation.table import by_group, cells_of, heading

PICTURES_PER_CONDITION = 6
"""At most so many failures are shown of each condition, the worst; the others are in the CSV file."""

DEFINITIONS = (
    ("found", f"A reported centre lies in the disc's mask, or at most {SLACK_MM:.0f} mm from it, whatever its name."),
    ("named", "Found, and by the disc of its own name. A refused scan has all its discs missed."),
    (
        "false/scan",
        f"Reported centres more than {SLACK_MM:.0f} mm from every disc. One that lies in a disc above T12-L1, or in "
        "one not wholly in view, is not false: such a disc is there, though nobody asks for it.",
    ),
    (
        "centre mm",
        "From the reported centre to the true one, within the sagittal plane: of a phantom its own disc centre, of a "
        "mask the mean of its voxels on its mid-slice, which bulges and osteophytes pull to their side. Median, and "
        "95th percentile beside. 'across' is the median error from right to left; slabs do not reach the discs' sides, "
        "so that theirs only says how far from the slab's middle a centre lies.",
    ),
    (
        "corner mm",
        "From the reported to the true corners of the bodies found, within the sagittal plane: median, and 95th "
        "percentile beside. Those of S1's lower end, which no landmark marks, stand apart.",
    ),
    ("confid.", "The finder's own confidence in its naming, mean over the scans not refused."),
    (
        "warned ... 2nd right",
        "Numbers of scans: with a warning; refused with a reason; with a disc that bears another's name; of these "
        "misnamed, those without any warning; and those whose second likeliest naming is right.",
    ),
    (
        "conditions",
        "Cut scans lack the picture below the upper end of L5-S1, or above the lower end of T12-L1; discs not wholly "
        "in view are not asked for. Turned: the patient leans within an unchanged field of view. Noise: Rician, a "
        "tenth of the bright end. Bias field: smooth, brightest six times darkest.",
    ),
)

_STYLE = """
.failures { display: grid; grid-template-columns: repeat(3, 1fr); gap: 18px; margin: 10px 0 26px; }
.failures figure { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 10px; }
.failures svg { max-height: 460px; } .overview .true-name { fill: #6ee787; } .overview .disc-name { text-anchor: end; }
@media (max-width: 900px) { .failures { grid-template-columns: 1fr; } }
"""


@dataclass(frozen=True)
class Evaluation:
    """All that the page tells. what: what was measured, such as the models and the patients, one line each."""

    what: tuple[tuple[str, str], ...]
    measurements: tuple[Measurement, ...]
    lines: tuple[Summary, ...]
    pictures: tuple[PictureOutcome, ...]


def evaluation_page(evaluation: Evaluation) -> str:
    """The whole page as HTML, with its style and pictures inside it and nothing fetched from elsewhere."""
    tables = "\n".join(
        figures_table(heading(group, lines), cells_of(lines)) for group, lines in by_group(evaluation.lines)
    )
    pictures = f"<p>{escape(pictures_sentence(evaluation.pictures))}</p>" if evaluation.pictures else ""
    note = f'<p class="soft">{escape(INTERVALS_NOTE)}</p>'
    body = f"{tables}\n{note}{pictures}\n{definitions(DEFINITIONS)}\n{_failures(evaluation.measurements)}"
    return figure_page("How well discs are found and named", evaluation.what, body, _STYLE)


def _failures(measurements: Sequence[Measurement]) -> str:
    failed: dict[tuple[str, str], list[Measurement]] = {}
    for measurement in measurements:
        if measurement.picture is not None:
            of_kind = (measurement.outcome.group, measurement.outcome.condition)
            failed.setdefault(of_kind, []).append(measurement)
    parts = "\n".join(_failures_of_kind(*kind, members) for kind, members in failed.items())
    key = (
        "<p>Green: the true discs and their names; grey: discs not asked for. Blue: the reported centres and their "
        "names. Orange: the bodies found.</p>"
    )
    return f"<section><h2>Failures</h2>{key + parts if parts else '<p>None.</p>'}</section>"


def _failures_of_kind(group: str, condition: str, failed: Sequence[Measurement]) -> str:
    worst_first = sorted(failed, key=lambda m: _severity(m.outcome), reverse=True)
    shown = worst_first[:PICTURES_PER_CONDITION]
    figures = "\n".join(_figure(measurement) for measurement in shown)
    rest = f", the worst {len(shown)} shown" if len(failed) > len(shown) else ""
    scans = "scan" if len(failed) == 1 else "scans"
    return (
        f"<h3>{escape(group)}, {escape(condition)}: {len(failed)} {scans} with a failure{rest}</h3>"
        f'<div class="failures">{figures}</div>'
    )


def _severity(outcome: Outcome) -> tuple[bool, int]:
    """Wrong names without a warning are worse than any number of faults that the finder owns up to."""
    is_silent = bool(outcome.misnamed) and not outcome.warnings
    return is_silent, len(outcome.discs) - outcome.named + len(outcome.false)


def _figure(measurement: Measurement) -> str:
    outcome = measurement.outcome
    misnamed = (f"{own} called {given}" for own, given in outcome.misnamed)
    faults = (
        ("Missed", ", ".join(outcome.missed)),
        ("Misnamed", ", ".join(misnamed)),
        ("False", ", ".join(outcome.false)),
        ("Refused", outcome.refusal or ""),
        ("Confidence", "" if outcome.refusal else f"{outcome.confidence:.2f}{_runner_up(outcome)}"),
        ("Warned", " ".join(outcome.warnings)),
    )
    said = "".join(f"<br>{name}: {escape(text)}" for name, text in faults if text)
    return (
        f"<figure>{measurement.picture}<figcaption><b>{escape(_patient_name(outcome))}</b>{said}</figcaption></figure>"
    )


def _runner_up(outcome: Outcome) -> str:
    if outcome.runner_up is None:
        return ""
    shift, probability = outcome.runner_up
    levels = "level" if abs(shift) == 1 else "levels"
    return f"; next, {abs(shift)} {levels} {'lower' if shift > 0 else 'higher'}: {probability:.2f}"


def _patient_name(outcome: Outcome) -> str:
    """Patients are numbers, phantoms have names."""
    return f"patient {outcome.patient}" if outcome.patient.isdigit() else outcome.patient
