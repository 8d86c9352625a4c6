"""Pictures without masks: whether the disc named L5-S1 is the one set by eye, and with it all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SpineNetCore.errors import InputError
from SpineNetCore.learning.bootstrap import bootstrapped_together
from SpineNetCore.learning.datasets.spider import Picture
from SpineNetCore.learning.figure_text import share_cell
from SpineNetCore.learning.localisation.measures import Finder
from SpineNetCore.scan import mapped

_NEAR_MM = 15.0
"""ours: less than half of what lies between two neighbouring discs, more than their middles are unsure by."""

_HEIGHTS_MM = (150.0, 450.0)
"""ours: of a picture at its stated pixel size; some were resampled, and no lumbar scan is smaller or larger."""


@dataclass(frozen=True)
class PictureOutcome:
    """away_mm: from L5-S1 as set by eye to the disc found by that name; None where the picture was
    refused, infinite where none was found by that name. is_warned: whether the names came with a doubt.
    """

    patient: int
    away_mm: float | None
    is_warned: bool = False

    @property
    def is_right(self) -> bool:
        return self.away_mm is not None and self.away_mm <= _NEAR_MM


def is_measurable(picture: Picture) -> bool:
    """Whether L5-S1 has been set on a picture by eye, and its pixel size can be true."""
    low, high = _HEIGHTS_MM
    return picture.lowest_disc is not None and low < picture.pixels.shape[0] * picture.spacing_mm < high


def picture_outcome(picture: Picture, find: Finder) -> PictureOutcome:
    """Find the spine on a measurable picture, at the pixel size that the table states."""
    assert picture.lowest_disc is not None
    scan = picture.scan
    try:
        spine = find(scan)
    except InputError:
        return PictureOutcome(picture.patient, None)
    place = mapped(scan.ras_from_ijk, np.array([0.0, *picture.lowest_disc]))
    found = spine.disc("L5-S1")
    away = np.inf if found is None else float(np.linalg.norm(found.centre_ras_mm - place))
    return PictureOutcome(picture.patient, away, bool(spine.warnings))


def pictures_sentence(outcomes: Sequence[PictureOutcome]) -> str:
    """What the pictures say, in one line."""
    right = np.array([outcome.is_right for outcome in outcomes])
    patients = [str(outcome.patient) for outcome in outcomes]
    (share,) = bootstrapped_together(patients, lambda places: [float(right[places].mean())], np.random.default_rng(0))
    named = [outcome for outcome in outcomes if outcome.away_mm is not None]
    silent = sum(not outcome.is_right and not outcome.is_warned for outcome in named)
    refused = len(outcomes) - len(named)
    return (
        "SPIDER pictures, one middle slice each, at pixel sizes that are approximate but credible: L5-S1 is at most "
        f"{_NEAR_MM:.0f} mm from where it was set by eye, a detector having proposed it, on {right.sum()} of "
        f"{len(right)} ({share_cell(share)} %); {refused} refused, {silent} read wrongly without a warning."
    )
