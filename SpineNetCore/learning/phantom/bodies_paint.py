"""Vertebral bodies: marrow, its veins and lesions, and the cortex around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.learning.phantom.canvas import PhantomLabel, Window
from SpineNetCore.learning.phantom.grades import ALL_DISC_LEVELS
from SpineNetCore.learning.phantom.painting import Painting, between, capsule
from SpineNetCore.learning.phantom.section import (
    Border,
    Outline,
    Section,
    dent_depth,
    outline,
    section,
    slab,
)
from SpineNetCore.learning.phantom.shapes import Body, Endplate, MarrowPatch

_MARGIN_MM = 9.0
_SHOWN = 0.5
_LEAST_DENT_MM = 0.5


def lesion_label(level: str) -> int:
    """Value of a disc in lesion maps: 1 = L5-S1 ... 6 = T12-L1, as `disc_label`, and on for the discs above."""
    return len(ALL_DISC_LEVELS) - ALL_DISC_LEVELS.index(level)


def paint_body(painting: Painting, body: Body) -> None:
    """Paint and label one body as this slice cuts it, and record the lesions in it."""
    cut = section(body, painting.canvas.lateral_mm, painting.thickness_mm)
    window = painting.canvas.around(cut.corners, _MARGIN_MM) if cut else None
    if cut is None or window is None:
        return
    outlines = [outline(part, window) for part in slab(cut, painting.thickness_mm)]
    middle = outlines[0]
    _paint_osteophytes(painting, window, cut)
    marrow = _marrow(painting, window, cut) * _patches(painting, window, cut, middle)
    painting.canvas.paint(window, _shared_coverage(painting, [part.distance for part in outlines], cut), marrow)
    _paint_basivertebral_vein(painting, window, cut)
    _paint_cortex(painting, window, cut, outlines)
    if cut.opacity >= _SHOWN:
        painting.canvas.mark(window, middle.distance < 0, _label(body))
        _record_dents(painting, window, cut, middle)


def _shared_coverage(painting: Painting, distances: Sequence[FloatArray], cut: Section) -> FloatArray:
    """Partial volume: the mean over a slice's thickness."""
    return np.asarray(np.mean([painting.canvas.coverage(distance, cut.opacity) for distance in distances], axis=0))


def _label(body: Body) -> PhantomLabel:
    if body.level == "S1":
        return PhantomLabel.S1
    return PhantomLabel.LOWER_SACRUM if body.is_sacral else PhantomLabel.BODY


def _marrow(painting: Painting, window: Window, cut: Section) -> FloatArray:
    grain = np.float32(painting.habit.grain)
    variation = grain * (
        0.8 * painting.noise(window, 5.0) + painting.noise(window, 1.6) + 0.8 * painting.noise(window, 12.0)
    )
    signal = np.float32(painting.tissues.marrow * cut.body.marrow) * np.exp(variation)
    spot = cut.body.haemangioma
    if spot is not None:
        radius = np.sqrt(max(spot.radius_mm**2 - (cut.offset_mm - spot.lateral_mm) ** 2, 0.0))
        centre = cut.body.centre + np.asarray(spot.offset_mm)
        away = np.hypot(window.posterior_mm - np.float32(centre[0]), window.inferior_mm - np.float32(centre[1]))
        striation = 1 + 0.15 * painting.fibres(window, 8.0, 1.0)
        signal = signal * (1 + painting.canvas.coverage(away - np.float32(radius)) * (spot.factor * striation - 1))
    return np.asarray(signal, dtype=np.float32)


def _patches(painting: Painting, window: Window, cut: Section, shape: Outline) -> FloatArray:
    """Factor on marrow; records where it is graded as changed."""
    factor = np.ones(window.shape, dtype=np.float32)
    sides = (
        (cut.body.superior, shape.upper, Task.LOWER_MARROW),
        (cut.body.inferior, shape.lower, Task.UPPER_MARROW),
    )
    for endplate, border, task in sides:
        for patch in endplate.patches:
            share = _patch_share(painting, window, cut, (patch, border))
            mottled = np.clip(1 + np.float32(patch.mottling) * painting.noise(window, 2.8), 0, 1.4)
            factor *= 1 + share * mottled * np.float32(patch.factor - 1)
            if cut.opacity >= _SHOWN:
                painting.record(task, window, (share > 0.5) & (shape.distance < 0), _disc_label(cut.body, task))
    return factor


def _patch_share(painting: Painting, window: Window, cut: Section, patched: tuple[MarrowPatch, Border]) -> FloatArray:
    """How far a patch has replaced each pixel's marrow, [0, 1]."""
    patch, border = patched
    lateral = (cut.offset_mm - patch.lateral_mm) / patch.half_width_mm
    x = (border.along - patch.along) / np.float32(patch.half_length)
    reach = np.float32(patch.depth_mm) * np.sqrt(np.maximum(1 - x * x - np.float32(lateral**2), 0))
    ragged = reach * (1 + 0.25 * painting.noise(window, 4.0)) + border.distance_mm
    return np.asarray(np.clip(ragged / np.float32(patch.softness_mm) + 0.5, 0, 1) * (reach > 0.3))


def _paint_basivertebral_vein(painting: Painting, window: Window, cut: Section) -> None:
    """A cleft from the middle of the back wall inwards, bright with slow blood, near the midline only."""
    strength = between(abs(cut.offset_mm), -1, 5.0, 3.0) * cut.opacity
    if cut.body.is_sacral or strength <= 0:
        return
    wall = cut.corners[[1, 2]].mean(axis=0)
    back = (wall - cut.corners.mean(axis=0)) / np.linalg.norm(wall - cut.corners.mean(axis=0))
    x, y = window.posterior_mm - np.float32(wall[0]), window.inferior_mm - np.float32(wall[1])
    inwards = -(x * np.float32(back[0]) + y * np.float32(back[1]))
    across = np.abs(y * np.float32(back[0]) - x * np.float32(back[1]))
    wedge = across - np.float32(1.2) * (1 - inwards / np.float32(cut.body.vein_mm))
    inside = painting.canvas.coverage(np.maximum(wedge, -inwards - np.float32(0.5)), cut.body.vein_signal * strength)
    painting.canvas.paint(window, inside, painting.tissues.vein)


def _paint_osteophytes(painting: Painting, window: Window, cut: Section) -> None:
    """Beaks at the corners, marrow within a dark rim; not part of the labelled body."""
    along = (cut.corners[1] - cut.corners[0], cut.corners[2] - cut.corners[3])
    outwards = (-along[0], along[0], along[1], -along[1])
    for corner, outward, reach in zip(cut.corners, outwards, cut.body.osteophytes_mm, strict=True):
        if reach < 0.5:
            continue
        inner = corner + 0.3 * (cut.corners.mean(axis=0) - corner) * (4.0 / 12.0)
        tip = corner + outward / np.linalg.norm(outward) * reach
        beak = capsule(window, (inner, tip), (2.8, 1.2))
        canvas = painting.canvas
        canvas.paint(window, canvas.coverage(beak - np.float32(0.5), cut.opacity), painting.tissues.cortex)
        canvas.paint(window, canvas.coverage(beak + np.float32(0.5), cut.opacity), 0.9 * painting.tissues.marrow)


def _paint_cortex(painting: Painting, window: Window, cut: Section, outlines: Sequence[Outline]) -> None:
    """A dark line on the border; chemical shift thickens it on one side, thins and brightens it on the other."""
    shift, half = painting.habit.chemical_shift, painting.habit.cortex_mm / 2
    shape = outlines[0]
    on_wall = shape.walls > np.maximum(shape.upper.distance_mm, shape.lower.distance_mm)
    on_top = shape.upper.distance_mm > shape.lower.distance_mm
    ends = np.where(on_top, np.float32(half * (1 + shift)), np.float32(half * (1 - shift)))
    thickness = np.where(on_wall, np.float32(0.75 * half), ends) * (1 + 0.3 * painting.noise(window, 4.0))
    line = _shared_coverage(painting, [np.abs(part.distance) - thickness for part in outlines], cut)
    painting.canvas.paint(window, line, painting.tissues.cortex)
    thinned = ~on_wall & (on_top if shift < 0 else ~on_top)
    inwards = np.abs(shape.distance + np.float32(half + 0.5)) - np.float32(abs(shift))
    painting.canvas.scale(window, painting.canvas.coverage(inwards, cut.opacity) * thinned, 1 + 0.5 * abs(shift))


def _record_dents(painting: Painting, window: Window, cut: Section, shape: Outline) -> None:
    sides = (
        (cut.body.superior, shape.upper, Task.LOWER_ENDPLATE),
        (cut.body.inferior, shape.lower, Task.UPPER_ENDPLATE),
    )
    for endplate, border, task in sides:
        graded = _graded_depth(endplate, cut, border)
        if graded is not None:
            hollow = (border.intact_mm < 0) & (border.distance_mm >= 0) & (graded > _LEAST_DENT_MM) & (shape.walls < 0)
            painting.record(task, window, hollow, _disc_label(cut.body, task))


def _graded_depth(endplate: Endplate, cut: Section, border: Border) -> FloatArray | None:
    depths = [dent_depth(dent, cut, border.along) for dent in endplate.dents if dent.is_defect]
    return np.asarray(np.max(depths, axis=0)) if depths else None


def _disc_label(body: Body, task: Task) -> int:
    """The disc below a body owns its lower endplate ("upper" task), the disc above its upper one."""
    above = task in (Task.LOWER_ENDPLATE, Task.LOWER_MARROW)
    levels = [level for level in ALL_DISC_LEVELS if level.split("-")[1 if above else 0] == body.level]
    return lesion_label(levels[0])
