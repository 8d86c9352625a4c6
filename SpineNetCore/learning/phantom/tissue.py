"""How bright every tissue is in one scan."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from SpineNetCore.learning.phantom.settings import drawn


@dataclass(frozen=True)
class Tissues:
    """Signal of each tissue, cerebrospinal fluid on T2 being about 1; defaults: textbook T2."""

    fluid: float = 1.0
    cord: float = 0.42
    nerve: float = 0.38
    marrow: float = 0.36
    cortex: float = 0.035
    annulus: float = 0.11
    ligament: float = 0.05
    fat: float = 0.8
    deep_fat: float = 0.6
    muscle: float = 0.13
    vessel: float = 0.05
    bowel: float = 0.25
    vein: float = 0.6


_TEXTBOOK = Tissues()


def draw_tissues(rng: np.random.Generator, contrast: float) -> Tissues:
    """Draw a contrast, from textbook T2 (0) to any at all (1).

    ours: each signal is jittered, and at a high setting drawn towards a random one, in the manner of SynthSeg; air and
    the order within a disc (annulus to fluid) stay, so that a disc's grade can still be read.
    """
    towards_any = contrast * float(rng.random())
    spread = 0.08 + 0.5 * contrast

    def signal(textbook: float) -> float:
        jittered = textbook * float(np.exp(rng.normal(0, spread)))
        return float((1 - towards_any) * jittered + towards_any * drawn(rng, (0.02, 1.0)))

    values = {field.name: signal(getattr(_TEXTBOOK, field.name)) for field in fields(Tissues)}
    return Tissues(**values | {"marrow": values["marrow"] * drawn(rng, (0.75, 1.6))})
