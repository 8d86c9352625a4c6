from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from SpineNetCore.pictures import heat_palette, png, scan_window
from SpineNetCore.scan import Scan

NOISE = np.random.default_rng(5).integers(0, 256, (37, 23)).astype(np.uint8)


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture))


def a_scan(voxels: np.ndarray) -> Scan:
    return Scan(voxels.astype(np.float32), np.eye(4), "phantom")


def test_another_program_reads_the_same_greys():
    image = opened(png(NOISE))
    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), NOISE)


def test_another_program_reads_the_same_colours_and_opacities():
    image = opened(png(NOISE, heat_palette())).convert("RGBA")
    np.testing.assert_array_equal(np.asarray(image), heat_palette()[NOISE])


def test_no_heat_is_clear_and_more_heat_is_brighter():
    palette = heat_palette().astype(float)
    lightness = palette[:, :3] @ (0.2126, 0.7152, 0.0722)
    assert palette[0, 3] == 0
    assert (np.diff(palette[:, 3]) >= 0).all()
    assert (np.diff(lightness) > -1).all()  # but for rounding
    assert (np.diff(lightness[::8]) > 0).all()


def test_the_window_reaches_from_the_air_to_the_bright_end_of_a_small_body():
    voxels = np.zeros((3, 60, 60))
    voxels[:, 10:20, 10:50] = np.linspace(100, 300, 40)
    window = scan_window(a_scan(voxels), np.zeros(voxels.shape, bool))
    assert window.low == 0
    assert 290 < window.high <= 300


def test_bright_fluid_does_not_leave_the_spine_black():
    voxels = np.full((3, 60, 60), 50.0)
    spine = np.zeros(voxels.shape, bool)
    spine[:, 20:40, 20:40] = True
    voxels[spine] = 150
    voxels[:, :, 50:] = 5000
    window = scan_window(a_scan(voxels), spine)
    assert (150 - window.low) / (window.high - window.low) >= 0.25


def test_the_window_is_the_same_look_whatever_the_files_zero():
    voxels = np.zeros((3, 60, 60))
    voxels[:, 10:50, 10:50] = np.linspace(100, 300, 40)
    spine = voxels > 200
    here, there = scan_window(a_scan(voxels), spine), scan_window(a_scan(voxels - 1000), spine)
    assert (there.low, there.high) == pytest.approx((here.low - 1000, here.high - 1000), abs=0.01)


def test_an_empty_scan_has_a_window_too():
    for value in (0, 7):
        window = scan_window(a_scan(np.full((1, 9, 9), value)), np.ones((1, 9, 9), bool))
        assert window.high > window.low
