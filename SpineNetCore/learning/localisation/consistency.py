"""Pictures without masks: whether as many discs are found as the overview table counts. No measure of accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.spider import Picture
from SpineNetCore.learning.localisation.measures import Finder


@dataclass(frozen=True)
class PictureOutcome:
    """counted: discs as the overview table has them. found: gaps in the chain of bodies found; None where the picture
    was refused. confidence: of the naming, NaN where it was.
    """

    patient: int
    counted: int
    found: int | None
    confidence: float = float("nan")

    @property
    def agrees(self) -> bool:
        """Within one, for discs at the picture's edge."""
        return self.found is not None and abs(self.found - self.counted) <= 1


def picture_outcome(picture: Picture, counted: int, find: Finder) -> PictureOutcome:
    """Find the spine on one picture, at the pixel size that the table states."""
    try:
        spine = find(picture.scan)
    except InputError:
        return PictureOutcome(picture.patient, counted, None)
    return PictureOutcome(picture.patient, counted, len(spine.vertebrae) - 1, spine.naming_confidence)


def consistency_sentence(outcomes: Sequence[PictureOutcome]) -> str:
    """What the pictures say, in one line that does not claim more."""
    agreeing = sum(outcome.agrees for outcome in outcomes)
    refused = sum(outcome.found is None for outcome in outcomes)
    confidences = [outcome.confidence for outcome in outcomes if outcome.found is not None]
    sure = f"naming confidence {_quantiles(confidences)}" if confidences else "no naming"
    return (
        f"SPIDER pictures, a check of consistency and not of accuracy (no masks): on {agreeing} of {len(outcomes)} "
        f"({100 * agreeing / max(len(outcomes), 1):.1f} %) the number of discs agrees within one with overview.csv; "
        f"{refused} refused; {sure}."
    )


def _quantiles(values: Iterable[float]) -> str:
    low, median = np.quantile(list(values), (0.1, 0.5))
    return f"{median:.2f} in the median, {low:.2f} in the lowest tenth"
