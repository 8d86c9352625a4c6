from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from SpineNetCore.scan import FileGrid, Scan, mapped, with_averaged_slices

SHAPE = (3, 4, 5)
PLACE = np.array([[0.0, 0.7, 0.1, -9.0], [0.1, 0.0, 0.8, 12.0], [4.0, 0.0, 0.0, 33.0], [0.0, 0.0, 0.0, 1.0]])
ORDERS = list(product(permutations(range(3)), product((False, True), repeat=3)))


@pytest.mark.parametrize(("axes", "flips"), ORDERS)
def test_to_the_standard_order_and_back_changes_nothing(axes, flips):
    grid = FileGrid(SHAPE, PLACE, axes, flips)
    array = np.arange(np.prod(SHAPE)).reshape(SHAPE)

    assert np.array_equal(grid.file_from_standard(grid.standard_from_file(array)), array)


@pytest.mark.parametrize(("axes", "flips"), ORDERS)
def test_a_voxel_keeps_its_place_in_the_standard_order(axes, flips):
    grid = FileGrid(SHAPE, PLACE, axes, flips)
    file_indices = np.moveaxis(np.indices(SHAPE), 0, -1)
    in_patient = mapped(PLACE, file_indices.astype(float))
    reordered = np.stack([grid.standard_from_file(in_patient[..., axis]) for axis in range(3)], axis=-1)
    standard_indices = np.moveaxis(np.indices(reordered.shape[:3]), 0, -1)

    assert np.allclose(mapped(grid.ras_from_standard(), standard_indices.astype(float)), reordered)


def a_scan(slices: int, slice_mm: float) -> Scan:
    voxels = np.random.default_rng(slices).normal(size=(slices, 4, 5)).astype(np.float32)
    turn = np.array([[-0.96, 0.0, 0.28], [0.0, -1.0, 0.0], [-0.28, 0.0, -0.96]])
    place = np.eye(4)
    place[:3, :3] = turn[:, [0, 2, 1]] * [slice_mm, 0.7, 0.6]
    place[:3, 3] = [5.0, -40.0, 210.0]
    return Scan(voxels, place, "a scan")


@given(slices=st.integers(1, 40), slice_mm=st.floats(0.5, 6.0))
def test_an_averaged_slab_lies_at_the_mean_of_its_slices(slices, slice_mm):
    scan = a_scan(slices, slice_mm)
    thick = with_averaged_slices(scan)
    count = max(1, round(4.0 / slice_mm)) if slices > 1 else 1
    for slab in range(slices // count):
        members = np.arange(slab * count, (slab + 1) * count)
        places = mapped(
            scan.ras_from_ijk, np.stack([members, np.full(count, 2), np.full(count, 3)], axis=1).astype(float)
        )
        place = mapped(thick.ras_from_ijk, np.array([slab, 2.0, 3.0]))

        assert np.allclose(place, places.mean(axis=0))
        assert np.allclose(thick.voxels[slab], scan.voxels[members].mean(axis=0), atol=1e-5)


def test_one_millimetre_slices_become_four_millimetre_slabs():
    thick = with_averaged_slices(a_scan(20, 1.0))

    assert thick.voxels.shape == (5, 4, 5)
    assert thick.spacing_mm == pytest.approx((4.0, 0.7, 0.6))
    assert thick.file_grid is None


def test_thick_slices_are_left_alone():
    scan = a_scan(15, 4.4)

    assert with_averaged_slices(scan) is scan


def test_points_go_into_the_scan_and_back():
    scan = a_scan(15, 4.4)
    points = np.array([[1.0, 2.0, 3.0], [-30.0, 5.0, 200.0]])

    assert np.allclose(mapped(scan.ras_from_ijk, mapped(scan.ijk_from_ras, points)), points)
