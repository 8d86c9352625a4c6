from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from spine_making import LUMBAR, a_column, an_empty_scan, inside, vertebrae_of

from SpineNetCore.anatomy import DISC_LEVELS, Disc
from SpineNetCore.disc_volume import (
    BODY_MEDIAN,
    CONTEXT_SHAPE,
    CROP_WIDTHS,
    DISC_SHAPE,
    context_margin,
    cut_disc_volume,
)
from SpineNetCore.localisation import discs_between
from SpineNetCore.scan import Scan, mapped, with_averaged_slices

TURNS = [(0.0, 0.0, 0.0), (12.0, -9.0, 15.0)]
BACKGROUND, MARROW, NUCLEUS = 40.0, 200.0, 300.0


def painted(scan: Scan, gain=1.0) -> Scan:
    """Bodies and the discs between them in flat intensities, each slice times its gain."""
    picture = np.full(scan.voxels.shape[1:], BACKGROUND, np.float32)
    column = a_column()
    for upper, lower in pairwise(column):
        gap = np.concatenate([upper.corners_mm[[3, 2]], lower.corners_mm[[1, 0]]])
        picture[inside(gap, picture.shape, scan.spacing_mm[1:])] = NUCLEUS
    for shape in column:
        picture[inside(shape.corners_mm, picture.shape, scan.spacing_mm[1:])] = MARROW
    gains = np.broadcast_to(gain, scan.voxels.shape[0])
    return replace(scan, voxels=(gains[:, None, None] * picture).astype(np.float32))


def disc_of(scan: Scan, level: str) -> Disc:
    return discs_between(vertebrae_of(scan, a_column()), scan)[DISC_LEVELS.index(level)]


def core_of_bodies(volume, disc):
    """Context pixels (row, column) well inside the two bodies, found with no help from the code under test."""
    context_from_ras = np.linalg.inv(volume.ras_from_context)
    out = np.zeros(CONTEXT_SHAPE[1:], bool)
    for vertebra in (disc.upper, disc.lower):
        corners = mapped(context_from_ras, vertebra.corners_ras_mm)[:, 1:]
        out |= inside(corners.mean(axis=0) + 0.7 * (corners - corners.mean(axis=0)), CONTEXT_SHAPE[1:])
    return out


def present_slices(volume):
    return np.nonzero(volume.context.any(axis=(1, 2)))[0].tolist()


@pytest.fixture
def a_scan() -> Scan:
    return painted(an_empty_scan(slices=15, spacing_mm=(4.2, 0.7, 0.6), turn_deg=TURNS[1]))


@pytest.mark.parametrize("turn_deg", TURNS)
@pytest.mark.parametrize("level", ["T12-L1", "L5-S1"])
def test_a_voxel_of_the_volume_shows_the_place_it_says(turn_deg, level):
    """In a scan whose intensity rises evenly in space, every voxel tells its own place, but for its slice's scale."""
    scan = an_empty_scan(slices=13, spacing_mm=(4.2, 0.7, 0.6), turn_deg=turn_deg)
    slope = np.array([0.5, -0.9, 0.7])
    everywhere = mapped(scan.ras_from_ijk, np.moveaxis(np.indices(scan.voxels.shape), 0, -1).astype(float))
    base = 20 - (everywhere @ slope).min()
    scan = replace(scan, voxels=(base + everywhere @ slope).astype(np.float32))
    volume = cut_disc_volume(scan, disc_of(scan, level))
    for array, ras_from_array in (
        (volume.voxels, volume.ras_from_disc),
        (volume.context, volume.ras_from_context),
    ):
        places = mapped(ras_from_array, np.moveaxis(np.indices(array.shape), 0, -1).astype(float))
        in_scan = ~_is_outside(scan, places)
        ratio = array / (base + places @ slope)
        for got, seen in zip(ratio, in_scan & (array < 1), strict=True):
            assert seen.any()
            assert np.ptp(got[seen]) < 2e-3 * got[seen].mean()
        assert not array[~in_scan].any()


def _is_outside(scan, places):
    ijk = mapped(scan.ijk_from_ras, places)
    reach = np.array([0.5, 1e-9, 1e-9])
    return ((ijk < -reach) | (ijk > np.array(scan.voxels.shape) - 1 + reach)).any(axis=-1)


@pytest.mark.parametrize("level", DISC_LEVELS)
def test_the_disc_comes_out_centred_and_horizontal_however_it_lies(a_scan, level):
    volume = cut_disc_volume(a_scan, disc_of(a_scan, level))
    bright = volume.voxels[4] > 0.5 * (MARROW + NUCLEUS) / MARROW * BODY_MEDIAN
    columns = np.nonzero(bright.any(axis=0))[0]
    middle_rows = np.array([np.nonzero(bright[:, column])[0].mean() for column in columns])
    slope = np.polyfit(columns, middle_rows, 1)[0]

    assert middle_rows.mean() == pytest.approx(55.5, abs=1.5)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(111.5, abs=2)
    assert abs(np.rad2deg(np.arctan(slope))) < 1.5
    assert len(columns) == pytest.approx(DISC_SHAPE[2] / CROP_WIDTHS, rel=0.08)


def test_rows_run_to_the_feet_and_columns_to_the_back_on_the_scan_s_own_slices(a_scan):
    disc = disc_of(a_scan, "L3-L4")
    volume = cut_disc_volume(a_scan, disc)
    step_left, down, back = (volume.ras_from_disc[:3, axis] for axis in range(3))
    middle = mapped(volume.ras_from_disc, (np.array(DISC_SHAPE) - 1) / 2)

    assert np.allclose(step_left, a_scan.ras_from_ijk[:3, 0])
    assert np.allclose(down / np.linalg.norm(down), disc.inferior)
    assert np.allclose(back / np.linalg.norm(back), disc.posterior)
    assert np.linalg.norm(down) == pytest.approx(np.linalg.norm(back))
    assert np.linalg.norm(back) * DISC_SHAPE[2] == pytest.approx(CROP_WIDTHS * disc.width_mm)
    assert np.allclose(middle, disc.centre_ras_mm)
    places = mapped(a_scan.ijk_from_ras @ volume.ras_from_disc, np.indices(DISC_SHAPE).reshape(3, -1).T.astype(float))
    assert np.allclose(places[:, 0], np.rint(places[:, 0]))


def test_the_bodies_are_half_bright_on_every_slice_whatever_the_coil_does():
    gains = np.linspace(0.3, 2.5, 15)
    scan = painted(an_empty_scan(slices=15, spacing_mm=(4.2, 0.7, 0.6)), gains)
    for level in DISC_LEVELS:
        disc = disc_of(scan, level)
        volume = cut_disc_volume(scan, disc)
        bodies = core_of_bodies(volume, disc)

        assert [np.median(s[bodies]) for s in volume.context] == pytest.approx([BODY_MEDIAN] * CONTEXT_SHAPE[0])


def test_the_bodies_are_half_bright_on_textured_marrow_too(a_scan):
    texture = np.random.default_rng(5).gamma(8, 1 / 8, a_scan.voxels.shape)
    scan = replace(a_scan, voxels=(a_scan.voxels * texture).astype(np.float32))
    disc = disc_of(scan, "L2-L3")
    volume = cut_disc_volume(scan, disc)
    bodies = core_of_bodies(volume, disc)

    assert [np.median(s[bodies]) for s in volume.context] == pytest.approx([BODY_MEDIAN] * CONTEXT_SHAPE[0], abs=0.03)


def test_bodies_that_the_picture_cuts_are_half_bright_where_they_are_seen():
    scan = painted(an_empty_scan(slices=9, spacing_mm=(4.2, 0.7, 0.6)))
    disc = disc_of(scan, "L2-L3")
    place = scan.ras_from_ijk.copy()
    lost = 90  # columns, up to behind the middle of the bodies
    place[:3, 3] += lost * place[:3, 2]
    cropped = replace(scan, voxels=scan.voxels[:, :, lost:], ras_from_ijk=place)
    whole, part = cut_disc_volume(scan, disc), cut_disc_volume(cropped, disc)
    seen = part.context > 0

    assert 0.2 < (seen & core_of_bodies(whole, disc)).sum() / (9 * core_of_bodies(whole, disc).sum()) < 0.5
    assert np.allclose(part.context[seen], whole.context[seen], atol=1e-5)


def test_a_slice_whose_bodies_are_dark_borrows_the_scale_of_the_others():
    gains = np.ones(9)
    gains[0] = 1e-3
    volume = cut_disc_volume(painted(an_empty_scan(slices=9), gains), disc_of(an_empty_scan(slices=9), "L1-L2"))

    assert volume.context[2].max() < 0.01
    assert volume.context[3].max() > BODY_MEDIAN


@pytest.mark.parametrize(("slices", "expected"), [(1, [6]), (3, [5, 6, 7]), (9, list(range(2, 11)))])
def test_slices_that_the_scan_has_not_are_zero(slices, expected):
    scan = painted(an_empty_scan(slices=slices, turn_deg=TURNS[1]))
    volume = cut_disc_volume(scan, disc_of(scan, "L4-L5"))

    assert volume.context.shape == CONTEXT_SHAPE
    assert present_slices(volume) == expected


def test_the_slice_nearest_to_the_disc_comes_to_the_middle(a_scan):
    disc = disc_of(a_scan, "L4-L5")
    aside = replace(disc, centre_ras_mm=disc.centre_ras_mm + 3.3 * a_scan.ras_from_ijk[:3, 0])
    volume = cut_disc_volume(a_scan, aside)
    places = mapped(a_scan.ijk_from_ras @ volume.ras_from_context, np.array([[6.0, 95.5, 159.5]]))

    assert places[0, 0] == pytest.approx(10)  # of 15 slices; the disc lies at 7 + 3.3
    assert present_slices(volume) == list(range(13 - 2))


def test_values_lie_between_0_and_1_and_the_brightest_are_clipped(a_scan):
    bright = replace(a_scan, voxels=np.where(a_scan.voxels == NUCLEUS, 5000, a_scan.voxels).astype(np.float32))
    volume = cut_disc_volume(bright, disc_of(bright, "L3-L4"))

    assert volume.context.dtype == np.float32
    assert volume.context.min() >= 0 and volume.context.max() == 1
    assert np.isfinite(volume.context).all()


@pytest.mark.parametrize("share", [0.04, 0.1, 0.2])
def test_a_small_offset_under_air_is_taken_off_too(a_scan, share):
    air = np.array(a_scan.voxels)
    air[:, :, :30] = 0
    from_zero = replace(a_scan, voxels=air - air.min())
    raised = replace(a_scan, voxels=from_zero.voxels + np.float32(share * np.percentile(from_zero.voxels, 99.5)))
    whole, again = (cut_disc_volume(scan, disc_of(a_scan, "L4-L5")) for scan in (from_zero, raised))
    np.testing.assert_allclose(again.context, whole.context, atol=1e-5)


@pytest.mark.parametrize("offset", [-1000, 1000])
def test_intensities_that_start_far_from_zero_count_from_their_darkest(a_scan, offset):
    from_zero = replace(a_scan, voxels=a_scan.voxels - BACKGROUND)
    from_afar = replace(a_scan, voxels=from_zero.voxels + offset)
    disc = disc_of(a_scan, "L2-L3")

    assert np.allclose(cut_disc_volume(from_afar, disc).context, cut_disc_volume(from_zero, disc).context, atol=1e-5)


def test_dark_tissue_is_not_taken_for_an_offset(a_scan):
    tissue = np.random.default_rng(4).uniform(0.15, 0.4, a_scan.voxels.shape) * float(a_scan.voxels.max())
    cropped = replace(a_scan, voxels=np.maximum(a_scan.voxels, tissue.astype(np.float32)))
    volume = cut_disc_volume(cropped, disc_of(a_scan, "L2-L3"))

    assert volume.context[present_slices(volume)].min() > 0


@pytest.mark.parametrize("gain", [0.01, 37.0])
def test_the_unit_of_the_scan_does_not_matter(a_scan, gain):
    disc = disc_of(a_scan, "L2-L3")
    scaled = replace(a_scan, voxels=a_scan.voxels * np.float32(gain))

    assert np.allclose(cut_disc_volume(scaled, disc).context, cut_disc_volume(a_scan, disc).context, atol=1e-5)


def test_the_disc_volume_is_the_centre_of_its_context(a_scan):
    volume = cut_disc_volume(a_scan, disc_of(a_scan, "L3-L4"))
    first = np.array(context_margin())

    assert volume.voxels.shape == DISC_SHAPE
    assert np.array_equal(2 * first + DISC_SHAPE, CONTEXT_SHAPE)
    assert np.array_equal(volume.voxels, volume.context[2:11, 40:152, 48:272])
    corner = np.array([3.0, 10.0, 20.0])
    assert np.allclose(mapped(volume.ras_from_disc, corner), mapped(volume.ras_from_context, corner + first))


def test_a_thin_sliced_scan_is_cut_where_the_same_scan_in_thick_slices_is():
    thin = painted(an_empty_scan(slices=44, spacing_mm=(1.0, 0.9, 0.9), turn_deg=TURNS[1]))
    disc = disc_of(thin, "L3-L4")
    volume = cut_disc_volume(with_averaged_slices(thin), disc)
    middle = mapped(np.linalg.inv(volume.ras_from_disc), disc.centre_ras_mm)

    assert np.allclose(middle[1:], [55.5, 111.5])
    assert abs(middle[0] - 4) <= 0.5
    assert np.linalg.norm(volume.ras_from_disc[:3, 0]) == pytest.approx(4.0)


def test_every_graded_level_has_a_volume_of_its_own_name(a_scan):
    discs = discs_between(vertebrae_of(a_scan, a_column(LUMBAR)), a_scan)

    assert [cut_disc_volume(a_scan, disc).level for disc in discs] == list(DISC_LEVELS)
