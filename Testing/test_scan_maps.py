from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from spine_making import a_column, an_empty_scan, vertebrae_of

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.disc_volume import CROP_WIDTHS, DISC_SHAPE, DiscVolume, cut_disc_volume
from SpineNetCore.localisation import discs_between
from SpineNetCore.scan import Scan, mapped, with_averaged_slices
from SpineNetCore.scan_maps import disc_labels, maps_on_scan

TURN_DEG = (12.0, -9.0, 15.0)


@pytest.fixture(params=[(0.0, 0.0, 0.0), TURN_DEG], ids=["straight", "oblique"])
def a_scan(request) -> Scan:
    """Smooth and positive everywhere."""
    return smooth(an_empty_scan(slices=11, spacing_mm=(4.2, 0.9, 0.8), turn_deg=request.param))


def smooth(scan: Scan) -> Scan:
    slices, rows, columns = np.indices(scan.voxels.shape)
    voxels = 100 + 20 * np.sin(rows / 25) + 20 * np.cos(columns / 20) + 3 * slices
    voxels[:, :20, :20] = 0  # air in a corner
    return replace(scan, voxels=voxels.astype(np.float32))


def volumes_of(scan: Scan) -> list[DiscVolume]:
    thick = with_averaged_slices(scan)
    return [cut_disc_volume(thick, disc) for disc in discs_between(vertebrae_of(scan, a_column()), scan)]


def places_in(volume: DiscVolume, scan: Scan) -> np.ndarray:
    """Where every voxel of the scan lies in the disc volume, (slices, rows, columns, 3)."""
    indices = np.moveaxis(np.indices(scan.voxels.shape), 0, -1).astype(float)
    return mapped(np.linalg.inv(volume.ras_from_disc) @ scan.ras_from_ijk, indices)


def is_in_box(volume: DiscVolume, scan: Scan) -> np.ndarray:
    places = places_in(volume, scan)
    return ((places >= -0.5) & (places < np.array(DISC_SHAPE) - 0.5)).all(axis=-1)


@pytest.mark.parametrize("spot", [(4, 55, 111), (2, 20, 40), (6, 95, 200)])
def test_a_spot_in_a_disc_lands_on_the_scan_where_it_belongs(a_scan, spot):
    for volume in volumes_of(a_scan):
        distance = np.linalg.norm(np.indices(DISC_SHAPE[1:]) - np.array(spot[1:])[:, None, None], axis=0)
        maps = np.zeros((1, *DISC_SHAPE), np.float32)
        maps[0, spot[0]] = distance < 6
        found = np.argwhere(maps_on_scan(a_scan, [volume], maps) > 0.5)
        truth = mapped(a_scan.ijk_from_ras @ volume.ras_from_disc, np.array(spot, float))

        assert set(found[:, 0]) == {round(truth[0])}
        assert np.abs(found.mean(axis=0) - truth).max() < 0.5
        assert np.linalg.norm((found - truth) * a_scan.spacing_mm, axis=1).max() < 6 * 0.31 + 0.5


def test_nothing_lies_outside_the_boxes_and_everything_inside(a_scan):
    volumes = volumes_of(a_scan)
    boxes = np.any([is_in_box(volume, a_scan) for volume in volumes], axis=0)
    filled = maps_on_scan(a_scan, volumes, np.ones((6, *DISC_SHAPE), np.float32))

    assert filled.dtype == np.float32 and filled.shape == a_scan.voxels.shape
    assert np.array_equal(filled, boxes.astype(np.float32))
    assert np.array_equal(disc_labels(a_scan, volumes) > 0, boxes)


def test_maps_without_discs_are_empty(a_scan):
    assert not maps_on_scan(a_scan, [], np.zeros((0, *DISC_SHAPE), np.float32)).any()
    assert not disc_labels(a_scan, []).any()


def test_where_boxes_overlap_the_larger_value_stands(a_scan):
    pair = volumes_of(a_scan)[2:4]
    both = is_in_box(pair[0], a_scan) & is_in_box(pair[1], a_scan)
    maps = np.stack([np.full(DISC_SHAPE, 0.3, np.float32), np.full(DISC_SHAPE, 0.8, np.float32)])

    assert both.any()
    for out in (maps_on_scan(a_scan, pair, maps), maps_on_scan(a_scan, pair[::-1], maps[::-1])):
        assert np.allclose(out[both], 0.8)
        assert np.allclose(out[is_in_box(pair[0], a_scan) & ~both], 0.3)


def test_labels_number_the_discs_from_below_each_in_its_own_box(a_scan):
    volumes = volumes_of(a_scan)
    labels = disc_labels(a_scan, volumes)

    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) == {0, 1, 2, 3, 4, 5, 6}
    for volume, label in zip(volumes, (6, 5, 4, 3, 2, 1), strict=True):
        assert not (labels == label)[~is_in_box(volume, a_scan)].any()
        centre = mapped(a_scan.ijk_from_ras @ volume.ras_from_disc, (np.array(DISC_SHAPE) - 1) / 2)
        assert labels[tuple(np.rint(centre).astype(int))] == label
    assert [volume.level for volume in volumes] == list(DISC_LEVELS)


def test_a_voxel_of_two_boxes_goes_to_the_disc_whose_mid_height_is_nearer(a_scan):
    volumes = volumes_of(a_scan)
    rows_off = np.stack([np.abs(places_in(v, a_scan)[..., 1] - 55.5) for v in volumes])
    rows_off = np.where([is_in_box(v, a_scan) for v in volumes], rows_off, np.inf)  # all discs are equally wide
    nearest = np.where(np.isfinite(rows_off).any(axis=0), len(volumes) - rows_off.argmin(axis=0), 0)

    assert (disc_labels(a_scan, volumes) == nearest).mean() > 0.9999
    assert np.array_equal(disc_labels(a_scan, volumes), disc_labels(a_scan, volumes[::-1]))


def test_a_box_is_as_large_as_the_disc_volume():
    scan = smooth(an_empty_scan(slices=15, spacing_mm=(4.0, 0.6, 0.6), turn_deg=TURN_DEG))
    disc = discs_between(vertebrae_of(scan, a_column()), scan)[3]
    labels = disc_labels(scan, [cut_disc_volume(scan, disc)])
    box_mm3 = CROP_WIDTHS * disc.width_mm * CROP_WIDTHS * disc.width_mm / 2 * 9 * 4.0

    assert (labels > 0).sum() * np.prod(scan.spacing_mm) == pytest.approx(box_mm3, rel=0.02)
    assert set(np.nonzero(labels)[0]) == set(range(3, 12))


def test_what_was_cut_out_of_the_scan_comes_back_onto_it(a_scan):
    for volume in volumes_of(a_scan):
        back = maps_on_scan(a_scan, [volume], volume.voxels[None])
        edge = np.array([0, 6, 6])
        places = places_in(volume, a_scan)
        inside = ((places > edge - 0.5) & (places < np.array(DISC_SHAPE) - 0.5 - edge)).all(axis=-1)
        for was, now, seen in zip(a_scan.voxels, back, inside, strict=True):
            scale = np.median(now[seen] / was[seen]) if seen.any() else 1.0
            assert np.allclose(now[seen], scale * was[seen], rtol=0.005)
        assert inside.any(axis=(1, 2)).sum() == DISC_SHAPE[0]


@pytest.mark.parametrize(("slice_mm", "count"), [(1.0, 4), (1.3, 3), (2.0, 2)])
def test_every_thin_slice_gets_the_map_of_the_thick_slice_it_went_into(slice_mm, count):
    thin = smooth(an_empty_scan(slices=15 * count, spacing_mm=(slice_mm, 2.0, 2.0), turn_deg=TURN_DEG))
    volume = volumes_of(thin)[2]
    thick_from_disc = with_averaged_slices(thin).ijk_from_ras @ volume.ras_from_disc
    first = round(mapped(thick_from_disc, np.zeros(3))[0])
    maps = np.broadcast_to(np.linspace(0.1, 0.9, 9, dtype=np.float32)[None, :, None, None], (1, *DISC_SHAPE))
    out = maps_on_scan(thin, [volume], maps)
    labels = disc_labels(thin, [volume])
    for k in range(len(thin.voxels)):
        in_volume = k // count - first
        expected = maps[0, in_volume, 0, 0] if 0 <= in_volume < DISC_SHAPE[0] else 0

        assert out[k].max() == pytest.approx(expected)
        assert labels[k].any() == (expected > 0)
        assert np.allclose(out[k][labels[k] > 0], expected)


def test_a_single_slice_takes_the_middle_of_the_map():
    scan = smooth(an_empty_scan(slices=1, turn_deg=TURN_DEG))
    maps = np.zeros((1, *DISC_SHAPE), np.float32)
    maps[0, 4] = 1
    volume = volumes_of(scan)[5]

    assert np.array_equal(maps_on_scan(scan, [volume], maps) > 0, is_in_box(volume, scan))
    assert disc_labels(scan, [volume]).max() == 1
