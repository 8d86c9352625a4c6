"""One patient's spine: shape, grades and everything that makes it look like its grades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.phantom.findings import (
    Reach,
    draw_bulges,
    draw_dents,
    draw_haemangioma,
    draw_nucleus,
    draw_osteophytes,
    draw_patches,
    draw_process,
    draw_protrusion,
)
from SpineNetCore.learning.phantom.grades import Grades, draw_grades
from SpineNetCore.learning.phantom.settings import PhantomSettings, chance, drawn, drawn_normal
from SpineNetCore.learning.phantom.shapes import THORACIC_LEVELS, Body, DiscShape, Endplate, Nucleus, Spine
from SpineNetCore.learning.phantom.spine_chain import Link, draw_chain, stature_of

_HEALTHY: Grades = {task: task.grades[0] for task in Task}
_SEEN_FRACTION = 0.55


def draw_spine(rng: np.random.Generator, settings: PhantomSettings, laterals_mm: NDArray[np.float64]) -> Spine:
    """Draw a spine whose findings are seen in slices at `laterals_mm`."""
    grades = draw_grades(rng, settings)
    links = draw_chain(rng, settings, grades)
    curve = _draw_curve(rng, settings, laterals_mm)
    marrow = drawn(rng, (0.0, 0.06))
    bodies = tuple(
        _draw_body(rng, link, curve, _Around(laterals_mm, *_neighbours(links, k, grades), marrow))
        for k, link in enumerate(links)
    )
    discs = tuple(
        _draw_disc(rng, links[k], (bodies[k], bodies[k + 1]), grades.get(f"{links[k].level}-{links[k + 1].level}"))
        for k in range(len(links) - 1)
    )
    first_lumbar = next(body for body in bodies if body.level == "L1")
    return Spine(
        bodies=bodies,
        discs=discs,
        conus_inferior_mm=float(first_lumbar.centre[1]) + drawn_normal(rng, 0.0, 14.0, (-30.0, 35.0)),
        stature=stature_of(links),
        age=float(np.mean([grade[Task.PFIRRMANN] - 1 for grade in grades.values()]) / 4),
    )


@dataclass(frozen=True)
class _Curve:
    """Lateral place of the spine at each height: a straight tilt and a scoliotic wave."""

    offset_mm: float
    slope: float
    amplitude_mm: float
    wavelength_mm: float
    phase: float
    twist: float

    def place(self, inferior_mm: float) -> float:
        wave = self.amplitude_mm * np.sin(inferior_mm / self.wavelength_mm * 2 * np.pi + self.phase)
        return float(self.offset_mm + self.slope * (inferior_mm + 100) + wave)

    def tilt(self, inferior_mm: float) -> float:
        """Change of place a millimetre further down."""
        return (self.place(inferior_mm + 1) - self.place(inferior_mm - 1)) / 2


@dataclass(frozen=True)
class _Around:
    """What a body's findings depend on besides itself: the slices, the grades of both its discs, marrow's variation."""

    laterals_mm: NDArray[np.float64]
    above: Grades
    below: Grades
    marrow_variation: float


def _draw_curve(rng: np.random.Generator, settings: PhantomSettings, laterals_mm: NDArray[np.float64]) -> _Curve:
    """ours: a narrow stack is laid along its spine, so fewer slices leave less room for scoliosis and tilt."""
    room = float(np.clip(np.ptp(laterals_mm) / 40.0, 0.15, 1.0))
    low, high = settings.scoliosis_mm
    amplitude = low + (high - low) * float(rng.beta(1.0, 4.0))
    return _Curve(
        offset_mm=drawn_normal(rng, 0.0, 2.0, (-5.0, 5.0)) * room,
        slope=float(np.tan(np.radians(drawn(rng, settings.slice_tilt_deg) * drawn(rng, (0.0, 1.0))))) * room,
        amplitude_mm=amplitude * room,
        wavelength_mm=drawn(rng, (200.0, 450.0)),
        phase=drawn(rng, (0.0, 2 * np.pi)),
        twist=drawn_normal(rng, 0.0, 0.05, (-0.15, 0.15)),
    )


def _neighbours(links: tuple[Link, ...], k: int, grades: Mapping[str, Grades]) -> tuple[Grades, Grades]:
    def of(upper: int) -> Grades:
        if not 0 <= upper < len(links) - 1:
            return _HEALTHY
        return grades.get(f"{links[upper].level}-{links[upper + 1].level}", _HEALTHY)

    return of(k - 1), of(k)


def _draw_body(rng: np.random.Generator, link: Link, curve: _Curve, around: _Around) -> Body:
    inferior = float(link.corners[:, 1].mean())
    lateral = curve.place(inferior)
    height = float(np.linalg.norm(link.corners[:2].mean(axis=0) - link.corners[2:].mean(axis=0)))
    reach = Reach(_seen(around.laterals_mm - lateral, link.half_width_mm), height)
    above, below = around.above, around.below
    sacral = link.level.startswith("S")
    return Body(
        level=link.level,
        corners=link.corners,
        lateral_mm=lateral,
        half_width_mm=link.half_width_mm,
        coronal_slope=-curve.tilt(inferior),
        twist=curve.twist,
        superior=_draw_endplate(rng, link.bows_mm[0], (above[Task.LOWER_ENDPLATE], above[Task.LOWER_MARROW]), reach),
        inferior=_draw_endplate(rng, link.bows_mm[1], (below[Task.UPPER_ENDPLATE], below[Task.UPPER_MARROW]), reach),
        waist_mm=(drawn(rng, (0.2, 1.0)), 0.2) if sacral else (drawn(rng, (1.0, 3.2)), drawn(rng, (0.4, 1.9))),
        osteophytes_mm=(0.0, 0.0, 0.0, 0.0)
        if sacral and link.level != "S1"
        else draw_osteophytes(rng, (_wear(above), _wear(below))),
        marrow=float(np.exp(rng.normal(0, around.marrow_variation))),
        vein_mm=drawn(rng, (4.0, 13.0)),
        vein_signal=max(drawn(rng, (-0.5, 0.8)), 0.0),
        process=draw_process(rng, link.level in THORACIC_LEVELS, link.level == "L5"),
        haemangioma=None if sacral else draw_haemangioma(rng, height, link.half_width_mm),
    )


def _seen(offsets_mm: NDArray[np.float64], half_width_mm: float) -> NDArray[np.float64]:
    """Offsets of the slices that cut a body well inside, or of the nearest one where none does."""
    inside = offsets_mm[np.abs(offsets_mm) <= _SEEN_FRACTION * half_width_mm]
    return inside if len(inside) else offsets_mm[[np.argmin(np.abs(offsets_mm))]]


def _draw_endplate(rng: np.random.Generator, bow_mm: float, grades: tuple[int, int], reach: Reach) -> Endplate:
    defect, changed = grades
    return Endplate(
        bow_mm=bow_mm,
        skew=drawn(rng, (-0.2, 0.5)),
        dents=draw_dents(rng, bool(defect), reach),
        patches=draw_patches(rng, bool(changed), reach),
    )


def _wear(grades: Grades) -> float:
    return (grades[Task.PFIRRMANN] - 1) / 4


def _draw_disc(rng: np.random.Generator, link: Link, bodies: tuple[Body, Body], grades: Grades | None) -> DiscShape:
    upper, lower = bodies
    pfirrmann = grades[Task.PFIRRMANN] if grades else int(rng.integers(1, 4))
    return DiscShape(
        upper=upper,
        lower=lower,
        grades=grades,
        nucleus=_draw_remnant(rng) if link.is_fused else draw_nucleus(rng, pfirrmann),
        bulges_mm=(0.0, 0.0) if link.is_fused else draw_bulges(rng, pfirrmann),
        protrusion=None if link.is_fused else draw_protrusion(rng, pfirrmann),
        height_mm=link.disc_mm,
        normal_height_mm=link.normal_disc_mm,
    )


def _draw_remnant(rng: np.random.Generator) -> Nucleus:
    signal = drawn(rng, (0.2, 0.6)) if chance(rng, 0.3) else drawn(rng, (0.03, 0.15))
    return Nucleus(signal, 0.6, (0.5, 1.0, 0.6), 0.0, 0.0, 1.0, 0.1)
