from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from SpineNetCore.file_volume import FileVolume, checked_scan
from SpineNetCore.filling import without_filling
from SpineNetCore.image_files import read_image

SAMPLE = Path(__file__).parents[1] / "Resources" / "Samples" / "spider_110_t2_space.nii.gz"


@pytest.fixture(scope="module")
def sample() -> FileVolume:
    return read_image(SAMPLE)


def test_a_scan_is_left_as_it_is(sample):
    voxels = sample.voxels.astype(np.float32)

    assert without_filling(voxels) is voxels
    assert without_filling(voxels - 1000).min() == -1000


@pytest.mark.parametrize("filling", [-1000, -2000, -32768])
@pytest.mark.parametrize("share", [0.002, 0.03, 0.3])
def test_edges_filled_up_far_below_the_picture_are_raised_to_its_darkest(sample, filling, share):
    voxels = sample.voxels.astype(np.float32)
    edge = round(share * voxels.shape[2]) or 1
    voxels[:, :, :edge] = filling

    raised = without_filling(voxels)

    assert raised[:, :, :edge].max() == pytest.approx(np.percentile(voxels[:, :, edge:], 1), abs=1)
    assert np.array_equal(raised[:, :, edge:], np.maximum(voxels[:, :, edge:], raised.min()))


def test_blends_of_filling_and_picture_are_raised_too(sample):
    voxels = sample.voxels.astype(np.float32)
    voxels[:, :4], voxels[:, 4] = -1000, (voxels[:, 4] - 1000) / 2

    assert without_filling(voxels).min() >= sample.voxels.min()


def test_one_cold_voxel_does_not_set_the_scale(sample):
    voxels = sample.voxels.astype(np.float32)
    voxels[0, 0, 0] = -1e9

    assert without_filling(voxels).min() >= sample.voxels.min()


def test_a_scan_is_read_without_its_filling(sample):
    filled = sample.voxels.astype(np.float32)
    filled[:2] = -2000

    assert checked_scan(replace(sample, voxels=filled)).voxels.min() >= sample.voxels.min()
