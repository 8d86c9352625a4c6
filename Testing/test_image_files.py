from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from SpineNetCore.errors import InputError
from SpineNetCore.image_files import read_image, write_image
from SpineNetCore.scan_files import read_scan

PLACE = np.diag([4.4, 0.7, 0.9, 1.0])
VOXELS = np.random.default_rng(0).integers(0, 1000, (6, 36, 40)).astype(np.int16)


def refusal_of(path, capfd) -> str:
    """The one sentence a user gets, and nothing printed beside it."""
    with pytest.raises(InputError) as refusal:
        read_scan(path)
    assert capfd.readouterr() == ("", "")
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def saved(path, voxels=VOXELS, place=PLACE):
    nibabel.save(nibabel.Nifti1Image(voxels, place), path)
    return path


def test_a_program_without_standard_error_reads_and_writes(tmp_path, monkeypatch):
    def refuse(_descriptor: int) -> int:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(os, "dup", refuse)  # as in a program with windows on Windows
    monkeypatch.setattr(sys, "stderr", None)
    write_image(VOXELS, PLACE, tmp_path / "a.nrrd")
    np.testing.assert_array_equal(read_image(tmp_path / "a.nrrd").voxels, VOXELS)


def test_a_missing_file_is_refused(tmp_path, capfd):
    assert "does not exist" in refusal_of(tmp_path / "nowhere.nii.gz", capfd)


@pytest.mark.parametrize("name", ["notes.txt", "paper.pdf", "notes.nii", "notes.nii.gz", "notes.nrrd", "notes.mha"])
def test_a_file_that_is_no_image_is_refused(name, tmp_path, capfd):
    (tmp_path / name).write_text("%PDF-1.4 a letter about a back\n" * 20)

    assert "(620 bytes) cannot be read as an image" in refusal_of(tmp_path / name, capfd)


def test_an_empty_file_is_refused(tmp_path, capfd):
    (tmp_path / "empty.nii.gz").write_bytes(b"")

    assert "(0 bytes) cannot be read" in refusal_of(tmp_path / "empty.nii.gz", capfd)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha"])
@pytest.mark.parametrize("kept", [0.5, 0.98])
def test_a_cut_off_file_is_refused(ending, compressed, kept, tmp_path, capfd):
    path = tmp_path / f"spine{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(path), compressed)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])

    assert "damaged, cut off" in refusal_of(path, capfd)


def test_a_packed_file_with_a_wrong_checksum_is_refused(tmp_path, capfd):
    path = saved(tmp_path / "spine.nii.gz", np.tile(VOXELS, (8, 4, 4)))
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF
    path.write_bytes(content)

    assert "damaged, cut off" in refusal_of(path, capfd)


@pytest.mark.parametrize("ending", [".mha", ".mhd"])
@pytest.mark.parametrize("says_its_size", [True, False])
@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b[:-900] + bytes(600) + b[-300:]])
def test_packed_voxels_of_a_meta_image_that_are_damaged_are_refused(ending, says_its_size, damage, tmp_path, capfd):
    path = tmp_path / f"spine{ending}"
    write_image(np.tile(VOXELS, (8, 4, 4)), PLACE, path)
    assert read_scan(path).voxels.any()
    if not says_its_size:
        size = path.read_bytes().index(b"CompressedDataSize")
        end = path.read_bytes().index(b"\n", size) + 1
        header = path.read_bytes()[:size].replace(b"CompressedData = True", b"CompressedData = T")
        path.write_bytes(header + path.read_bytes()[end:])
        assert read_scan(path).voxels.any()
    packed = path if ending == ".mha" else tmp_path / "spine.zraw"
    packed.write_bytes(damage(packed.read_bytes()))

    assert "damaged, cut off" in refusal_of(path, capfd)


def test_an_nrrd_file_without_orientation_is_refused(tmp_path, capfd):
    path = tmp_path / "spine.nrrd"
    write_image(VOXELS, PLACE, path)
    path.write_bytes(path.read_bytes().replace(b"space: left-posterior-superior", b"space dimension: 3"))

    assert "does not say how it lies in the patient (its field 'space' is not given)" in refusal_of(path, capfd)


def test_a_header_without_its_data_file_is_refused(tmp_path, capfd):
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(tmp_path / "spine.mhd"))
    (tmp_path / "spine.raw").unlink()

    assert "without its data file" in refusal_of(tmp_path / "spine.mhd", capfd)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif"])
def test_a_plain_picture_is_refused(ending, tmp_path, capfd):
    path = tmp_path / f"spine{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS[0].astype(np.uint8)), str(path))

    assert "is a plain picture" in refusal_of(path, capfd)


def test_a_flat_image_is_refused(tmp_path, capfd):
    path = tmp_path / "spine.mha"
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS[0]), str(path))

    assert "has 2 dimensions (40 x 36)" in refusal_of(path, capfd)


def test_a_series_over_time_is_refused(tmp_path, capfd):
    path = saved(tmp_path / "spine.nii.gz", np.stack([VOXELS, VOXELS], axis=-1))

    assert "has 4 dimensions (6 x 36 x 40 x 2)" in refusal_of(path, capfd)


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".nii.gz"])
def test_a_colour_image_is_refused(ending, tmp_path, capfd):
    path = tmp_path / f"spine{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(np.stack([VOXELS] * 3, axis=-1), isVector=True), str(path))

    assert "has 3 numbers per voxel" in refusal_of(path, capfd)


def test_a_complex_image_is_refused(tmp_path, capfd):
    path = saved(tmp_path / "spine.nii.gz", (VOXELS + 1j).astype(np.complex64))

    assert "complex" in refusal_of(path, capfd)


def test_a_nifti_file_without_orientation_is_refused(tmp_path, capfd):
    path = saved(tmp_path / "spine.nii.gz", place=None)

    assert "qform and sform codes are 0" in refusal_of(path, capfd)


def test_a_nifti_file_with_skewed_axes_is_refused(tmp_path, capfd):
    skewed = PLACE.copy()
    skewed[0, 1] = 0.3

    assert "has skewed axes" in refusal_of(saved(tmp_path / "spine.nii.gz", place=skewed), capfd)


@pytest.mark.parametrize(
    ("number", "said"),
    [(np.nan, "also nan x nan x nan mm"), (np.inf, "numbers that are no place"), (0.0, "numbers that are no place")],
)
def test_a_nifti_file_whose_affine_is_no_place_is_refused(number, said, tmp_path, capfd):
    content = bytearray(saved(tmp_path / "spine.nii").read_bytes())
    content[252:256] = np.array([0, 1], "<i2").tobytes()  # the sform alone counts
    content[280:296] = np.full(4, number, "<f4").tobytes()
    (tmp_path / "spine.nii").write_bytes(content)

    assert said in refusal_of(tmp_path / "spine.nii", capfd)


@pytest.mark.parametrize(("sform_code", "is_doubted"), [(1, False), (2, True), (4, True)])
def test_a_nifti_file_that_lies_in_two_places_is_read_with_a_doubt(sform_code, is_doubted, tmp_path):
    path = tmp_path / "scan.nii"
    write_image(VOXELS, PLACE, path)
    header = bytearray(path.read_bytes())
    header[252:256] = np.array([1, sform_code], "<i2").tobytes()
    header[292:296] = np.float32(30).tobytes()  # where the sform's first row ends
    path.write_bytes(header)
    (doubt,) = read_image(path).doubts if is_doubted else ("",)
    assert ("by its sform, up to " in doubt) == is_doubted
    assert bool(read_image(path).doubts) == is_doubted


def test_an_nrrd_file_in_another_space_than_the_patient_s_is_refused(tmp_path, capfd):
    path = tmp_path / "scan.nrrd"
    write_image(VOXELS, PLACE, path)
    path.write_bytes(path.read_bytes().replace(b"left-posterior-superior", b"scanner-xyz"))

    assert "(its field 'space' is scanner-xyz)" in refusal_of(path, capfd)


@pytest.mark.parametrize("name", ["spine.nii.gz", "spine.mha"])
def test_an_image_without_voxels_is_refused(name, tmp_path, capfd):
    if name.endswith(".mha"):
        sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(tmp_path / name))
        text = (tmp_path / name).read_bytes().replace(b"DimSize = 40 36 6", b"DimSize = 40 36 0")
        (tmp_path / name).write_bytes(text)
    else:
        saved(tmp_path / name, np.zeros((0, 36, 40), np.int16))

    refusal_of(tmp_path / name, capfd)


def test_a_single_voxel_is_refused(tmp_path, capfd):
    assert "1 x 1 x 1 voxels" in refusal_of(saved(tmp_path / "spine.nii.gz", VOXELS[:1, :1, :1]), capfd)


def test_a_constant_scan_is_refused(tmp_path, capfd):
    assert "every voxel is 0" in refusal_of(saved(tmp_path / "spine.nii.gz", VOXELS * 0), capfd)


@pytest.mark.parametrize("name", ["spine.nii.gz", "spine.nii", "spine.mha"])
@pytest.mark.parametrize("number", [np.float32, np.float64])
def test_a_nan_ridden_scan_is_refused(name, number, tmp_path, capfd):
    voxels = VOXELS.astype(number)
    voxels[:, :10] = np.nan
    if name == "spine.mha":
        sitk.WriteImage(sitk.GetImageFromArray(voxels.T), str(tmp_path / name))
    else:
        saved(tmp_path / name, voxels)

    assert "holds 2400 of 8640 voxels" in refusal_of(tmp_path / name, capfd)


def test_nan_is_found_in_a_file_of_the_other_byte_order(tmp_path, capfd):
    voxels = VOXELS.astype(">f4")
    voxels[0, 0, :3] = np.inf
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(">f4")
    nibabel.save(nibabel.Nifti1Image(voxels, PLACE, header), tmp_path / "spine.nii")

    assert "holds 3 of 8640 voxels" in refusal_of(tmp_path / "spine.nii", capfd)


def test_a_nifti_pair_is_refused(tmp_path, capfd):
    nibabel.save(nibabel.Nifti1Pair(VOXELS, PLACE), tmp_path / "spine.img")

    assert "two files" in refusal_of(tmp_path / "spine.img", capfd)


def test_an_axial_series_is_refused(tmp_path, capfd):
    path = saved(tmp_path / "spine.nii.gz", VOXELS.transpose(1, 2, 0), np.diag([0.7, 0.9, 4.4, 1.0]))

    assert "looks axial" in refusal_of(path, capfd)


def test_a_name_in_another_encoding_is_refused():
    with pytest.raises(InputError, match=r"Z\\xe4hn\.nii' is not written in UTF-8"):
        read_image(Path(os.fsdecode(b"Z\xe4hn.nii")))


def test_an_image_is_not_written_where_nothing_can_be(tmp_path):
    shutil.rmtree(tmp_path)

    with pytest.raises(InputError, match=r"cannot write '.*spine\.nii\.gz'"):
        write_image(VOXELS, PLACE, tmp_path / "spine.nii.gz")


@pytest.mark.parametrize("left_bytes", [0, 2, 5000])
def test_an_image_that_the_disk_cut_short_is_refused(left_bytes, tmp_path, monkeypatch):
    real = sitk.WriteImage

    def onto_a_full_disk(image, path, **options):
        real(image, path, **options)
        os.truncate(path, left_bytes)

    write_image(VOXELS, PLACE, tmp_path / "whole.nii.gz")
    monkeypatch.setattr(sitk, "WriteImage", onto_a_full_disk)
    with pytest.raises(InputError, match=r"spine\.nii\.gz' could not be written whole: make room"):
        write_image(VOXELS, PLACE, tmp_path / "spine.nii.gz")


@pytest.mark.parametrize("spacing", [0.0, -0.9, np.nan])
def test_a_nifti_file_without_spacing_is_refused(spacing, tmp_path, capfd):
    path = saved(tmp_path / "spine.nii")
    content = bytearray(path.read_bytes())
    content[84:88] = np.float32(spacing).tobytes()
    path.write_bytes(content)

    assert "mm (pixdim): export it again with its spacing" in refusal_of(path, capfd)


def test_a_nifti_file_with_two_spacings_is_refused(tmp_path, capfd):
    path = saved(tmp_path / "spine.nii")
    content = bytearray(path.read_bytes())
    content[88:92] = np.float32(0.45).tobytes()
    path.write_bytes(content)

    assert "4.40 x 0.70 x 0.90 mm (sform): export it again with one spacing" in refusal_of(path, capfd)
