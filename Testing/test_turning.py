from __future__ import annotations

import numpy as np
import pytest
from spine_making import an_empty_scan

from SpineNetCore.scan import Scan, mapped
from SpineNetCore.turning import turned_picture

SPACING_MM = (4.0, 0.7, 1.1)


def with_a_spot(row: int, column: int) -> tuple[Scan, np.ndarray]:
    """A dark scan with one bright place on its second slice, and that place in space."""
    scan = an_empty_scan(slices=3, spacing_mm=SPACING_MM, turn_deg=(5, 3, -8))
    scan.voxels[:] = -7
    scan.voxels[1, row - 1 : row + 2, column - 1 : column + 2] = 100
    return scan, mapped(scan.ras_from_ijk, np.array([1.0, row, column]))


@pytest.mark.parametrize("angle_deg", [-35, 10, 90])
@pytest.mark.parametrize(("down", "back"), [(2, 2), (2, -3), (-3, 2), (-3, -3), (100, 60)])
def test_whatever_was_seen_stays_where_it_is_in_the_patient(angle_deg, down, back):
    rows, columns = an_empty_scan(1, SPACING_MM).voxels.shape[1:]
    scan, spot = with_a_spot(down % rows, back % columns)

    turned = turned_picture(scan, angle_deg)

    weights = turned.voxels + 7
    assert weights[[0, 2]].max() == 0
    place = np.argwhere(weights > 0).T @ weights[weights > 0] / weights.sum()
    assert np.linalg.norm(mapped(turned.ras_from_ijk, place) - spot) < 0.3
    assert turned.spacing_mm == pytest.approx(SPACING_MM)
    assert turned.file_grid is None


def test_a_line_that_leaned_backwards_runs_down_the_picture():
    scan, _ = with_a_spot(100, 60)
    angle = np.deg2rad(25)
    leaning = np.array([0, np.cos(angle) / SPACING_MM[1], np.sin(angle) / SPACING_MM[2]])

    turned = turned_picture(scan, 25)

    assert turned.ijk_from_ras[:3, :3] @ scan.ras_from_ijk[:3, :3] @ leaning == pytest.approx([0, 1 / SPACING_MM[1], 0])


def test_a_picture_that_is_not_turned_is_the_same():
    scan, _ = with_a_spot(100, 60)
    turned = turned_picture(scan, 0)

    assert np.array_equal(turned.voxels, scan.voxels)
    assert np.allclose(turned.ras_from_ijk, scan.ras_from_ijk)
