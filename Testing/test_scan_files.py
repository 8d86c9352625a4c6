from __future__ import annotations

from itertools import permutations, product

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from SpineNetCore.scan import Scan, mapped
from SpineNetCore.scan_files import read_scan, write_volume

AXIS_ORDERS = [
    "".join(side[backwards] for side, backwards in zip(sides, order, strict=True))
    for sides in permutations(("RL", "AP", "SI"))
    for order in product((0, 1), repeat=3)
]
OBLIQUE = np.array([[0.96, -0.2688, -0.0784], [0.28, 0.9216, 0.2688], [0.0, -0.28, 0.96]])


def a_patient(direction=None, dtype=np.int16, slices=6) -> nibabel.Nifti1Image:
    """A sagittal series kept in the order right, anterior, superior."""
    place = np.eye(4)
    place[:3, :3] = (np.eye(3) if direction is None else direction) * (4.4, 0.7, 0.9)
    place[:3, 3] = (-11.3, -40.2, 305.7)
    intensities = np.random.default_rng(1).integers(-1000, 1500, (slices, 36, 40))
    return nibabel.Nifti1Image(intensities.astype(dtype), place)


def standard_voxels(patient: nibabel.Nifti1Image) -> np.ndarray:
    return np.asarray(patient.dataobj)[::-1, ::-1, ::-1].transpose(0, 2, 1)


def in_order(patient: nibabel.Nifti1Image, order: str) -> nibabel.Nifti1Image:
    here = nibabel.io_orientation(patient.affine)
    there = nibabel.orientations.axcodes2ornt(tuple(order))
    return patient.as_reoriented(nibabel.orientations.ornt_transform(here, there))


def assert_is_the_patient(scan: Scan, patient: nibabel.Nifti1Image) -> None:
    expected = standard_voxels(patient)
    assert scan.voxels.dtype == np.float32
    assert np.array_equal(scan.voxels, expected)
    corner = np.array([expected.shape[0] - 1.0, expected.shape[1] - 1.0, expected.shape[2] - 1.0])
    last = np.array([patient.shape[0] - 1.0, patient.shape[1] - 1.0, patient.shape[2] - 1.0])
    assert np.allclose(mapped(scan.ras_from_ijk, np.zeros(3)), mapped(patient.affine, last), atol=1e-3)
    assert np.allclose(mapped(scan.ras_from_ijk, corner), mapped(patient.affine, np.zeros(3)), atol=1e-3)
    assert scan.spacing_mm == pytest.approx((4.4, 0.9, 0.7), abs=1e-4)


def test_there_are_48_axis_orders():
    assert len(set(AXIS_ORDERS)) == 48


@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_any_axis_order_reads_as_the_same_patient_and_writes_back_as_the_same_file(order, tmp_path):
    patient = a_patient(OBLIQUE)
    file = in_order(patient, order)
    nibabel.save(file, tmp_path / "in.nii")

    scan = read_scan(tmp_path / "in.nii")
    write_volume(scan.voxels, scan, tmp_path / "out.nii")
    written = nibabel.load(tmp_path / "out.nii")

    assert_is_the_patient(scan, patient)
    assert np.array_equal(written.get_fdata(), file.get_fdata())
    assert np.allclose(written.affine, file.affine, atol=1e-4)


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha", ".mhd"])
@pytest.mark.parametrize("direction", [None, OBLIQUE])
def test_every_format_gives_back_its_own_grid(ending, direction, tmp_path):
    nibabel.save(a_patient(direction), tmp_path / "patient.nii")
    file = sitk.ReadImage(str(tmp_path / "patient.nii"))
    sitk.WriteImage(file, str(tmp_path / f"in{ending}"))

    scan = read_scan(tmp_path / f"in{ending}")
    write_volume(scan.voxels, scan, tmp_path / f"out{ending}")
    written = sitk.ReadImage(str(tmp_path / f"out{ending}"))

    assert_is_the_patient(scan, a_patient(direction))
    assert scan.name == "in"
    assert written.GetSize() == file.GetSize()
    assert np.allclose(written.GetSpacing(), file.GetSpacing(), atol=1e-5)
    assert np.allclose(written.GetOrigin(), file.GetOrigin(), atol=1e-4)
    assert np.allclose(written.GetDirection(), file.GetDirection(), atol=1e-6)
    assert np.array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(file))


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_intensities_stay_as_they_are_whatever_their_type(dtype, tmp_path):
    patient = a_patient(dtype=dtype)
    nibabel.save(patient, tmp_path / "in.nii.gz")

    scan = read_scan(tmp_path / "in.nii.gz")

    assert_is_the_patient(scan, patient)
    assert scan.voxels.min() == -1000


@pytest.mark.parametrize("order", ["RAS", "ASR", "PIL", "SLP"])
def test_one_slice_makes_a_scan(order, tmp_path):
    patient = a_patient(slices=1)
    file = in_order(patient, order)
    nibabel.save(file, tmp_path / "in.nii.gz")

    scan = read_scan(tmp_path / "in.nii.gz")
    write_volume(scan.voxels, scan, tmp_path / "out.nii.gz")

    assert_is_the_patient(scan, patient)
    assert nibabel.load(tmp_path / "out.nii.gz").shape == file.shape


def test_a_label_map_keeps_its_type(tmp_path):
    nibabel.save(a_patient(), tmp_path / "in.nii.gz")
    scan = read_scan(tmp_path / "in.nii.gz")
    labels = np.arange(scan.voxels.size).reshape(scan.voxels.shape).astype(np.uint8)

    write_volume(labels, scan, tmp_path / "labels.nii.gz")

    assert nibabel.load(tmp_path / "labels.nii.gz").get_data_dtype() == np.uint8
    assert np.array_equal(read_scan(tmp_path / "labels.nii.gz").voxels, labels)


def test_an_array_of_another_grid_is_not_written(tmp_path):
    nibabel.save(a_patient(), tmp_path / "in.nii.gz")
    scan = read_scan(tmp_path / "in.nii.gz")

    with pytest.raises(ValueError, match=r"does not fit a scan of \(6, 40, 36\)"):
        write_volume(scan.voxels[1:], scan, tmp_path / "out.nii.gz")
