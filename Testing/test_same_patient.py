"""One patient in many disguises: however the file keeps the scan, the discs lie where they lie and grade alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writing import save, slice_dataset

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.models import BUNDLED_MODELS, Models, load_models
from SpineNetCore.pipeline import AnalysisSettings, analyse
from SpineNetCore.progress import Stages
from SpineNetCore.report import write_report
from SpineNetCore.report_types import SpineReport

SAMPLE = next((Path(__file__).resolve().parent.parent / "Resources" / "Samples").glob("*.nii.gz"))
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Reading:
    """centres: (6, 3) RAS millimetres. probabilities: (6, classes) of all tasks in a row."""

    report: SpineReport
    centres: np.ndarray
    probabilities: np.ndarray


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(BUNDLED_MODELS)


@pytest.fixture(scope="module")
def a_scan() -> sitk.Image:
    """Three slices through the middle of the sample, in 16 bits."""
    whole = sitk.ReadImage(str(SAMPLE))
    middle = whole.GetSize()[2] // 2
    return sitk.Cast(whole[:, :, middle - 1 : middle + 2], sitk.sitkInt16)


@pytest.fixture(scope="module")
def read(models) -> Callable[[Path], Reading]:
    def reading(path: Path) -> Reading:
        report = analyse(path, models, AnalysisSettings(views=1, hotspot_views=0), Stages())
        assert [disc.status for disc in report.discs] == ["scored"] * len(DISC_LEVELS)
        centres = np.array([disc.centre_ras_mm for disc in report.discs])
        chances = [[p for score in disc.scores for p in score.probabilities] for disc in report.discs]
        return Reading(report, centres, np.array(chances))

    return reading


@pytest.fixture(scope="module")
def undisguised(a_scan, read, tmp_path_factory) -> Reading:
    return read(written(a_scan, tmp_path_factory.mktemp("scan") / "scan.nii.gz"))


def written(image: sitk.Image, path: Path) -> Path:
    sitk.WriteImage(image, str(path))
    return path


def turned(image: sitk.Image, turn: np.ndarray) -> sitk.Image:
    """The same voxels in a patient who is turned about the origin."""
    out = sitk.Image(image)
    out.SetDirection((turn @ np.reshape(image.GetDirection(), (3, 3))).ravel().tolist())
    out.SetOrigin((turn @ image.GetOrigin()).tolist())
    return out


def a_turn(axis: tuple[float, float, float], angle_deg: float) -> np.ndarray:
    transform = sitk.VersorRigid3DTransform()
    transform.SetRotation(axis, np.deg2rad(angle_deg))
    return np.reshape(transform.GetMatrix(), (3, 3))


def assert_same(one: Reading, other: Reading) -> None:
    assert np.abs(one.centres - other.centres).max() < 0.05
    assert np.abs(one.probabilities - other.probabilities).max() < 0.005


@pytest.mark.parametrize(
    "order_and_ending", [("LPS", ".nrrd"), ("RAS", ".nii.gz"), ("PIR", ".mha"), ("ASL", ".nii.gz"), ("IRP", ".nii")]
)
def test_the_order_of_voxels_in_the_file_changes_nothing(order_and_ending, a_scan, undisguised, read, tmp_path):
    order, ending = order_and_ending
    path = written(sitk.DICOMOrient(a_scan, order), tmp_path / f"wie heißt es ({order}){ending}")

    assert_same(read(path), undisguised)


@pytest.mark.parametrize("gain_and_offset", [(1000.0, 0.0), (0.01, 0.0), (1.0, -1000.0)])
def test_the_unit_of_intensity_changes_nothing(gain_and_offset, a_scan, undisguised, read, tmp_path):
    gain, offset = gain_and_offset
    path = written(sitk.Cast(a_scan, sitk.sitkFloat32) * gain + offset, tmp_path / "scan.nii.gz")

    assert_same(read(path), undisguised)


@pytest.mark.parametrize("extreme", [1e9, -1e9])
def test_one_broken_pixel_changes_nothing(extreme, a_scan, undisguised, read, tmp_path):
    broken = sitk.Cast(a_scan, sitk.sitkFloat32)
    broken[1, 3, 1] = extreme

    assert_same(read(written(broken, tmp_path / "scan.nrrd")), undisguised)


def test_shuffled_dicom_slices_are_the_same_scan(a_scan, undisguised, read, tmp_path):
    directions = np.reshape(a_scan.GetDirection(), (3, 3))
    for name, k in zip("bca", range(a_scan.GetSize()[2]), strict=True):
        dataset = slice_dataset(
            sitk.GetArrayFromImage(a_scan)[k].astype(np.uint16),
            a_scan.TransformIndexToPhysicalPoint((0, 0, k)),
            ImageOrientationPatient=[*directions[:, 0], *directions[:, 1]],
            PixelSpacing=[a_scan.GetSpacing()[1], a_scan.GetSpacing()[0]],
        )
        save(dataset, tmp_path / "study" / f"{name}.dcm")

    assert_same(read(tmp_path / "study"), undisguised)


@pytest.mark.parametrize("axis", [(1.0, 0.0, 0.0), (1.0, 1.0, 1.0)])
def test_a_turned_patient_has_turned_discs(axis, a_scan, undisguised, read, tmp_path):
    turn = a_turn(axis, 20)
    reading = read(written(turned(a_scan, turn), tmp_path / "scan.nii.gz"))

    ras_turn = LPS_FROM_RAS @ turn @ LPS_FROM_RAS
    assert_same(reading, Reading(undisguised.report, undisguised.centres @ ras_turn.T, undisguised.probabilities))


def test_larger_pixels_move_no_disc_by_a_millimetre_and_few_chances(a_scan, undisguised, read, tmp_path):
    reading = read(written(sitk.BinShrink(a_scan, [2, 2, 1]), tmp_path / "scan.nii.gz"))

    assert np.abs(reading.centres - undisguised.centres).max() < 1.0
    assert np.abs(reading.probabilities - undisguised.probabilities).mean() < 0.05


def test_the_result_lies_on_an_oblique_scans_own_grid(a_scan, read, tmp_path):
    path = written(turned(sitk.DICOMOrient(a_scan, "ASL"), a_turn((0, 0, 1), 20)), tmp_path / "scan.nii.gz")
    report = read(path).report
    write_report(report, tmp_path / "out")

    scan, labels = sitk.ReadImage(str(path)), sitk.ReadImage(str(tmp_path / "out" / "discs.nii.gz"))
    assert labels.GetSize() == scan.GetSize()
    for place in ("GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(labels, place)() == pytest.approx(getattr(scan, place)(), abs=1e-5)
    centres = [labels.TransformPhysicalPointToIndex(LPS_FROM_RAS @ disc.centre_ras_mm) for disc in report.discs]
    assert [labels[centre] for centre in centres] == [6, 5, 4, 3, 2, 1]
