from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from SpineNetCore.anatomy import Disc, Vertebra
from SpineNetCore.detection import Reading
from SpineNetCore.disc_centring import centred
from SpineNetCore.localisation import discs_between
from SpineNetCore.scan import Scan, mapped

RAS_FROM_IJK = np.array([[-4.0, 0, 0, 8], [0, 0, -0.5, 40], [0, -0.5, 0, 50], [0, 0, 0, 1]])


@pytest.fixture
def scan() -> Scan:
    return Scan(np.zeros((5, 200, 160), np.float32), RAS_FROM_IJK, "a scan")


@pytest.fixture
def disc(scan: Scan) -> Disc:
    upper = Vertebra(
        "L3", mapped(RAS_FROM_IJK, np.array([[2, 20, 40], [2, 20, 110], [2, 80, 110], [2, 80, 40]], float)), 20, 1
    )
    lower = Vertebra(
        "L4", mapped(RAS_FROM_IJK, np.array([[2, 96, 40], [2, 96, 110], [2, 150, 110], [2, 150, 40]], float)), 20, 1
    )
    return discs_between((upper, lower), scan)[0]


def reading_with_disc(rows_mm: slice, columns_mm: slice = slice(20, 56)) -> Reading:
    """By default the tissue reaches from the front of the bodies to their back."""
    chance = np.zeros((5, 100, 80), np.float32)
    chance[:, rows_mm, columns_mm] = 1
    return Reading((), chance, None, 0.0, None)


def test_a_centre_moves_to_mid_height_of_the_tissue(scan: Scan, disc: Disc) -> None:
    assert mapped(scan.ijk_from_ras, disc.centre_ras_mm)[1] / 2 == pytest.approx(44)
    moved = centred(disc, reading_with_disc(slice(44, 49)), scan)
    assert mapped(scan.ijk_from_ras, moved.centre_ras_mm)[1] / 2 == pytest.approx(46, abs=0.3)


@pytest.mark.parametrize(
    ("columns_mm", "middle_mm"), [(slice(20, 56), 37.5), (slice(14, 56), 34.5), (slice(22, 60), 40.5)]
)
def test_a_centre_moves_to_the_middle_of_the_tissue_from_front_to_back(
    scan: Scan, disc: Disc, columns_mm: slice, middle_mm: float
) -> None:
    moved = centred(disc, reading_with_disc(slice(42, 46), columns_mm), scan)
    assert mapped(scan.ijk_from_ras, moved.centre_ras_mm)[2] / 2 == pytest.approx(middle_mm, abs=0.3)


def test_it_goes_no_farther_than_a_fifth_of_the_width(scan: Scan, disc: Disc) -> None:
    moved = centred(disc, reading_with_disc(slice(42, 46), slice(37, 80)), scan)
    assert (moved.centre_ras_mm - disc.centre_ras_mm) @ disc.posterior == pytest.approx(disc.width_mm / 5, abs=0.01)


def test_it_never_leaves_its_slice_and_keeps_its_frame(scan: Scan, disc: Disc) -> None:
    moved = centred(disc, reading_with_disc(slice(41, 45), slice(10, 50)), scan)
    assert (moved.centre_ras_mm - disc.centre_ras_mm) @ disc.left == pytest.approx(0, abs=1e-9)
    assert moved == replace(disc, centre_ras_mm=moved.centre_ras_mm)


def test_without_tissue_it_stays(scan: Scan, disc: Disc) -> None:
    assert centred(disc, Reading((), np.zeros((5, 100, 80), np.float32), None, 0.0, None), scan) is disc


def test_tissue_of_another_disc_does_not_pull(scan: Scan, disc: Disc) -> None:
    assert centred(disc, reading_with_disc(slice(70, 80)), scan) is disc
