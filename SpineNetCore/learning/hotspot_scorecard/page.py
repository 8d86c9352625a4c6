"""`hotspots.html`: the scorecard, how each figure is defined, and examples of every method's maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from SpineNetCore.learning.figure_page import definitions, figure_page, figures_table
from SpineNetCore.learning.hotspot_scorecard.erasing import BLUR_PX, ERASED
from SpineNetCore.learning.hotspot_scorecard.figures import Example
from SpineNetCore.learning.hotspot_scorecard.patients import ENDPLATE_MM
from SpineNetCore.learning.hotspot_scorecard.running import Scorecard
from SpineNetCore.learning.hotspot_scorecard.table import NOTE, Summary, blocks_of
from SpineNetCore.learning.lesions import SLACK_PX, SMALLEST_LESION

DEFINITIONS = (
    (
        "true positives",
        "Discs on which the grader gives grade 1 (Pfirrmann, narrowing: above 1) and the truth admits that grade. Of "
        "phantoms, with grades drawn evenly and cut where the phantom's truth says, with a lesion of at least "
        f"{SMALLEST_LESION} voxels of the disc volume: the dent, the changed marrow, or the whole disc for Pfirrmann "
        f"and narrowing. On patients' scans no lesion is marked: what stands for it is where it must be, by the disc's "
        f"mask: all within {ENDPLATE_MM:.0f} mm above and below the graded endplate, or the disc; the side of marrow "
        "changes is not known. Discs that the detector does not find or names otherwise than the mask are left out.",
    ),
    (
        "methods",
        "fixed place: one spot for all discs, where a task's findings usually are; what does not surpass it need not "
        "have looked at the picture. The others are made from the same network for the same class score and blurred "
        "alike. All are blank in slices that the scan does not have. saliency: absolute gradient of the central view. "
        "SmoothGrad and Grad-CAM: by Captum, on the central view; Grad-CAM from conv5's map, after its ReLU and "
        "before its pool, which knows no slices. paper: mean absolute gradient over random views, each undone. ours: "
        "the same for graded tasks; for binary ones the geometric mean of the absolute and of the integrated gradient "
        "over those views, both on the way from an even picture as bright as normal marrow, times its share of the "
        "four binary tasks' means.",
    ),
    (
        "pointing",
        f"The map's maximum lies in the lesion, in the same slice, {SLACK_PX} pixels allowed; of several equal maxima, "
        "as in the slices of Grad-CAM, the share that does. in plane: it does once slices are disregarded.",
    ),
    ("energy ratio", "Share of the map's sum inside the lesion over the lesion's share of the volume; chance is 1."),
    (
        "IoU, AUPRC",
        "Overlap of the lesion with as many of the highest voxels; average precision over all voxels. Of phantoms "
        "alone, whose lesions are known to the voxel.",
    ),
    (
        "right half, points right",
        "Share of the map's sum above or below mid-disc, whichever side the graded endplate is on; and whether the "
        "maximum lies there.",
    ),
    (
        "fall",
        f"By how much the log-odds of the class shown fall, on the central view, once the {ERASED:.0%} of voxels that "
        f"are highest on the map are blurred away, by {BLUR_PX} pixels: how much of the grade rests on them.",
    ),
    ("other seed", "Correlation of the maps of two seeds, on one true positive of each of the first scans."),
    (
        "fc8 ... conv1",
        "The sanity check of Adebayo et al. 2018: weights are drawn anew from the last layer down to the one named, "
        "and the map is compared with the original by rank correlation. A map that shows what was learned falls to 0.",
    ),
)

_STYLE = """
.examples { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; margin: 8px 0 24px; }
.crop text { fill: #fff; font-weight: 600; } .peak { stroke: #fff; stroke-width: 1.2; fill: none; }
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
    blocks = blocks_of(evaluation.summary)
    tables = "\n".join(figures_table(block.heading, [block.titles, *block.rows]) for block in blocks)
    note = f'<p class="soft">{escape(NOTE)}</p>'
    body = f"{tables}\n{note}\n{definitions(DEFINITIONS)}\n{_examples(evaluation.card.examples)}"
    return figure_page("How well hotspots show what led to a grade", evaluation.what, body, _STYLE)


def _examples(examples: Sequence[Example]) -> str:
    key = (
        "<p>The first true positives of each task, not chosen for their looks. Green: outline of the lesion, or of "
        "where it must be. White cross: the map's maximum, or in which slice it lies. Front is to the left; each map "
        "has its own scale.</p>"
    )
    shown = "\n".join(_example(one) for one in examples)
    return f"<section><h2>Examples</h2>{key}{shown}</section>" if examples else ""


def _example(example: Example) -> str:
    pictures = "".join(
        f"<figure>{picture}<figcaption>{escape(title)}</figcaption></figure>"
        for title, picture in example.pictures.items()
    )
    return f'<h3>{escape(example.caption)}</h3><div class="examples">{pictures}</div>'
