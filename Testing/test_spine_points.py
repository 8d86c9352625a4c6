from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from spine_making import a_column, an_empty_scan, vertebrae_of

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.errors import InputError
from SpineNetCore.given_spine import read_spine
from SpineNetCore.learning.phantom import PhantomSettings, simulate
from SpineNetCore.localisation import discs_between
from SpineNetCore.scan import mapped
from SpineNetCore.spine_points import spine_from_points

FILE = Path("points.mrk.json")


@pytest.fixture
def a_scan():
    return an_empty_scan(slices=5, turn_deg=(5.0, -9.0, 10.0))


@pytest.fixture
def truths(a_scan):
    return {disc.level: disc for disc in discs_between(vertebrae_of(a_scan, a_column()), a_scan)}


def centres(truths, *levels):
    return {level: truths[level].centre_ras_mm for level in levels or truths}


def degrees(a, b):
    return float(np.rad2deg(np.arccos(np.clip(a @ b, -1, 1))))


def test_a_point_in_each_disc_gives_every_disc_with_its_bodies(a_scan, truths):
    spine = spine_from_points(centres(truths), FILE, a_scan)
    assert [disc.level for disc in spine.discs] == list(DISC_LEVELS)
    assert [vertebra.level for vertebra in spine.vertebrae] == ["T12", "L1", "L2", "L3", "L4", "L5", "S1"]
    for disc in spine.discs:
        truth = truths[disc.level]
        np.testing.assert_allclose(disc.centre_ras_mm, truth.centre_ras_mm)
        axes = np.stack([disc.posterior, disc.inferior, disc.left])
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        assert degrees(disc.inferior, truth.inferior) < 10
        assert disc.width_mm == pytest.approx(truth.width_mm, rel=0.2)


def test_points_give_the_discs_of_a_phantom_within_what_patients_vary():
    phantom = simulate(np.random.default_rng(5), PhantomSettings(slices=(5, 5), in_plane_mm=(1.0, 1.0)))
    truths = {disc.level: disc for disc in discs_between(phantom.vertebrae, phantom.scan)}
    spine = spine_from_points(centres(truths), FILE, phantom.scan)
    for disc in spine.discs:
        assert degrees(disc.inferior, truths[disc.level].inferior) < 12
        assert disc.width_mm == pytest.approx(truths[disc.level].width_mm, rel=0.25)


def test_every_body_lies_between_its_discs_on_one_plane(a_scan, truths):
    spine = spine_from_points(centres(truths), FILE, a_scan)
    true_centres = {vertebra.level: vertebra.centre_ras_mm for vertebra in vertebrae_of(a_scan, a_column())}
    for vertebra in spine.vertebrae:
        assert np.linalg.norm(vertebra.centre_ras_mm - true_centres[vertebra.level]) < 6
        assert np.ptp(vertebra.corners_ras_mm @ a_scan.ras_from_ijk[:3, 0]) < 1e-6


def test_two_discs_far_apart_are_enough_and_those_between_stay_absent(a_scan, truths):
    spine = spine_from_points(centres(truths, "L2-L3", "L5-S1"), FILE, a_scan)
    assert [disc.level for disc in spine.discs] == ["L2-L3", "L5-S1"]
    assert [vertebra.level for vertebra in spine.vertebrae] == ["L2", "L3", "L5", "S1"]
    assert spine.discs[0].width_mm == pytest.approx(truths["L2-L3"].width_mm, rel=0.2)


def test_a_disc_above_those_graded_helps_its_neighbour_and_is_not_graded(a_scan, truths):
    points = centres(truths, "T12-L1", "L1-L2")
    points["T11-T12"] = 2 * points["T12-L1"] - points["L1-L2"]
    assert [disc.level for disc in spine_from_points(points, FILE, a_scan).discs] == ["T12-L1", "L1-L2"]


@pytest.mark.parametrize("levels", [(), ("L4-L5",)])
def test_fewer_than_two_points_are_refused(levels, a_scan, truths):
    points = {level: truths[level].centre_ras_mm for level in levels}
    with pytest.raises(InputError, match=rf"marks {len(levels)} discs?: mark at least two"):
        spine_from_points(points, FILE, a_scan)


def test_points_that_do_not_follow_each_other_down_the_spine_are_refused(a_scan, truths):
    swapped = {"L3-L4": truths["L4-L5"].centre_ras_mm, "L4-L5": truths["L3-L4"].centre_ras_mm}
    with pytest.raises(InputError, match="marks L3-L4 below L4-L5"):
        spine_from_points(swapped, FILE, a_scan)
    near = {"L3-L4": truths["L3-L4"].centre_ras_mm, "L4-L5": truths["L3-L4"].centre_ras_mm + truths["L3-L4"].inferior}
    with pytest.raises(InputError, match=r"marks L3-L4 and L4-L5 1\.0 mm a level apart"):
        spine_from_points(near, FILE, a_scan)


def test_the_made_up_bodies_at_the_ends_may_reach_out_of_the_scan(a_scan, truths, tmp_path):
    lowest = truths["L5-S1"].centre_ras_mm
    rows = round(float(mapped(a_scan.ijk_from_ras, lowest)[1])) + 3
    cropped = replace(a_scan, voxels=a_scan.voxels[:, :rows])
    points = [{"label": level, "position": place.tolist()} for level, place in centres(truths).items()]
    path = tmp_path / "low.mrk.json"
    path.write_text(json.dumps({"markups": [{"coordinateSystem": "RAS", "controlPoints": points}]}))
    assert [disc.level for disc in read_spine(path, cropped).discs] == list(DISC_LEVELS)


def test_a_point_outside_the_scan_is_refused(a_scan, truths, tmp_path):
    points = [
        {"label": level, "position": (place + 90 * truths["L3-L4"].posterior).tolist()}
        for level, place in centres(truths).items()
    ]
    path = tmp_path / "far.mrk.json"
    path.write_text(json.dumps({"markups": [{"coordinateSystem": "RAS", "controlPoints": points}]}))
    with pytest.raises(InputError, match=r"places .* outside the scan 'a scan'"):
        read_spine(path, a_scan)
