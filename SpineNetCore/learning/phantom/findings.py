"""How one endplate, one stretch of marrow or one disc looks at a given grade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.learning.phantom.settings import chance, drawn
from SpineNetCore.learning.phantom.shapes import Dent, Haemangioma, MarrowPatch, Nucleus, Process, Protrusion

_LEAST_DEFECT_MM, _MOST_IRREGULARITY_MM = 2.7, 1.3
_BRIGHT_FACTOR, _DARK_FACTOR = (1.3, 2.1), (0.3, 0.7)


@dataclass(frozen=True)
class Reach:
    """Where in a body a finding may lie so that a slice shows it.

    seen_mm: lateral offsets from the body's middle at which a slice cuts it well. height_mm: of the body.
    """

    seen_mm: NDArray[np.float64]
    height_mm: float

    def draw(self, rng: np.random.Generator) -> float:
        """Lateral offset of a finding: in one of the slices."""
        return float(rng.choice(self.seen_mm)) + drawn(rng, (-0.3, 0.3))


def draw_dents(rng: np.random.Generator, defect: bool, reach: Reach) -> tuple[Dent, ...]:
    """Defects of a graded endplate, or the small irregularities of an intact one."""
    minor = tuple(_draw_irregularity(rng, reach) for _ in range(int(rng.integers(0, 3))))
    if not defect:
        return minor
    kind = rng.random()
    if kind < 0.6:
        return (_draw_schmorl(rng, reach), *minor)
    if kind < 0.8:
        return (_draw_erosion(rng, reach), *minor)
    return (_draw_schmorl(rng, reach), _draw_schmorl(rng, reach), *minor)


def _draw_schmorl(rng: np.random.Generator, reach: Reach) -> Dent:
    deepest = max(_LEAST_DEFECT_MM + 0.2, min(8.0, 0.32 * reach.height_mm))
    return Dent(
        along=drawn(rng, (0.2, 0.8)),
        lateral_mm=reach.draw(rng),
        depth_mm=drawn(rng, (_LEAST_DEFECT_MM, deepest)),
        half_length_mm=drawn(rng, (3.0, 7.0)),
        half_width_mm=drawn(rng, (3.5, 9.0)),
        flatness=drawn(rng, (2.2, 5.0)),
        is_defect=True,
    )


def _draw_erosion(rng: np.random.Generator, reach: Reach) -> Dent:
    return Dent(
        along=drawn(rng, (0.25, 0.75)),
        lateral_mm=reach.draw(rng),
        depth_mm=drawn(rng, (_LEAST_DEFECT_MM, 4.5)),
        half_length_mm=drawn(rng, (7.0, 13.0)),
        half_width_mm=drawn(rng, (8.0, 16.0)),
        flatness=drawn(rng, (3.0, 6.0)),
        is_defect=True,
    )


def _draw_irregularity(rng: np.random.Generator, reach: Reach) -> Dent:
    return Dent(
        along=drawn(rng, (0.1, 0.9)),
        lateral_mm=reach.draw(rng) + rng.normal(0, 4),
        depth_mm=drawn(rng, (-0.4, _MOST_IRREGULARITY_MM)),
        half_length_mm=drawn(rng, (2.0, 8.0)),
        half_width_mm=drawn(rng, (4.0, 12.0)),
        flatness=2.0,
        is_defect=False,
    )


def draw_patches(rng: np.random.Generator, changed: bool, reach: Reach) -> tuple[MarrowPatch, ...]:
    """Changed marrow of Modic type 1 or 2 (bright on T2) or 3 (dark), or none."""
    if not changed:
        return ()
    dark = chance(rng, 0.25)
    factor = drawn(rng, _DARK_FACTOR) if dark else _BRIGHT_FACTOR[0] + np.ptp(_BRIGHT_FACTOR) * float(rng.beta(1, 1.6))
    if chance(rng, 0.25):
        return (_draw_oedema(rng, factor, reach),)
    first = _draw_patch(rng, factor, reach)
    return (first, _draw_patch(rng, factor * drawn(rng, (0.9, 1.1)), reach)) if chance(rng, 0.3) else (first,)


def _draw_patch(rng: np.random.Generator, factor: float, reach: Reach) -> MarrowPatch:
    """A patch at a corner or along part of the endplate, its border from sharp to vague."""
    corner = chance(rng, 0.4)
    return MarrowPatch(
        along=float(rng.choice([0.08, 0.92])) if corner else drawn(rng, (0.3, 0.7)),
        lateral_mm=reach.draw(rng),
        half_length=drawn(rng, (0.22, 0.4)) if corner else drawn(rng, (0.28, 0.65)),
        half_width_mm=drawn(rng, (6.0, 18.0)),
        depth_mm=drawn(rng, (3.5, 0.48 * reach.height_mm)),
        factor=factor,
        softness_mm=drawn(rng, (2.0, 6.0)),
        mottling=drawn(rng, (0.0, 0.6)),
    )


def _draw_oedema(rng: np.random.Generator, factor: float, reach: Reach) -> MarrowPatch:
    """A broad change that fades into the body: fainter, and along most of the endplate."""
    return MarrowPatch(
        along=drawn(rng, (0.4, 0.6)),
        lateral_mm=reach.draw(rng),
        half_length=drawn(rng, (0.5, 0.9)),
        half_width_mm=drawn(rng, (12.0, 24.0)),
        depth_mm=drawn(rng, (0.25, 0.5)) * reach.height_mm,
        factor=1 + 0.85 * (factor - 1),
        softness_mm=drawn(rng, (5.0, 10.0)),
        mottling=drawn(rng, (0.0, 0.3)),
    )


_SIGNAL = {1: (0.74, 1.0), 2: (0.5, 0.8), 3: (0.26, 0.43), 4: (0.13, 0.21), 5: (0.05, 0.11)}
_SOFTNESS = {1: (0.2, 0.4), 2: (0.3, 0.5), 3: (0.5, 0.9), 4: (0.9, 1.3), 5: (0.9, 1.3)}
_CLEFT = {1: (0.0, 0.06), 2: (0.3, 0.65), 3: (0.0, 0.3), 4: (0.0, 0.2), 5: (-0.15, 0.1)}
_MOTTLING = {1: (0.02, 0.06), 2: (0.08, 0.2), 3: (0.12, 0.28), 4: (0.15, 0.35), 5: (0.2, 0.5)}


def draw_nucleus(rng: np.random.Generator, pfirrmann: int) -> Nucleus:
    """The inside of a disc of that Pfirrmann grade."""
    return Nucleus(
        signal=drawn(rng, _SIGNAL[pfirrmann]),
        softness=drawn(rng, _SOFTNESS[pfirrmann]),
        extent=(drawn(rng, (0.58, 0.82)), drawn(rng, (0.95, 1.3)), drawn(rng, (0.7, 0.88))),
        cleft=drawn(rng, _CLEFT[pfirrmann]),
        cleft_place=drawn(rng, (-0.2, 0.2)),
        cleft_width=drawn(rng, (0.15, 0.35)),
        mottling=drawn(rng, _MOTTLING[pfirrmann]),
    )


def draw_bulges(rng: np.random.Generator, pfirrmann: int) -> tuple[float, float]:
    """Anterior and posterior bulge: a distractor that grows with degeneration."""
    worn = (pfirrmann - 1) / 4
    return drawn(rng, (0.2, 1.2 + 2.5 * worn)), drawn(rng, (-0.8, 0.8 + 2.4 * worn))


def draw_protrusion(rng: np.random.Generator, pfirrmann: int) -> Protrusion | None:
    """A herniation into the canal: a distractor."""
    if not chance(rng, (0.0, 0.02, 0.12, 0.22, 0.2)[pfirrmann - 1]):
        return None
    return Protrusion(drawn(rng, (-8.0, 8.0)), drawn(rng, (2.5, 7.5)), drawn(rng, (4.0, 9.0)))


def draw_haemangioma(rng: np.random.Generator, height_mm: float, half_width_mm: float) -> Haemangioma | None:
    """A round bright spot well away from both endplates: a distractor."""
    if not chance(rng, 0.05):
        return None
    radius = drawn(rng, (2.5, 0.27 * height_mm))
    room = max(height_mm / 2 - radius - 3.5, 0.1)
    return Haemangioma(
        (drawn(rng, (-7.0, 7.0)), drawn(rng, (-room, room))),
        drawn(rng, (-0.6 * half_width_mm, 0.6 * half_width_mm)),
        radius,
        drawn(rng, (1.3, 2.0)),
    )


def draw_osteophytes(rng: np.random.Generator, wear: tuple[float, float]) -> tuple[float, float, float, float]:
    """Reach beyond each corner AS, PS, PI, AI; wear in [0, 1] of the disc above and below."""
    above, below = wear

    def reach(worn: float, most: float) -> float:
        return drawn(rng, (0.0, most)) if chance(rng, 0.08 + 0.5 * worn) else 0.0

    return reach(above, 5.0), reach(above, 2.2), reach(below, 2.2), reach(below, 5.0)


def draw_process(rng: np.random.Generator, thoracic: bool, last: bool) -> Process:
    """A blade behind a lumbar vertebra, a slanting rod behind a thoracic one; that of L5 is small."""
    if thoracic:
        return Process(
            drawn(rng, (24.0, 34.0)), drawn(rng, (6.0, 9.0)), drawn(rng, (6.0, 9.0)), drawn(rng, (16.0, 28.0))
        )
    small = 0.75 if last else 1.0
    return Process(
        length_mm=small * drawn(rng, (23.0, 32.0)),
        root_mm=small * drawn(rng, (9.0, 13.0)),
        tip_mm=small * drawn(rng, (14.0, 21.0)),
        drop_mm=drawn(rng, (3.0, 9.0)),
    )
