from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from spine_making import PerfectNetwork, a_column, an_empty_scan, bundled_detector, some_slices

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.column import find_column
from SpineNetCore.localisation import find_spine
from SpineNetCore.scan import Scan
from SpineNetCore.scan_files import read_scan
from SpineNetCore.turning import turned_picture

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sample() -> Scan:
    """The middle slices of a patient's slab."""
    scan = read_scan(Path(__file__).parents[1] / "Resources" / "Samples" / "spider_110_t2_space.nii.gz")
    middle = len(scan.voxels) // 2
    return some_slices(scan, middle - 1, middle + 2)


@pytest.mark.parametrize("angle_deg", [-35, -20, 20, 35])
def test_a_patient_who_leans_in_the_picture_is_found_where_he_is(sample, angle_deg):
    upright = find_spine(sample, bundled_detector(), CPU)
    leaning = find_spine(turned_picture(sample, angle_deg), bundled_detector(), CPU)

    assert [disc.level for disc in leaning.discs] == [disc.level for disc in upright.discs] == list(DISC_LEVELS)
    for there, here in zip(leaning.discs, upright.discs, strict=True):
        assert np.linalg.norm(there.centre_ras_mm - here.centre_ras_mm) < 1.5
        assert there.posterior @ here.posterior > np.cos(np.deg2rad(8))


def test_a_picture_is_turned_only_for_a_spine_that_leans(sample):
    upright, leaning = (find_column(scan, bundled_detector(), CPU) for scan in (sample, turned_picture(sample, 25)))

    assert upright.scan is sample
    assert abs(upright.lean_deg) < 6
    assert leaning.scan.voxels.shape != turned_picture(sample, 25).voxels.shape
    assert abs(leaning.lean_deg) < 6


def test_a_spine_that_is_lost_once_turned_is_read_as_it_lies():
    scan = an_empty_scan(slices=3)
    turn = np.deg2rad(30)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array(scan.voxels.shape[1:]) * scan.spacing_mm[1:] / 2
    shapes = [replace(shape, corners_mm=(shape.corners_mm - middle) @ matrix.T + middle) for shape in a_column()]

    upright, leaning = (find_column(scan, PerfectNetwork([some] * 3), CPU) for some in (a_column(), shapes))

    assert leaning.scan is scan
    assert leaning.lean_deg == pytest.approx(upright.lean_deg + 30, abs=1)
