"""Where a disc lies and how it is tilted, in the scan's own frame, as a reader may change it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from SpineNetCore.anatomy import Point

Numbers = tuple[float, float, float]

_TEXT = re.compile(r"\(([^)]*)\) mm, back towards \(([^)]*)\)")


@dataclass(frozen=True)
class Placement:
    """centre_ras_mm: the disc's middle. posterior_ras: unit vector along the disc, towards the back."""

    centre_ras_mm: Numbers
    posterior_ras: Numbers

    @property
    def text(self) -> str:
        """For a log; read back by `placement_of`."""
        centre = " ".join(f"{value:.2f}" for value in self.centre_ras_mm)
        back = " ".join(f"{value:.4f}" for value in self.posterior_ras)
        return f"({centre}) mm, back towards ({back})"


def placement(centre_ras_mm: Point, posterior_ras: Point) -> Placement:
    """From arrays, rounded as a log keeps them."""
    return Placement(_numbers(np.round(centre_ras_mm, 2)), _numbers(np.round(posterior_ras, 4)))


def placement_of(text: str) -> Placement:
    """Undo `Placement.text`; raises ValueError for other texts."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no place of a disc")
    centre, posterior = (np.array([float(number) for number in part.split()]) for part in found.groups())
    return placement(centre, posterior)


def _numbers(values: Point) -> Numbers:
    x, y, z = (float(value) + 0.0 for value in values)  # no minus before nought
    return x, y, z
