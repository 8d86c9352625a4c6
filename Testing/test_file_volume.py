from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import FileVolume, checked_scan, scan_name

SIDES = {"left": (1, 0, 0), "back": (0, 1, 0), "head": (0, 0, 1)}


def a_volume(shape=(6, 40, 36), spacing=(4.4, 0.9, 0.7), axes=("left", "head", "back")) -> FileVolume:
    """A volume whose i, j, k run towards the named sides of the patient."""
    place = np.eye(4)
    place[:3, :3] = np.array([SIDES[axis] for axis in axes]).T * spacing
    return FileVolume(np.random.default_rng(0).normal(size=shape), place, Path("spine.nii.gz"))


def refusal_of(volume: FileVolume) -> str:
    with pytest.raises(InputError) as refusal:
        checked_scan(volume)
    return str(refusal.value)


def test_slices_run_left_rows_to_the_feet_and_columns_to_the_back():
    volume = a_volume()
    scan = checked_scan(volume)

    assert np.array_equal(scan.voxels, volume.voxels[:, ::-1, :].astype(np.float32))
    assert np.allclose(np.diag([4.4, 0.9, 0.7]), -scan.ras_from_ijk[:3, :3][[0, 2, 1]])


def test_an_axial_series_is_refused():
    assert "looks axial (6 axial slices" in refusal_of(a_volume(axes=("head", "left", "back")))


def test_a_coronal_series_is_refused():
    assert "looks coronal" in refusal_of(a_volume(axes=("back", "left", "head")))


def test_a_lone_axial_slice_is_refused_whatever_its_thickness():
    assert "looks axial" in refusal_of(a_volume((1, 40, 36), (0.5, 0.9, 0.7), ("head", "left", "back")))


def test_an_isotropic_volume_has_no_plane_and_passes():
    volume = a_volume((40, 41, 42), (1.0, 1.0, 1.0), ("head", "left", "back"))

    assert checked_scan(volume).voxels.shape == (41, 40, 42)


def test_an_isotropic_slab_of_few_rows_is_refused():
    assert "(20 rows x 42 columns of voxels)" in refusal_of(
        a_volume((20, 41, 42), (1.0, 1.0, 1.0), ("head", "left", "back"))
    )


@pytest.mark.parametrize("shape", [(1, 1, 1), (6, 31, 36), (6, 40, 31), (1, 1, 300)])
def test_a_tiny_picture_is_refused(shape):
    assert "is too small" in refusal_of(a_volume(shape))


def test_an_empty_volume_is_refused():
    assert "is empty (0 x 40 x 36 voxels)" in refusal_of(a_volume((0, 40, 36)))


def test_a_constant_volume_is_refused():
    volume = a_volume()
    volume.voxels[...] = -7

    assert "every voxel is -7" in refusal_of(volume)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_no_numbers_are_counted_and_refused(broken):
    volume = a_volume()
    volume.voxels[2, 3, 4:7] = broken

    assert "holds 3 of 8640 voxels that are not finite" in refusal_of(volume)


def test_skewed_axes_are_refused():
    volume = a_volume()
    volume.lps_from_ijk[1, 0] = 0.5

    assert "skewed axes (cosine 0.113" in refusal_of(volume)


@pytest.mark.parametrize("spacing", [(0.0, 0.9, 0.7), (4.4, np.nan, 0.7)])
def test_an_impossible_spacing_is_refused(spacing):
    assert "cannot be placed" in refusal_of(a_volume(spacing=spacing))


def test_numbers_beyond_float32_are_no_intensities():
    volume = a_volume()
    volume.voxels[2, 3, 4] = 1e300

    assert "holds 1 of 8640 voxels that are not finite" in refusal_of(volume)


def test_a_label_map_is_no_scan():
    volume = a_volume()
    volume.voxels[...] = np.arange(volume.voxels.size).reshape(volume.voxels.shape) % 26

    assert "looks like a label map (26 different values in 8640 voxels)" in refusal_of(volume)


@pytest.mark.parametrize("unit_mm", [1000, 0.001])
def test_a_spacing_in_another_unit_is_refused(unit_mm):
    spacing = tuple(unit_mm * side for side in (4.4, 0.9, 0.7))

    assert "export it again with its spacing in millimetres" in refusal_of(a_volume(spacing=spacing))


def test_what_the_reader_doubts_stays_with_the_scan():
    volume = a_volume()

    assert checked_scan(volume).doubts == ()
    assert checked_scan(replace(volume, doubts=("Is it T2?",))).doubts == ("Is it T2?",)


def test_the_name_is_the_file_without_its_ending():
    assert scan_name(Path("/data/1.2.Spine.nii.gz")) == "1.2.Spine"
    assert scan_name(Path("/data/IM.0001")) == "IM.0001"
    assert scan_name(Path("/data/Spine.MHA")) == "Spine"


def test_a_link_is_called_by_its_own_name_and_the_folder_here_by_its_own(tmp_path, monkeypatch):
    (tmp_path / "sub-01.nii.gz").symlink_to(tmp_path / "MD5E-36-0a1b.nii.gz")
    monkeypatch.chdir(tmp_path)
    assert scan_name(tmp_path / "sub-01.nii.gz") == "sub-01"
    assert scan_name(Path()) == tmp_path.name
