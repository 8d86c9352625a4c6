from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.mask_corners import diagonal_corners


@pytest.mark.parametrize("angle_deg", [-35, -20, -7, 12, 30])
def test_the_corners_of_a_turned_rectangle_are_found_within_two_pixels(angle_deg):
    spacing_mm = (0.6, 0.8)
    turn = np.deg2rad(angle_deg)
    down, back = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    centre = np.array([40.0, 44.0])
    place = np.moveaxis(np.indices((140, 120)), 0, -1) * spacing_mm - centre
    mask = (np.abs(place @ down) <= 13) & (np.abs(place @ back) <= 17)
    truth = [centre + 13 * d * down + 17 * b * back for d, b in ((-1, -1), (-1, 1), (1, 1), (1, -1))]

    off = diagonal_corners(mask, down, spacing_mm) * spacing_mm - truth
    assert np.linalg.norm(off, axis=1).max() < 1.4
