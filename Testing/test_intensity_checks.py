from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from SpineNetCore.errors import InputError
from SpineNetCore.image_files import read_image
from SpineNetCore.intensity_checks import check_intensities

SAMPLE = Path(__file__).parents[1] / "Resources" / "Samples" / "spider_110_t2_space.nii.gz"


def in_hounsfield_units(least: float) -> np.ndarray:
    """A body with fat, muscle and bone in air, of which all below `least` is clipped."""
    rng = np.random.default_rng(0)
    ct = rng.normal(-1000, 15, (5, 60, 60))
    ct[:, :, 10:50] = rng.normal(-100, 20, (5, 60, 40))
    ct[:, :, 20:45] = rng.normal(50, 15, (5, 60, 25))
    ct[:, :, 28:36] = rng.normal(250, 120, (5, 60, 8))
    return np.maximum(ct, least).astype(np.float32)


@pytest.mark.parametrize("least", [-2000, -1024])
def test_a_ct_is_refused_with_the_share_of_air_that_tells_it(least):
    with pytest.raises(InputError, match=r"'ct.nii' looks like a CT \(33% of its voxels lie near -1000.*MR series"):
        check_intensities(in_hounsfield_units(least), Path("ct.nii"))


def test_a_ct_that_shows_much_lung_is_refused_too():
    ct = in_hounsfield_units(-1024)
    ct[:, 28:, 10:50] = np.random.default_rng(0).normal(-700, 80, (5, 32, 40))
    with pytest.raises(InputError, match="looks like a CT"):
        check_intensities(ct, Path("ct.nii"))


@pytest.mark.parametrize("shift", [0, -1000, -1024])
@pytest.mark.parametrize("scale", [1, 3, 10])
def test_a_scan_whose_values_begin_where_those_of_a_ct_do_is_none(shift, scale):
    check_intensities(scale * read_image(SAMPLE).voxels.astype(np.float32) + shift, SAMPLE)


def test_a_border_filled_with_the_value_of_air_makes_no_ct():
    scan = read_image(SAMPLE).voxels.astype(np.float32)
    scan[:, :40] = -1000

    check_intensities(scan, SAMPLE)
