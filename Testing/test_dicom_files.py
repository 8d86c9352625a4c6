from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writing import AXIAL, COLUMNS, ROWS, picture, save, slice_dataset, write_series
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
)

from SpineNetCore.dicom_files import read_dicom
from SpineNetCore.errors import InputError
from SpineNetCore.scan import mapped
from SpineNetCore.scan_files import read_scan, write_volume

PLACES = [-8.8, -4.4, 0.0, 4.4]
"""LPS x of the slices, from right to left: 3 mm thick, 4.4 mm apart."""
OBLIQUE = [-0.28, 0.96, 0.0, 0.0, 0.0, -1.0]


def pictures(count: int) -> np.ndarray:
    return np.stack([picture(rank) for rank in range(count)])


def refusal_of(path) -> str:
    with pytest.raises(InputError) as refusal:
        read_scan(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_slices_are_stacked_by_position_whatever_their_names_and_numbers(tmp_path):
    names = ["c", "a", "d", "b"]
    for rank, (x, name) in enumerate(zip(PLACES, names, strict=True)):
        save(slice_dataset(picture(rank), (x, -20, 30), InstanceNumber=ord(name)), tmp_path / name)

    scan = read_scan(tmp_path)

    assert np.array_equal(scan.voxels, pictures(4))
    assert scan.name == tmp_path.name


def test_spacing_comes_from_positions_so_gaps_count(tmp_path):
    write_series(tmp_path, PLACES)

    scan = read_scan(tmp_path)

    assert scan.spacing_mm == pytest.approx((4.4, 0.9, 0.7))
    assert np.allclose(mapped(scan.ras_from_ijk, np.zeros(3)), [8.8, 20, 30])
    assert np.allclose(mapped(scan.ras_from_ijk, np.array([3.0, 39, 35])), [-4.4, 20 - 35 * 0.7, 30 - 39 * 0.9])


def test_an_oblique_series_keeps_the_place_of_every_slice(tmp_path):
    normal = np.cross(OBLIQUE[:3], OBLIQUE[3:])
    for rank in range(4):
        position = np.array([3.0, -20.0, 30.0]) - 4.4 * rank * normal
        save(slice_dataset(picture(rank), tuple(position), ImageOrientationPatient=OBLIQUE), tmp_path / f"{rank}")

    scan = read_scan(tmp_path)

    assert np.array_equal(scan.voxels, pictures(4))
    place = np.array([3.0, -20.0, 30.0]) - 4.4 * 2 * normal + 10 * 0.7 * np.array(OBLIQUE[:3]) + [0, 0, -5 * 0.9]
    assert np.allclose(mapped(scan.ras_from_ijk, np.array([2.0, 5.0, 10.0])), place * [-1, -1, 1])


def test_a_volume_is_written_on_the_grid_of_columns_rows_and_sorted_slices(tmp_path):
    write_series(tmp_path / "series", PLACES)
    scan = read_scan(tmp_path / "series")

    write_volume(scan.voxels, scan, tmp_path / "out.nii.gz")

    assert scan.file_grid.shape == (COLUMNS, ROWS, 4)
    assert np.array_equal(read_scan(tmp_path / "out.nii.gz").voxels, scan.voxels)
    assert np.allclose(read_scan(tmp_path / "out.nii.gz").ras_from_ijk, scan.ras_from_ijk, atol=1e-4)


def test_the_sagittal_t2_series_is_read_among_t1_and_a_localiser(tmp_path):
    write_series(tmp_path, PLACES)
    write_series(tmp_path, PLACES, 10, SeriesInstanceUID="1.1", SeriesDescription="t1_tse_sag", EchoTime=10)
    write_series(
        tmp_path, [0.0], 20, SeriesInstanceUID="1.0", SeriesDescription="loc", ImageOrientationPatient=[*AXIAL]
    )

    scan = read_scan(tmp_path)
    assert np.array_equal(scan.voxels, pictures(4))
    assert any("Of 3 DICOM series" in doubt for doubt in scan.doubts)


def test_rescaled_and_signed_values_are_intensities(tmp_path):
    stored = picture(0).astype(np.int16) - 500
    path = save(
        slice_dataset(stored, (0, 0, 0), PixelRepresentation=1, RescaleSlope=2.5, RescaleIntercept=-3), tmp_path / "a"
    )

    assert np.array_equal(read_scan(path).voxels[0], stored.astype(np.float32) * 2.5 - 3)


def test_a_folder_whose_own_name_is_not_utf_8_is_refused_by_any_other_name(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Z\xe4hn"))
    folder.mkdir()
    write_series(folder, PLACES)
    (tmp_path / "link").symlink_to(folder)

    with pytest.raises(InputError, match=r"Z\\xe4hn' is not written in UTF-8"):
        read_scan(tmp_path / "link")


def test_one_file_is_one_slice_though_its_series_lies_beside_it(tmp_path):
    path = write_series(tmp_path, PLACES, SpacingBetweenSlices=4.4)[2]

    scan = read_scan(path)

    assert np.array_equal(scan.voxels, [picture(2)])
    assert scan.spacing_mm == pytest.approx((4.4, 0.9, 0.7))
    assert scan.name == "2"
    assert scan.doubts == (
        "One slice was read: give the folder of its series, if there is one, to have all of it seen.",
    )


def test_a_lone_slice_without_thickness_is_taken_as_usual_with_a_doubt(tmp_path, caplog):
    scan = read_scan(write_series(tmp_path, [0.0], SliceThickness=None)[0])

    assert scan.spacing_mm[0] == pytest.approx(4.0)
    assert scan.doubts[-1] == "The slice does not say how thick it is: 4 mm was taken."
    assert caplog.text == ""


def test_a_t1_series_is_read_with_a_doubt(tmp_path, caplog):
    first = write_series(tmp_path, PLACES, SeriesDescription="t1_tse_sag")[0]

    for path in (tmp_path, first):
        doubt = read_scan(path).doubts[0]
        assert "'t1_tse_sag' does not say that it is T2" in doubt
    assert caplog.text == ""


def test_a_series_that_lost_every_second_slice_is_read_with_a_doubt(tmp_path):
    write_series(tmp_path, [0.0, 3.6, 7.2], SpacingBetweenSlices=1.8)
    (doubt,) = read_scan(tmp_path).doubts
    assert doubt.startswith("The slices lie 3.6 mm apart, where their headers say 1.8 mm")


def test_a_t2_series_leaves_no_doubt(tmp_path):
    write_series(tmp_path, PLACES)

    assert read_scan(tmp_path).doubts == ()


def test_pixels_that_cannot_be_decoded_are_refused_without_a_word_from_the_libraries(tmp_path, capfd, caplog):
    path = write_series(tmp_path, [0.0])[0]
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([b"no picture"])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)

    assert "copy it again whole" in refusal_of(path)
    assert capfd.readouterr().err == caplog.text == ""


def an_enhanced_file(path, places):
    """All slices as the frames of one file, in the order given."""
    frames = np.stack([picture(rank) for rank in range(len(places))])
    dataset = slice_dataset(frames[0], (0, 0, 0), ImagePositionPatient=None, ImageOrientationPatient=None)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    dataset.NumberOfFrames, dataset.PixelData = len(places), frames.tobytes()
    del dataset.PixelSpacing
    shared, orientation, measures = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    measures.PixelSpacing, measures.SliceThickness = [0.9, 0.7], 3.0
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = []
    for x in places:
        frame, position = Dataset(), Dataset()
        position.ImagePositionPatient = [x, -20, 30]
        frame.PlanePositionSequence = [position]
        dataset.PerFrameFunctionalGroupsSequence.append(frame)
    return save(dataset, path)


def test_the_frames_of_an_enhanced_file_are_stacked_by_position(tmp_path):
    path = an_enhanced_file(tmp_path / "enhanced.dcm", [4.4, -4.4, 0.0, -8.8])

    scan = read_scan(path)

    assert np.array_equal(scan.voxels, pictures(4)[[3, 1, 2, 0]])
    assert scan.spacing_mm == pytest.approx((4.4, 0.9, 0.7))
    assert np.array_equal(read_scan(tmp_path).voxels, scan.voxels)


def test_run_length_packed_slices_are_read(tmp_path):
    dataset = slice_dataset(picture(0), (0, 0, 0))
    dataset.compress(RLELossless)

    assert np.array_equal(read_scan(save(dataset, tmp_path / "a")).voxels, [picture(0)])


def test_slices_packed_beyond_pydicom_are_read_and_rescaled_too(tmp_path):
    image = sitk.GetImageFromArray(picture(0)[None])
    sitk.WriteImage(image, str(tmp_path / "packed.dcm"), useCompression=True, compressor="JPEG")
    packed = dcmread(tmp_path / "packed.dcm")
    dataset = slice_dataset(picture(0), (0, 0, 0), RescaleSlope=2, RescaleIntercept=-5)
    dataset.file_meta.TransferSyntaxUID = packed.file_meta.TransferSyntaxUID
    dataset.PixelData = packed.PixelData
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True

    assert packed.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    assert np.array_equal(read_scan(save(dataset, tmp_path / "a.dcm")).voxels, [picture(0) * 2.0 - 5])


def test_frames_packed_beyond_pydicom_are_each_rescaled_as_they_say(tmp_path):
    path = an_enhanced_file(tmp_path / "enhanced.dcm", PLACES)
    sitk.WriteImage(
        sitk.GetImageFromArray(pictures(4)), str(tmp_path / "a.dcm"), useCompression=True, compressor="JPEG"
    )
    dataset, packed = dcmread(path), dcmread(tmp_path / "a.dcm")
    dataset.file_meta.TransferSyntaxUID = packed.file_meta.TransferSyntaxUID
    dataset.PixelData = packed.PixelData
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.PixelValueTransformationSequence = [Dataset()]
        frame.PixelValueTransformationSequence[0].RescaleSlope = slope = 3 - 0.5 * k
        frame.PixelValueTransformationSequence[0].RescaleIntercept = slope + k
    dataset.save_as(path)
    slopes = 3 - 0.5 * np.arange(4)[:, None, None]
    expected = pictures(4) * slopes + slopes + np.arange(4)[:, None, None]

    assert np.allclose(read_scan(path).voxels, expected, atol=1e-3)


def test_the_late_echo_of_an_enhanced_file_is_read_from_the_file_as_from_its_folder(tmp_path):
    path = an_enhanced_file(tmp_path / "enhanced.dcm", [*PLACES, *PLACES])
    dataset = dcmread(path)
    del dataset.EchoTime
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.MREchoSequence = [Dataset()]
        frame.MREchoSequence[0].EffectiveEchoTime = 20.0 if k < 4 else 100.0
    dataset.save_as(path)

    assert np.array_equal(read_scan(path).voxels, pictures(8)[4:])
    assert np.array_equal(read_scan(tmp_path).voxels, pictures(8)[4:])


def test_two_frames_at_one_place_are_refused(tmp_path):
    path = an_enhanced_file(tmp_path / "enhanced.dcm", [*PLACES, 0.0])

    assert "frames 3 and 5 of " in refusal_of(path)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_without_preamble_is_read_as_one_with_it(syntax, tmp_path):
    dataset = slice_dataset(picture(0), (0, 0, 0), SeriesDescription="t1_tse_sag")
    del dataset.file_meta
    dataset.save_as(tmp_path / "old", implicit_vr=syntax.is_implicit_VR, little_endian=True)

    for path in (tmp_path / "old", tmp_path):
        scan = read_scan(path)
        assert np.array_equal(scan.voxels, [picture(0)])
        assert "does not say that it is T2" in scan.doubts[0]


def test_a_missing_slice_is_refused_and_its_place_named(tmp_path):
    write_series(tmp_path, [-8.8, -4.4, 4.4])

    assert "8.80 mm between -4.40 and 4.40 mm along the slice normal, elsewhere 4.40 mm" in refusal_of(tmp_path)


def test_two_slices_at_one_place_are_refused(tmp_path):
    write_series(tmp_path, [*PLACES, 0.0])

    message = refusal_of(tmp_path)
    assert "lie at the same place" in message
    assert "'2.dcm'" in message
    assert "'4.dcm'" in message


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"PixelSpacing": [0.9, 0.9]}, "different pixel spacings ((0.9, 0.7) and (0.9, 0.9))"),
        ({"ImageOrientationPatient": [0.28, 0.96, 0, 0, 0, -1]}, "different orientations"),
    ],
)
def test_slices_of_unlike_geometry_are_refused(tags, what, tmp_path):
    write_series(tmp_path, PLACES)
    write_series(tmp_path, [8.8], 10, **tags)

    assert what in refusal_of(tmp_path)


def test_slices_of_unlike_matrix_are_refused(tmp_path):
    write_series(tmp_path, PLACES)
    save(slice_dataset(picture(0)[:38], (8.8, -20, 30)), tmp_path / "z.dcm")

    assert "different matrix sizes ((40, 36) and (38, 36))" in refusal_of(tmp_path)


def test_slices_that_shift_sideways_are_refused(tmp_path):
    for rank, x in enumerate(PLACES):
        save(slice_dataset(picture(rank), (x, -20 + rank, 30)), tmp_path / f"{rank}.dcm")

    assert "shift sideways by up to 3.0 mm against the first" in refusal_of(tmp_path)


def test_slices_of_another_run_between_the_others_are_refused(tmp_path):
    """First and last lie in line, as those of a patient who was moved meanwhile do."""
    for rank in range(6):
        position = (4.4 * rank, -20.0, 30.0 + 20.0 * (rank in (2, 3)))
        save(slice_dataset(picture(rank), position), tmp_path / f"{rank}.dcm")
    assert "shift sideways by up to 20.0 mm against the first" in refusal_of(tmp_path)


def test_rescaled_voxels_are_the_very_ones_that_itk_reads(tmp_path):
    write_series(tmp_path, [0.0, 4.4], RescaleSlope=2.3874, RescaleIntercept=-3.1)
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path))
    by_itk = sitk.GetArrayFromImage(sitk.ReadImage(names, sitk.sitkFloat64)).transpose(2, 1, 0).astype(np.float32)
    assert np.array_equal(read_dicom(tmp_path).voxels, by_itk)


@pytest.mark.parametrize("value", [65535, 0])
def test_padding_is_as_dark_as_the_picture(value, tmp_path):
    pixels = picture(1) + 5
    pixels[:, :4] = value
    save(slice_dataset(pixels, (0.0, -20.0, 30.0), PixelPaddingValue=value), tmp_path / "a.dcm")
    voxels = read_dicom(tmp_path / "a.dcm").voxels
    assert (voxels[:4] == pixels[:, 4:].min()).all()
    assert (pixels[:, 4:] == voxels[4:, :, 0].T).all()


def test_a_fat_suppressed_series_is_read_with_a_doubt(tmp_path):
    write_series(tmp_path, [0.0, 4.4], SeriesDescription="t2_tirm_sag")
    assert any("suppresses fat" in doubt for doubt in read_dicom(tmp_path).doubts)


def test_an_axial_slice_is_refused(tmp_path):
    path = save(slice_dataset(picture(0), (0, 0, 0), ImageOrientationPatient=[*AXIAL]), tmp_path / "a.dcm")

    assert "looks axial" in refusal_of(path)


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_cut_off_file_is_refused(kept, tmp_path):
    path = save(slice_dataset(picture(0), (0, 0, 0)), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])

    assert "cut off or has no pixels" in refusal_of(path)


def test_a_file_without_pixels_is_refused(tmp_path):
    path = save(slice_dataset(picture(0), (0, 0, 0), PixelData=None), tmp_path / "a.dcm")

    assert "has no pixels" in refusal_of(path)
