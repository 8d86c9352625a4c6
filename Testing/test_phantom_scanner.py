from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.learning.phantom import PhantomSettings
from SpineNetCore.learning.phantom.anatomy_model import draw_spine
from SpineNetCore.learning.phantom.field_of_view import FieldOfView, SliceStack, draw_field_of_view, draw_stack
from SpineNetCore.learning.phantom.scanner import Scanner, acquired, draw_scanner
from SpineNetCore.learning.phantom.section import section, slab

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


def test_partial_volume_averages_a_body_over_the_slices_thickness():
    rng = np.random.default_rng(0)
    settings = PhantomSettings()
    stack = draw_stack(rng, settings)
    body = draw_spine(rng, settings, stack.laterals_mm).body("L3")
    cut = section(body, body.lateral_mm, 6.0)
    assert cut is not None
    assert [part.offset_mm for part in slab(cut, 6.0)] == pytest.approx([0.0, -2.0, 2.0])


def test_a_field_of_view_shows_the_lumbar_spine():
    rng = np.random.default_rng(2)
    settings = PhantomSettings(cut_off_probability=0.0)
    for _ in range(10):
        stack = draw_stack(rng, settings)
        spine = draw_spine(rng, settings, stack.laterals_mm)
        view = draw_field_of_view(rng, settings, stack, spine)
        assert all(view.contains(spine.body(level).corners) for level in ("L2", "L3", "L4", "L5"))
