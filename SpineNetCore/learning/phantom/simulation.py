"""From a seed to a phantom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import Affine, Task
from SpineNetCore.learning.phantom.anatomy_model import draw_spine
from SpineNetCore.learning.phantom.bodies_paint import paint_body
from SpineNetCore.learning.phantom.canal_paint import paint_canal
from SpineNetCore.learning.phantom.canvas import Canvas
from SpineNetCore.learning.phantom.curves import draw_curves
from SpineNetCore.learning.phantom.discs_paint import paint_disc
from SpineNetCore.learning.phantom.field_of_view import draw_field_of_view, draw_stack
from SpineNetCore.learning.phantom.painting import Habit, Painting
from SpineNetCore.learning.phantom.posterior_paint import paint_posterior_elements
from SpineNetCore.learning.phantom.scanner import acquired, draw_scanner
from SpineNetCore.learning.phantom.settings import PhantomSettings, drawn, drawn_normal
from SpineNetCore.learning.phantom.shapes import Spine
from SpineNetCore.learning.phantom.surroundings_paint import paint_surroundings
from SpineNetCore.learning.phantom.tissue import draw_tissues
from SpineNetCore.learning.phantom.truth import Phantom, visible_discs, visible_vertebrae
from SpineNetCore.scan import FileGrid, Scan

_DEFAULT = PhantomSettings()
_RAS_FROM_LEFT_INFERIOR_POSTERIOR = np.array(
    [[-1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
)


def simulate(rng: np.random.Generator, settings: PhantomSettings = _DEFAULT) -> Phantom:
    """Draw a patient, paint every slice, and acquire them."""
    stack = draw_stack(rng, settings)
    spine = draw_spine(rng, settings, stack.laterals_mm)
    view = draw_field_of_view(rng, settings, stack, spine)
    tissues, habit = draw_tissues(rng, settings.contrast), draw_habit(rng, spine)
    scanner = draw_scanner(rng, settings, view, tissues.marrow, float(spine.body("L3").centre[0]))
    shape = (len(stack.laterals_mm), view.rows, view.columns)
    voxels, labels = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.uint8)
    lesions = {task: np.zeros(shape, dtype=np.uint8) for task in Task}
    for k, lateral in enumerate(stack.laterals_mm):
        canvas = Canvas(view, float(lateral))
        here = {task: volume[k] for task, volume in lesions.items()}
        paint(Painting(canvas, rng, spine, tissues, habit, stack.thickness_mm, here))
        voxels[k], labels[k] = acquired(rng, scanner, canvas.signal), canvas.labels
    ras_from_phantom = _draw_placement(rng, settings, spine)
    scan = _scan(voxels, ras_from_phantom @ view.phantom_from_ijk)
    return Phantom(
        scan=scan,
        vertebrae=visible_vertebrae(spine, view, ras_from_phantom),
        discs=visible_discs(spine, view, ras_from_phantom),
        labels=labels,
        lesions=lesions,
    )


def paint(painting: Painting) -> None:
    """Paint one slice from the back of the picture to its front."""
    curves = draw_curves(painting)
    paint_surroundings(painting, curves)
    paint_canal(painting, curves)
    for body in painting.spine.bodies:
        paint_posterior_elements(painting, body)
    for disc in painting.spine.discs:
        paint_disc(painting, disc)
    for body in painting.spine.bodies:
        paint_body(painting, body)


def draw_habit(rng: np.random.Generator, spine: Spine) -> Habit:
    """What is the same in all slices of one patient; the old are fatter within and coarser in their marrow."""
    return Habit(
        cortex_mm=drawn(rng, (0.45, 1.15)),
        chemical_shift=drawn(rng, (-0.8, 0.8)),
        grain=drawn(rng, (0.03, 0.09)) + 0.04 * spine.age,
        fat_infiltration=drawn(rng, (0.0, 0.25)) + 0.35 * spine.age,
        sac_depth_mm=drawn_normal(rng, 15.0, 1.8, (10.5, 19.0)),
        sac_half_width_mm=drawn(rng, (8.5, 11.5)),
        subcutaneous_mm=float(np.exp(drawn_normal(rng, np.log(14.0), 0.6, (np.log(3.0), np.log(50.0))))),
        abdomen_mm=drawn(rng, (70.0, 170.0)),
        aorta_mm=drawn(rng, (7.0, 11.0)),
        gas=drawn(rng, (0.0, 1.0)),
        narrow_canal=drawn(rng, (0.0, 0.12)) + 0.2 * spine.age * float(rng.random()),
    )


def _draw_placement(rng: np.random.Generator, settings: PhantomSettings, spine: Spine) -> Affine:
    """(4, 4) from (left, inferior, posterior) of the phantom to RAS, L3 near the scanner's middle, slightly oblique."""
    affine = _rotation(np.radians(rng.uniform(*settings.obliquity_deg, 3))) @ _RAS_FROM_LEFT_INFERIOR_POSTERIOR
    middle = spine.body("L3")
    centre = np.array([middle.lateral_mm, middle.centre[1], middle.centre[0], 1.0])
    affine[:3, 3] += rng.normal((0, -20, 0), (10, 25, 40)) - (affine @ centre)[:3]
    return np.asarray(affine, dtype=np.float64)


def _rotation(angles: NDArray[np.float64]) -> Affine:
    """(4, 4) about each axis in turn."""
    rotation = np.eye(4)
    for axis, angle in enumerate(angles):
        turn = np.eye(4)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn[[first, second], [first, second]] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        rotation = turn @ rotation
    return np.asarray(rotation)


def _scan(voxels: NDArray[np.float32], ras_from_ijk: Affine) -> Scan:
    """Files keep columns first and slices last."""
    slices, rows, columns = voxels.shape
    ras_from_file_ijk = ras_from_ijk[:, [2, 1, 0, 3]]
    grid = FileGrid((columns, rows, slices), ras_from_file_ijk, (2, 1, 0), (False, False, False))
    return Scan(voxels, ras_from_ijk, "phantom", grid)
