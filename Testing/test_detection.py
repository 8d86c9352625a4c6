from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spine_making import (
    GAP_MM,
    HEIGHT_MM,
    SHARE,
    PerfectNetwork,
    Shape,
    a_column,
    an_empty_scan,
    inside,
    perfect_maps,
)

from SpineNetCore.detection import (
    at_working_resolution,
    bodies_on_slice,
    read_scan_slices,
    read_slice,
    scaled_intensities,
)
from SpineNetCore.vertebra_network import PIXEL_MM, Tissue, VertebraMaps

SIZE = (150, 150)
CPU = torch.device("cpu")


@pytest.fixture
def three_bodies() -> list[Shape]:
    return a_column(("L4", "L5", "S1"))


def found_from_above(shapes):
    found = bodies_on_slice(*perfect_maps(shapes, SIZE))
    return sorted(found, key=lambda body: body.centre_mm[0])


def test_perfect_maps_give_back_exactly_their_bodies(three_bodies):
    found = found_from_above(three_bodies)

    assert len(found) == 3
    for body, truth in zip(found, three_bodies, strict=True):
        assert np.allclose(body.corners_mm, truth.corners_mm, atol=1e-3)
        assert body.area_mm2 == pytest.approx(inside(truth.corners_mm, SIZE).sum() * PIXEL_MM**2)
        assert body.height_mm == pytest.approx(HEIGHT_MM)


def test_a_body_tells_what_it_and_its_neighbours_look_like(three_bodies):
    above, lowest, sacrum = found_from_above(three_bodies)

    assert sacrum.sacrum == pytest.approx(SHARE / (SHARE + (1 - SHARE) / 5), abs=1e-3)
    assert max(above.sacrum, lowest.sacrum) < 0.05
    assert lowest.lowest_disc_below > 0.9 and sacrum.lowest_disc_above > 0.9
    assert max(above.lowest_disc_below, lowest.lowest_disc_above, sacrum.lowest_disc_below) < 0.05
    assert min(above.disc_below, lowest.disc_below) > 0.9 and sacrum.disc_below < 0.1
    assert min(body.confidence for body in found_from_above(three_bodies)) > 0.9


def test_a_disc_out_of_the_picture_may_be_any():
    column = a_column(("L2", "L3", "L4"))
    tissue, corners = perfect_maps(column, SIZE)
    bottom = int(column[1].corners_mm[:, 0].max()) + 2
    in_view = found_from_above(column)[1]
    cut_off = max(bodies_on_slice(tissue[:, :bottom], corners[:, :, :bottom]), key=lambda body: body.centre_mm[0])

    assert in_view.lowest_disc_below < 0.05 and in_view.disc_below > 0.9
    assert (cut_off.lowest_disc_below, cut_off.disc_below) == (0.5, 1.0)


def test_maps_of_background_hold_no_bodies():
    assert bodies_on_slice(*perfect_maps([], SIZE)) == []


def test_a_speck_is_no_body():
    speck = Shape("L3", np.array([[40.0, 40.0], [40.0, 50.0], [50.0, 50.0], [50.0, 40.0]]))

    assert found_from_above([speck]) == []


def test_bodies_that_touch_are_told_apart_by_their_votes(three_bodies):
    fused = [three_bodies[0], three_bodies[1].moved(down_mm=-GAP_MM)]

    for body, truth in zip(found_from_above(fused), fused, strict=True):
        assert np.allclose(body.corners_mm, truth.corners_mm, atol=1e-3)


def test_a_body_centred_between_pixels_stays_one_body():
    shape = Shape("L3", np.array([[20.0, 30.0], [20.0, 59.0], [45.0, 59.0], [45.0, 30.0]]))
    tissue, corners = perfect_maps([shape], SIZE)
    leaning = np.where(np.arange(SIZE[1]) < 44.5, -1e-6, 1e-6)  # as rounding may: half the votes fall to either side

    (body,) = bodies_on_slice(tissue, corners + leaning)

    assert np.allclose(body.corners_mm, shape.corners_mm, atol=1e-3)


def test_a_few_wild_votes_move_no_corner(three_bodies):
    tissue, corners = perfect_maps(three_bodies, SIZE)
    rng = np.random.default_rng(1)
    wild = rng.random(SIZE) < 0.2
    corners[rng.integers(4), :, wild] += 15
    found = sorted(bodies_on_slice(tissue, corners), key=lambda body: body.centre_mm[0])

    assert len(found) == 3
    for body, truth in zip(found, three_bodies, strict=True):
        assert np.allclose(body.corners_mm, truth.corners_mm, atol=1e-3)


@settings(deadline=None)
@given(
    spacing_mm=st.tuples(st.floats(0.25, 1.6), st.floats(0.25, 1.6)),
    size=st.tuples(st.integers(40, 120), st.integers(40, 120)),
)
def test_at_the_working_resolution_everything_keeps_its_place(spacing_mm, size):
    rows_mm, columns_mm = np.indices(size) * np.array(spacing_mm)[:, None, None]
    for ramp, axis in ((rows_mm, 0), (columns_mm, 1)):
        out = at_working_resolution(ramp.astype(np.float32), spacing_mm)
        expected = np.indices(out.shape)[axis] * PIXEL_MM
        middle = (slice(3, -3), slice(3, -3))  # smoothing bends a ramp at its ends

        assert np.allclose(out[middle], expected[middle], atol=0.02)
        for pixels, length, step in zip(out.shape, size, spacing_mm, strict=True):
            assert (length - 1) * step - PIXEL_MM < (pixels - 1) * PIXEL_MM + 1e-6 <= (length - 1) * step + 2e-6


@pytest.mark.parametrize(("spacing_mm", "rows"), [(0.44, 326), (0.88, 326), (1.45, 221), (0.5, 101)])
def test_the_last_row_is_not_lost_to_rounding(spacing_mm, rows):
    out = at_working_resolution(np.ones((rows, 3), np.float32), (spacing_mm, 1.0))

    assert np.allclose(out, 1)


def test_what_is_finer_than_the_working_resolution_is_averaged_away():
    chequers = np.indices((160, 160)).sum(axis=0) % 2

    assert np.abs(at_working_resolution(chequers.astype(np.float32), (0.33, 0.33)) - 0.5).max() < 0.1


@settings(deadline=None)
@given(gain=st.floats(0.1, 50), offset=st.floats(-1000, 1000))
def test_a_scan_is_scaled_alike_whatever_its_units(gain, offset):
    voxels = np.random.default_rng(2).gamma(2, 100, (3, 20, 20))
    scaled = scaled_intensities((voxels * gain + offset).astype(np.float32))

    assert scaled.dtype == np.float32
    assert scaled.min() == 0 and scaled.max() == 1
    assert np.allclose(scaled, scaled_intensities(voxels.astype(np.float32)), atol=0.01)


def test_a_blank_scan_scales_to_zero():
    assert not scaled_intensities(np.full((2, 5, 5), 7, np.float32)).any()


def test_maps_are_read_for_pictures_of_any_size():
    class Pointer(PerfectNetwork):
        """Every pixel names itself as its four corners."""

        def forward(self, x):
            height, width = x.shape[2:]
            assert height % self.stride == width % self.stride == 0
            return VertebraMaps(x.new_zeros(1, len(Tissue), height, width), x.new_zeros(1, 8, height, width))

    tissue, corners = read_slice(np.zeros((45, 70), np.float32), Pointer([]), CPU)

    assert tissue.shape == (len(Tissue), 45, 70)
    assert np.allclose(tissue.sum(axis=0), 1)
    assert np.array_equal(corners, np.broadcast_to(np.indices((45, 70)) * PIXEL_MM, (4, 2, 45, 70)))


def test_every_slice_is_read_and_counted(three_bodies):
    scan = replace(an_empty_scan(slices=3), voxels=np.random.default_rng(0).random((3, 200, 160), np.float32))
    counts = []
    reading = read_scan_slices(
        scan, PerfectNetwork([three_bodies, [], three_bodies[:2]]), CPU, lambda *count: counts.append(count)
    )

    assert [body.slice_index for body in reading.bodies] == [0, 0, 0, 2, 2]
    assert counts == [(1, 3), (2, 3), (3, 3)]


def test_intensities_are_scaled_alike_whatever_their_unit():
    voxels = np.random.default_rng(0).random((3, 20, 20), dtype=np.float32)

    assert np.allclose(scaled_intensities(np.float32(1e-9) * voxels), scaled_intensities(voxels), atol=1e-5)
