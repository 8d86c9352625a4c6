from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from label_making import (
    SPIDER,
    SPINEPS,
    TOTALSEGMENTATOR,
    TOTALSEGMENTATOR_MR,
    TOTALSPINESEG,
    a_phantom,
    instance_labels,
    on_another_grid,
    written,
)

from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import RAS_FROM_LPS
from SpineNetCore.given_spine import read_spine
from SpineNetCore.image_files import write_image
from SpineNetCore.label_map import read_label_map
from SpineNetCore.scan import Scan, mapped


@pytest.fixture(scope="module")
def phantom():
    return a_phantom(seed=1)


@pytest.fixture
def check(phantom):
    """Compares a spine with the phantom's truth, and every disc's centre with the phantom's own labels."""

    def compare(spine, body_mm=4.0):
        assert [disc.level for disc in spine.discs] == ["T12-L1", "L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1"]
        truths = {vertebra.level: vertebra for vertebra in phantom.vertebrae}
        for vertebra in spine.vertebrae:
            off = np.linalg.norm(vertebra.corners_ras_mm - truths[vertebra.level].corners_ras_mm, axis=1)
            assert off[: 2 if vertebra.level == "S1" else 4].max() < body_mm
        centres = {disc.level: disc.centre_ras_mm for disc in phantom.discs}
        for disc in spine.discs:
            assert np.linalg.norm(disc.centre_ras_mm - centres[disc.level]) < 2.5

    return compare


@pytest.mark.parametrize("convention", [TOTALSPINESEG, TOTALSEGMENTATOR, SPINEPS, SPIDER], ids=lambda c: c.name)
def test_whole_vertebrae_of_every_convention_give_tight_bodies(convention, phantom, check, tmp_path):
    path = written(instance_labels(phantom, convention), phantom, tmp_path / "map.nii.gz")
    spine = read_spine(path, phantom.scan)
    check(spine)
    assert any(convention.name in warning for warning in spine.warnings)


def test_vertebrae_alone_are_parted_from_their_posterior_elements(phantom, check, tmp_path):
    path = written(instance_labels(phantom, TOTALSEGMENTATOR_MR), phantom, tmp_path / "map.nrrd")
    check(read_spine(path, phantom.scan, "totalsegmentator"))


def test_the_grid_of_the_label_map_does_not_matter(phantom, check, tmp_path):
    path = written(instance_labels(phantom, TOTALSPINESEG), phantom, tmp_path / "map.nii.gz")
    check(read_spine(on_another_grid(path, tmp_path / "oblique.mha"), phantom.scan), body_mm=4.5)


def test_the_centre_of_a_disc_lies_in_its_own_label(phantom, tmp_path):
    labels = instance_labels(phantom, SPIDER)
    spine = read_spine(written(labels, phantom, tmp_path / "map.nii.gz"), phantom.scan)
    for disc in spine.discs:
        i, j, k = np.rint(mapped(phantom.scan.ijk_from_ras, disc.centre_ras_mm)).astype(int)
        assert SPIDER.discs[int(labels[i, j, k])] == disc.level


@pytest.mark.parametrize("convention", [TOTALSEGMENTATOR, TOTALSPINESEG], ids=lambda c: c.name)
def test_a_cord_that_ends_above_the_lowest_discs_cuts_no_body(convention, tmp_path):
    phantom = a_phantom(seed=2)
    labels = instance_labels(phantom, convention)
    whole = read_spine(written(labels, phantom, tmp_path / "whole.nii.gz"), phantom.scan)
    second = [value for value, level in convention.vertebrae.items() if level == "L2"]
    below = labels[:, np.argwhere(np.isin(labels, second))[:, 1].max() :]
    below[np.isin(below, list(convention.canal))] = 0
    cut = read_spine(written(labels, phantom, tmp_path / "cord.nii.gz"), phantom.scan)
    for disc in whole.discs:
        assert cut.disc(disc.level).width_mm == pytest.approx(disc.width_mm, abs=0.5)


def test_a_stray_label_of_a_disc_does_not_move_it_and_is_told(phantom, check, tmp_path):
    labels = instance_labels(phantom, SPIDER)
    value = next(value for value, level in SPIDER.discs.items() if level == "L3-L4")
    labels[labels == value] = 0
    upper = np.argwhere(labels == next(value for value, level in SPIDER.vertebrae.items() if level == "L1"))
    labels[tuple(upper[len(upper) // 2])] = value
    spine = read_spine(written(labels, phantom, tmp_path / "map.nii.gz"), phantom.scan)
    check(spine)
    assert any("The label of L3-L4 lies " in warning for warning in spine.warnings)


def test_specks_of_other_vertebrae_decide_nothing(phantom, check, tmp_path):
    labels = instance_labels(phantom, TOTALSPINESEG)
    sacrum = np.argwhere(labels == 50)
    for speck, place in ((23, len(sacrum) // 2), (46, 0)):  # T3 and L6
        labels[tuple(sacrum[place])] = speck
    spine = read_spine(written(labels, phantom, tmp_path / "map.nii.gz"), phantom.scan)
    check(spine)
    assert not any("L6" in warning for warning in spine.warnings)


def test_a_label_on_one_slice_is_enough(phantom, tmp_path):
    labels = instance_labels(phantom, TOTALSPINESEG)
    middle = len(labels) // 2
    labels[:middle] = labels[middle + 1 :] = 0
    spine = read_spine(written(labels, phantom, tmp_path / "map.nii.gz"), phantom.scan)
    assert len(spine.discs) >= 5
    one = phantom.scan.ras_from_ijk.copy()
    one[:3, 3] = mapped(phantom.scan.ras_from_ijk, np.array([middle, 0.0, 0.0]))
    write_image(labels[middle : middle + 1].astype(np.uint8), RAS_FROM_LPS @ one, tmp_path / "one.nii.gz")
    alone = Scan(phantom.scan.voxels[middle : middle + 1], one, "one slice")
    same = read_spine(tmp_path / "one.nii.gz", alone)
    assert [disc.level for disc in same.discs] == [disc.level for disc in spine.discs]


@pytest.mark.parametrize("place", range(11))
def test_no_slice_of_a_thin_sliced_scan_is_passed_over(place, tmp_path):
    scan = Scan(np.zeros((11, 30, 30), np.float32), np.diag([-1.8, -0.9, -0.9, 1])[[0, 2, 1, 3]], "thin")
    labels = np.zeros(scan.voxels.shape, np.uint8)
    labels[place] = 41
    write_image(labels, RAS_FROM_LPS @ scan.ras_from_ijk, tmp_path / "map.nii.gz")
    assert read_label_map(tmp_path / "map.nii.gz", scan).voxels.any()


def test_a_sixth_lumbar_vertebra_parts_l5_from_the_sacrum_and_is_said(phantom, tmp_path):
    labels = instance_labels(phantom, SPINEPS)
    for old, new in ((24, 25), (23, 24), (22, 23), (21, 22), (20, 21), (19, 20), (18, 19)):
        labels[labels == old] = new
    labels[labels > 100] = 0
    spine = read_spine(written(labels, phantom, tmp_path / "map.nii.gz"), phantom.scan, "spineps")
    assert [disc.level for disc in spine.discs] == ["T12-L1", "L1-L2", "L2-L3", "L3-L4", "L4-L5"]
    assert any("L6" in warning for warning in spine.warnings)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda labels: labels * 0, "is empty: every voxel is 0"),
        (lambda labels: labels / 200, "so it is no label map but perhaps probabilities"),
        (lambda labels: labels - 1, "holds -1"),
        (lambda labels: (labels > 0) * 2, "holds the values 2"),
        (lambda labels: np.where(labels > 90, labels, 0), "no two lumbar vertebrae by any convention"),
        (lambda labels: (np.indices(labels.shape).sum(axis=0) % 9 == 0) * labels, "no vertebral body"),
        (lambda labels: np.where(labels == 43, labels, 0), "the values 43, no two lumbar"),
        (lambda labels: np.where(np.isin(labels, (42, 44)), labels, 0), "holds no disc"),
    ],
)
def test_a_label_map_that_cannot_be_used_is_refused_by_what_is_wrong(change, said, phantom, tmp_path):
    voxels = change(instance_labels(phantom, TOTALSPINESEG))
    voxels = voxels.astype(np.float32 if voxels.dtype == float else np.int16)
    write_image(voxels, RAS_FROM_LPS @ phantom.scan.ras_from_ijk, tmp_path / "map.nii.gz")
    with pytest.raises(InputError, match=said) as refused:
        read_spine(tmp_path / "map.nii.gz", phantom.scan)
    assert "map.nii.gz" in str(refused.value)


def test_a_label_map_of_another_place_is_refused(phantom, tmp_path):
    path = written(instance_labels(phantom, TOTALSPINESEG), phantom, tmp_path / "map.nii.gz")
    image = sitk.ReadImage(str(path))
    image.SetOrigin([value + 800 for value in image.GetOrigin()])
    sitk.WriteImage(image, str(path))
    with pytest.raises(InputError, match=r"has no label on the scan .* of this very scan"):
        read_spine(path, phantom.scan)


def test_a_file_that_is_no_image_is_refused(phantom, tmp_path):
    (tmp_path / "map.nii.gz").write_text("labels")
    with pytest.raises(InputError, match=r"map\.nii\.gz"):
        read_spine(tmp_path / "map.nii.gz", phantom.scan)
