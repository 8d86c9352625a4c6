from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.phantom import PhantomSettings
from SpineNetCore.learning.phantom.anatomy_model import draw_spine
from SpineNetCore.learning.phantom.bodies_paint import paint_body
from SpineNetCore.learning.phantom.canvas import Canvas
from SpineNetCore.learning.phantom.field_of_view import FieldOfView, SliceStack, draw_field_of_view, draw_stack
from SpineNetCore.learning.phantom.painting import Painting
from SpineNetCore.learning.phantom.scanner import Scanner, acquired, draw_scanner
from SpineNetCore.learning.phantom.simulation import draw_habit
from SpineNetCore.learning.phantom.tissue import draw_tissues

MARROW = 0.4


@pytest.fixture(scope="module")
def a_view() -> FieldOfView:
    return FieldOfView(SliceStack(np.zeros(1), 4.0, 4.0), 240, 180, 1.0, (-90.0, -200.0))


def scanned(view: FieldOfView, signal: np.ndarray, **settings: tuple[float, float]) -> tuple[np.ndarray, Scanner]:
    """A signal as acquired, in the signal's own units; everything that is not asked for left out."""
    quiet = {"noise": (1e-4, 1e-4), "coil_shading": (0.0, 0.0), "blur_mm": (0.01, 0.01), "ghosting": (0.0, 0.0)}
    rng = np.random.default_rng(1)
    scanner = draw_scanner(rng, PhantomSettings(**quiet | settings), view, MARROW, 0.0)
    return acquired(rng, scanner, signal) / scanner.full_scale, scanner


def test_slices_are_as_thick_as_the_paper_says_with_gaps_between():
    rng = np.random.default_rng(0)
    stacks = [draw_stack(rng, PhantomSettings()) for _ in range(2000)]
    thicknesses = np.array([stack.thickness_mm for stack in stacks])
    assert np.median(thicknesses) == pytest.approx(4.0, abs=0.1)
    assert 2.6 <= thicknesses.min() < 2.7
    assert 5.5 < thicknesses.max() <= 6.0
    gaps = np.array([stack.spacing_mm for stack in stacks]) / thicknesses - 1
    assert gaps.min() >= 0
    assert 0.2 < gaps.max() <= 0.25


def test_noise_without_signal_has_the_mean_of_a_rayleigh_distribution(a_view):
    image, scanner = scanned(a_view, np.zeros((240, 180), np.float32), noise=(0.2, 0.2))
    assert image.mean() == pytest.approx(scanner.noise_sigma * np.sqrt(np.pi / 2), rel=0.05)


def test_the_coil_sees_the_back_better_than_the_front(a_view):
    image, _ = scanned(a_view, np.ones((240, 180), np.float32), coil_shading=(1.0, 1.0))
    assert image[:, 130:150].mean() > 1.5 * image[:, 30:50].mean()


def test_a_point_is_spread_and_keeps_its_sum(a_view):
    point = np.zeros((240, 180), np.float32)
    point[120, 90] = 100.0
    image, scanner = scanned(a_view, point, blur_mm=(1.5, 1.5))
    assert image[120, 90] < 15
    assert image[118:123, 90].min() > 0
    assert scanner.blurred[0, 0] == pytest.approx(1)


def test_motion_leaves_a_ghost_of_the_given_strength(a_view):
    block = np.zeros((240, 180), np.float32)
    block[100:110, 80:90] = 1.0
    image, scanner = scanned(a_view, block, ghosting=(0.3, 0.3))
    strength, shift, axis = scanner.ghost
    assert np.roll(image, -shift, axis)[104, 84] == pytest.approx(strength, abs=0.03)


def painted_column(coronal_slope: float, thickness_mm: float) -> np.ndarray:
    """Signal down the middle of a body alone, in rows of a millimetre; its marrow has no texture."""
    rng = np.random.default_rng(0)
    spine = draw_spine(rng, PhantomSettings(), np.zeros(1))
    body = replace(spine.body("L3"), coronal_slope=coronal_slope)
    view = FieldOfView(SliceStack(np.zeros(1), 4.0, 4.0), 120, 120, 1.0, tuple(body.centre - 60))
    canvas, habit = Canvas(view, body.lateral_mm), replace(draw_habit(rng, spine), grain=0.0)
    lesions = {task: np.zeros(canvas.signal.shape, np.uint8) for task in Task}
    paint_body(Painting(canvas, rng, spine, draw_tissues(rng, 0.0), habit, thickness_mm, lesions), body)
    return canvas.signal[:, 60]


def test_partial_volume_spreads_a_tilted_edge_over_the_slices_thickness_and_keeps_the_sum():
    columns = {(slope, mm): painted_column(slope, mm) for slope in (0.0, 1.0) for mm in (0.5, 6.0)}
    shown = {key: int((column > 1e-3).sum()) for key, column in columns.items()}
    steepest = {key: np.abs(np.diff(column)).max() for key, column in columns.items()}
    assert shown[0.0, 6.0] == shown[0.0, 0.5] == shown[1.0, 0.5]
    assert shown[1.0, 6.0] == shown[1.0, 0.5] + 4  # its cuts lie 2 mm to either side
    assert steepest[1.0, 6.0] < 0.7 * steepest[1.0, 0.5]
    assert columns[1.0, 6.0].sum() == pytest.approx(columns[1.0, 0.5].sum(), rel=0.02)


def test_a_field_of_view_shows_the_lumbar_spine():
    rng = np.random.default_rng(2)
    settings = PhantomSettings(cut_off_probability=0.0)
    for _ in range(10):
        stack = draw_stack(rng, settings)
        spine = draw_spine(rng, settings, stack.laterals_mm)
        view = draw_field_of_view(rng, settings, stack, spine)
        assert all(view.contains(spine.body(level).corners) for level in ("L2", "L3", "L4", "L5"))
