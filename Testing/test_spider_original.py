from __future__ import annotations

import logging

import numpy as np
import pytest
from spider_making import BODY_TOPS, CORNERS, ORIGINAL_MM, examples_of, write_original_spider, write_spider

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.label_conventions import SPIDER_LABELS
from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.datasets.masks import read_mask
from SpineNetCore.learning.datasets.spider import reduced_scans
from SpineNetCore.learning.datasets.spider_original import original_scans, spider_scans
from SpineNetCore.learning.disc_examples import cut_discs
from SpineNetCore.scan import mapped
from SpineNetCore.scan_files import read_scan
from SpineNetCore.spine_labels import spine_from_labels
from SpineNetCore.vertebra_network import VertebraNetwork

PIXELS_MM = np.array(ORIGINAL_MM[1:])


@pytest.fixture
def folder(tmp_path):
    return write_original_spider(tmp_path)


def test_clear_t2_series_become_scans_with_their_masks_and_kept_out_patients_are_for_testing(folder):
    scans = original_scans(folder)

    assert [(scan.patient, scan.image.path.name, scan.split) for scan in scans] == [
        ("3", "3_t2.mha", None),
        ("12", "12_t2.mha", Split.TEST),
    ]
    assert all(scan.image.mask.parent.name == "masks" for scan in scans)
    assert set(scans[0].labels) == {"L2-L3", "L3-L4", "L4-L5", "L5-S1"}
    assert scans[0].labels["L2-L3"].grades[Task.PFIRRMANN] == {4}


def test_spiders_own_validation_subset_is_for_testing(folder):
    overview = folder / "overview.csv"
    overview.write_text(overview.read_text("utf-8").replace("3_t2,4,4,M,,training", "3_t2,4,4,M,,validation"))

    scans = original_scans(folder)

    assert [scan.split for scan in scans] == [Split.TEST, Split.TEST]
    assert [scan.is_reserved for scan in scans] == [True, False]


def test_what_is_left_out_is_said(folder, caplog):
    (folder / "images" / "99_t2.mha").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        original_scans(folder)

    assert [record.getMessage() for record in caplog.records] == [
        "left out 99_t2: the overview has no row of it",
        f"left out 3_t2_SPACE: '{folder / 'images' / '3_t2_SPACE.mha'}' does not exist",
        "left out 7_t2: 4 discs on its mask, 5 graded",
    ]


def test_the_layouts_are_told_apart_by_what_is_there(folder, tmp_path_factory):
    reduced = write_spider(tmp_path_factory.mktemp("reduced"))

    assert spider_scans(folder) == original_scans(folder)
    assert spider_scans(reduced) == reduced_scans(reduced)
    with pytest.raises(InputError, match="is no SPIDER folder"):
        spider_scans(folder / "images")


def test_bodies_of_a_mask_have_the_corners_that_were_drawn(folder):
    for scan_file in (graded.image for graded in original_scans(folder)):
        scan = read_scan(scan_file.path)
        spine = spine_from_labels(scan_file.mask, scan, SPIDER_LABELS)

        assert [vertebra.level for vertebra in spine.vertebrae] == ["L2", "L3", "L4", "L5", "S1"]
        for vertebra, drawn in zip(spine.vertebrae, CORNERS, strict=False):
            pixels = mapped(scan.ijk_from_ras, vertebra.corners_ras_mm)
            assert np.abs((pixels[:, 1:] - drawn) * PIXELS_MM).max() < 2.0
            assert pixels[:, 0] == pytest.approx(1.0, abs=1e-6)
            assert vertebra.half_width_mm == pytest.approx(6.0)


def test_s1_lies_below_the_lowest_disc(folder):
    image = original_scans(folder)[0].image
    scan = read_scan(image.path)
    sacrum = spine_from_labels(image.mask, scan, SPIDER_LABELS).vertebrae[-1]
    pixels = mapped(scan.ijk_from_ras, sacrum.corners_ras_mm)[:, 1:]
    top = BODY_TOPS[-1] + 26 + 10

    assert np.abs(pixels[:2, 0] - top).max() < 3
    assert (pixels[2:, 0] - top).min() > 15
    assert pixels[1, 1] - pixels[0, 1] > pixels[2, 1] - pixels[3, 1] > 10


def test_both_intensity_conventions_and_orientations_give_the_same_discs(folder):
    plain, shifted = (cut_discs(scan, VertebraNetwork()) for scan in original_scans(folder))

    assert [disc.level for disc in plain] == ["L2-L3", "L3-L4", "L4-L5", "L5-S1"]
    for one, other in zip(plain, shifted, strict=True):
        assert one.first == other.first
        shown = (one.slices > 0) & (other.slices > 0)
        assert shown.mean() > 0.3
        assert np.abs(one.slices.astype(int) - other.slices)[shown].mean() < 6


def test_discs_of_the_original_layout_become_examples(folder):
    detector = VertebraNetwork()

    assert [e.patient for e in examples_of(folder, detector, kept_out=False)] == ["3"] * 4
    assert [e.patient for e in examples_of(folder, detector, kept_out=True)] == ["12"] * 4


def test_a_truncated_mask_is_refused(folder):
    mask = folder / "masks" / "3_t2.mha"
    mask.write_bytes(mask.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"masks/3_t2.mha' .*cut off"):
        examples_of(folder, VertebraNetwork(), kept_out=False)


def test_a_missing_mask_is_refused(folder):
    (folder / "masks" / "3_t2.mha").unlink()
    with pytest.raises(InputError, match=r"masks/3_t2.mha' does not exist: put a mask of the same name"):
        original_scans(folder)


def test_a_mask_of_another_grid_is_refused(folder):
    scan = read_scan(folder / "images" / "3_t2.mha")
    with pytest.raises(InputError, match=r"12_t2.mha' has .* voxels and its scan '3_t2' has 3 x 130 x 216: resample"):
        read_mask(folder / "masks" / "12_t2.mha", scan)


def test_a_folder_without_graded_images_is_refused(folder):
    for image in (folder / "images").iterdir():
        image.unlink()
    with pytest.raises(InputError, match=r"holds no images/<patient>_t2.mha that is graded"):
        original_scans(folder)
