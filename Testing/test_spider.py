from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from spider_making import PICTURES, SLABS, picture_pixels, slab_intensities, small_mask, write_spider

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets import spider
from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.datasets.spider_places import lowest_disc
from SpineNetCore.scan import mapped

DATASETS = Path(spider.__file__).parent


@pytest.fixture
def folder(tmp_path):
    return write_spider(tmp_path)


def test_slabs_come_in_the_order_of_their_numbers(folder):
    assert tuple(slab.patient for slab in spider.slabs(folder)) == SLABS


def test_a_mask_lies_on_its_scan_in_whatever_order_the_file_keeps_its_voxels(folder):
    for slab in spider.slabs(folder):
        assert np.array_equal(slab.mask, small_mask(slab.patient))
        assert slab.mask.dtype == np.uint8
        assert np.array_equal(slab.scan.voxels, slab_intensities(slab.mask))
        assert slab.scan.spacing_mm == pytest.approx((1.8, 0.9, 0.9), abs=1e-5)


def test_a_picture_has_the_pixel_size_of_its_t2_series(folder):
    pictures = {picture.patient: picture for picture in spider.pictures(folder)}

    assert list(pictures) == sorted(PICTURES)
    for patient, spacing_mm in PICTURES.items():
        assert pictures[patient].spacing_mm == spacing_mm
        assert np.array_equal(pictures[patient].pixels, picture_pixels(patient))


def test_a_picture_is_a_sagittal_scan_of_one_slice(folder):
    picture = next(spider.pictures(folder))
    scan = picture.scan
    down, back = (mapped(scan.ras_from_ijk, np.array(step)) for step in ([0.0, 1, 0], [0.0, 0, 1]))

    assert scan.voxels.dtype == np.float32
    assert np.array_equal(scan.voxels[0], picture.pixels)
    assert scan.spacing_mm == pytest.approx((4.0, picture.spacing_mm, picture.spacing_mm))
    assert down == pytest.approx([0, 0, -picture.spacing_mm])
    assert back == pytest.approx([0, -picture.spacing_mm, 0])


def test_a_reader_s_place_belongs_to_one_picture_of_that_patient_and_size():
    rows = (DATASETS / "spider_lowest_discs.csv").read_text("utf-8").splitlines()
    places = {row[0]: row[1:] for row in ([int(value) for value in line.split(",")] for line in rows[1:])}

    assert rows[0] == "patient,rows,columns,row,column"
    assert len(places) == len(rows) - 1
    for patient, (height, width, row, column) in places.items():
        assert 0.3 * height < row < height
        assert 0 < column < width
        assert lowest_disc(patient, (height, width)) == (row, column)
        assert lowest_disc(patient, (height + 1, width)) is None


def test_discs_are_counted_on_the_t2_series(folder):
    assert spider.disc_counts(folder) == {1: 6, 4: 8, 35: 7}


def test_the_six_chosen_slabs_and_an_eighth_of_the_other_patients_are_kept_out():
    others = [patient for patient in range(1, 257) if patient not in spider.KEPT_OUT_SLABS]

    assert len(set(spider.KEPT_OUT_SLABS)) == 6
    assert all(spider.is_kept_out(patient) for patient in spider.KEPT_OUT_SLABS)
    assert np.mean([spider.is_kept_out(patient) for patient in others]) == pytest.approx(1 / 8, abs=0.01)


def test_a_folder_without_slabs_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"t2_SPACE/\*_SPACE.nii.gz: give the folder of the reduced SPIDER copy"):
        next(spider.slabs(tmp_path))


def test_a_slab_without_its_mask_is_refused(folder):
    (folder / "t2_SPACE" / "18_t2_SPACE_seg.nii.gz").unlink()
    with pytest.raises(InputError, match=r"18_t2_SPACE_seg.nii.gz' does not exist"):
        list(spider.slabs(folder))


def test_patients_are_spread_evenly_over_the_folds():
    folds = [spider.fold_of(patient) for patient in range(1, 256)]

    assert np.bincount(folds).tolist() == [51] * spider.FOLDS
    assert {spider.fold_of(patient, 1) for patient in range(1, 256)} == {0}


def test_graded_pictures_and_slabs_become_scans_and_kept_out_patients_are_for_testing(folder):
    scans = spider.reduced_scans(folder)

    assert [(scan.patient, scan.image.path.name, scan.split) for scan in scans] == [
        ("1", "1_t2.png", None),
        ("4", "4_t2.png", Split.TEST),
    ]
    assert set(scans[0].labels) == {"L5-S1", "L4-L5", "T12-L1"}
    assert (scans[0].image.spacing_mm, scans[0].image.discs_in_view) == (0.625, 6)


def test_a_cut_off_mask_is_refused(folder):
    mask = folder / "t2_SPACE" / "5_t2_SPACE_seg.nii.gz"
    mask.write_bytes(mask.read_bytes()[:200])
    with pytest.raises(InputError, match=r"5_t2_SPACE_seg.nii.gz' .*cut off"):
        next(spider.slabs(folder))


def test_a_broken_picture_is_refused(folder):
    picture = folder / "t2_midsagittal" / "1_t2.png"
    picture.write_bytes(picture.read_bytes()[:40])
    with pytest.raises(InputError, match=r"1_t2.png' cannot be read as a picture: copy it again"):
        list(spider.pictures(folder))


def test_a_picture_without_a_row_in_the_overview_is_refused(folder):
    (folder / "t2_midsagittal" / "1_t2.png").rename(folder / "t2_midsagittal" / "9_t2.png")
    with pytest.raises(InputError, match="no row '9_t2' in the overview table"):
        list(spider.pictures(folder))
