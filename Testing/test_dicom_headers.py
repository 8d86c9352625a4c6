from __future__ import annotations

import numpy as np
import pytest
from dicom_writing import picture, save, slice_dataset

from SpineNetCore.dicom_headers import slices_of_file
from SpineNetCore.errors import InputError

PLACE = (4.0, -20.0, 30.0)


def a_header(folder, **tags):
    return slices_of_file(save(slice_dataset(picture(0), PLACE, **tags), folder / "slice.dcm"))[0]


def refusal_of(folder, **tags) -> str:
    with pytest.raises(InputError) as refusal:
        a_header(folder, **tags)
    assert "slice.dcm" in str(refusal.value)
    return str(refusal.value)


def test_a_plain_file_is_one_slice(tmp_path):
    header = a_header(tmp_path)

    assert header.position_lps_mm.tolist() == list(PLACE)
    assert header.pixel_spacing_mm == (0.9, 0.7)
    assert header.normal.tolist() == [-1.0, 0.0, 0.0]
    assert header.is_sagittal
    assert (header.slope, header.intercept) == (1.0, 0.0)


def test_the_distance_between_slices_goes_before_their_thickness(tmp_path):
    assert a_header(tmp_path).step_mm == 3.0
    assert a_header(tmp_path, SpacingBetweenSlices=4.4).step_mm == 4.4
    assert a_header(tmp_path, SliceThickness=None).step_mm is None


def test_rounded_directions_are_made_exact(tmp_path):
    header = a_header(tmp_path, ImageOrientationPatient=[0.105, 0.994, 0.0, 0.001, 0.0, -1.0])
    directions = np.stack([header.row_direction, header.column_direction])

    assert np.allclose(directions @ directions.T, np.eye(2), atol=1e-12)
    assert np.allclose(directions[0], [0.105, 0.994, 0.0], atol=1e-3)


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_slice_without_a_place_is_refused(keyword, tmp_path):
    assert f"({keyword} is missing): export the original" in refusal_of(tmp_path, **{keyword: None})


def test_an_impossible_orientation_is_refused(tmp_path):
    assert "not two perpendicular directions" in refusal_of(tmp_path, ImageOrientationPatient=[0, 1, 0, 0, 0.9, 0.1])


def test_an_impossible_pixel_spacing_is_refused(tmp_path):
    assert "PixelSpacing is [0.0, 0.7]" in refusal_of(tmp_path, PixelSpacing=[0, 0.7])


def test_a_colour_image_is_refused(tmp_path):
    assert "in 'RGB' colours" in refusal_of(tmp_path, PhotometricInterpretation="RGB")


def test_another_modality_is_refused(tmp_path):
    assert "Modality is 'CT'" in refusal_of(tmp_path, Modality="CT")


def test_a_damaged_header_is_refused(tmp_path):
    path = save(slice_dataset(picture(0), PLACE), tmp_path / "slice.dcm")
    content = bytearray(path.read_bytes())
    content[136:138] = b"??"
    path.write_bytes(content)

    with pytest.raises(InputError, match="damaged DICOM file"):
        slices_of_file(path)


@pytest.mark.parametrize("rows", [{"Rows": None}, {"Rows": []}, {"Rows": 0}])
def test_a_header_without_a_picture_is_refused(rows, tmp_path):
    assert "holds no image (its Modality is 'SR')" in refusal_of(tmp_path, Modality="SR", **rows)
