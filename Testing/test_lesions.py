from __future__ import annotations

import numpy as np
import pytest
from grader_making import LESION_PLACE, a_lesion
from scipy import ndimage

from SpineNetCore.anatomy import Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE, DISC_SHAPE, context_margin
from SpineNetCore.learning.disc_examples import cut_phantom
from SpineNetCore.learning.lesions import (
    SLACK_PX,
    Lesion,
    lesion_on,
    load_lesions,
    phantom_lesions,
    save_lesions,
    with_slack,
)
from SpineNetCore.learning.phantom import Phantom, PhantomSettings, simulate

SETTINGS = PhantomSettings(
    balanced=True, slices=(6, 6), few_slices_probability=0, in_plane_mm=(0.9, 0.9), cut_off_probability=0
)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return simulate(np.random.default_rng(1), SETTINGS)


@pytest.fixture(scope="module")
def lesions(phantom) -> list[Lesion]:
    return list(phantom_lesions(phantom, "phantom 1"))


def test_every_binary_finding_large_enough_to_be_seen_is_a_lesion(phantom, lesions):
    found = {(lesion.disc.level, lesion.task) for lesion in lesions}
    abnormal = {(d.level, task) for d in phantom.discs for task in Task if task.is_binary and d.grades[task] == 1}

    assert found <= abnormal
    assert len(found) == len(lesions) > len(abnormal) / 2
    assert all(lesion.disc.label.grades[lesion.task] == {1} for lesion in lesions)


def test_a_lesion_lies_where_the_scorecard_looks_for_it(phantom, lesions):
    truths = {truth.level: truth for truth in phantom.discs}
    volumes = {disc.level: volume for disc, volume in cut_phantom(phantom, "phantom 1")}
    centre = tuple(slice(m, m + n) for m, n in zip(context_margin(), DISC_SHAPE, strict=True))

    for lesion in lesions:
        level = lesion.disc.level
        asked_for = lesion_on(phantom, truths[level], lesion.task, volumes[level].ras_from_disc, DISC_SHAPE)
        assert np.array_equal(lesion.mask()[centre], asked_for)


@pytest.mark.parametrize("row", [0, 1, 30, 59])
def test_slack_is_two_pixels_around_within_the_slice_up_to_the_border(row):
    lesion = np.zeros((3, 60, 70), dtype=bool)
    lesion[1, row, 40:43] = lesion[2, 20, 5] = True
    away = np.stack([ndimage.distance_transform_edt(~one) for one in lesion[1:]])

    assert np.array_equal(with_slack(lesion)[1:], away <= SLACK_PX)
    assert not with_slack(lesion)[0].any()


def test_no_lesion_has_no_slack():
    assert not with_slack(np.zeros((2, 9, 9), dtype=bool)).any()


def test_turned_over_a_lesion_is_the_other_endplates():
    lesion = a_lesion()
    turned = lesion.turned_over()

    assert turned.task is Task.LOWER_ENDPLATE
    assert turned.disc.label.grades == {Task.LOWER_ENDPLATE: {1}}
    assert np.array_equal(turned.mask(), lesion.mask()[:, ::-1])
    assert np.all(turned.disc.context()[turned.mask()] > 0.95)


def test_lesions_are_kept_in_a_file_with_each_disc_once(tmp_path):
    first = a_lesion()
    second = Lesion(first.disc, Task.UPPER_MARROW, np.array([5, 7], dtype=np.uint32))
    save_lesions([first, second, a_lesion(Task.LOWER_MARROW, place=0)], tmp_path / "kept.lesions")
    loaded = load_lesions(tmp_path / "kept.lesions")

    assert [lesion.task for lesion in loaded] == [Task.UPPER_ENDPLATE, Task.UPPER_MARROW, Task.LOWER_MARROW]
    assert loaded[0].disc is loaded[1].disc is not loaded[2].disc
    assert loaded[0].voxels[0] == LESION_PLACE
    assert loaded[1].voxels.tolist() == [5, 7]
    assert np.array_equal(loaded[0].disc.slices, first.disc.slices)
    assert loaded[0].mask().shape == CONTEXT_SHAPE
    assert load_lesions(tmp_path / "none.lesions") is None
