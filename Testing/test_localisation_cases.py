from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from spider_making import SLABS, drawn_mask, drawn_slab, write_spider

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.learning.datasets.spider import MASK_DISC, slab_patients
from SpineNetCore.learning.localisation.cases import OTHER_DISC, phantom_case, read_slab_case, slab_case
from SpineNetCore.learning.phantom import Phantom, PhantomLabel, simulate
from SpineNetCore.scan import mapped


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return simulate(np.random.default_rng(4))


def test_the_lowest_disc_of_a_slab_is_l5_s1_and_the_others_count_upwards() -> None:
    case = slab_case(drawn_slab(drawn_mask()))
    rows = {number: np.argwhere(case.discs == number)[:, 1].mean() for number in np.unique(case.discs) if number}
    assert case.levels == DISC_LEVELS[-4:]
    assert sorted(rows, key=lambda number: rows[number]) == sorted(rows)


def test_a_disc_worn_through_in_the_middle_stays_one_disc() -> None:
    slab = drawn_slab(drawn_mask())
    whole = slab_case(slab).discs
    mask = slab.mask.copy()
    columns = np.nonzero((mask == MASK_DISC).any(axis=(0, 1)))[0]
    mask[:, :, int(columns.mean())][mask[:, :, int(columns.mean())] == MASK_DISC] = 0
    split = slab_case(replace(slab, mask=mask)).discs
    assert np.array_equal(split, whole * (mask == MASK_DISC))


def test_a_speck_below_the_lowest_disc_takes_no_name() -> None:
    slab = drawn_slab(drawn_mask())
    mask = slab.mask.copy()
    mask[1, 205:210, 40:50] = MASK_DISC
    case = slab_case(replace(slab, mask=mask))
    assert set(np.unique(case.discs[mask != slab.mask])) == {OTHER_DISC}
    assert np.array_equal(case.discs[mask == slab.mask], slab_case(slab).discs[mask == slab.mask])


def test_the_centre_of_a_mask_is_the_mean_of_its_mid_slice() -> None:
    slab = drawn_slab(drawn_mask())
    mask = slab.mask.copy()
    lowest = np.argwhere(mask == MASK_DISC)[:, 1].max()
    mask[0, lowest - 4 : lowest + 1] = 0  # what other slices hold does not matter
    case = slab_case(replace(slab, mask=mask))
    row, column = np.argwhere(slab_case(slab).discs[1] == len(DISC_LEVELS)).mean(axis=0)
    assert mapped(case.scan.ijk_from_ras, case.centre("L5-S1")) == pytest.approx([1, row, column])


def test_every_true_centre_of_a_phantom_lies_in_its_own_disc(phantom: Phantom) -> None:
    truth = phantom_case(phantom, "a phantom").discs
    for disc in phantom.discs:
        place = tuple(np.rint(mapped(phantom.scan.ijk_from_ras, disc.centre_ras_mm)).astype(int))
        expected = DISC_LEVELS.index(disc.level) + 1 if disc.level in DISC_LEVELS else OTHER_DISC
        assert truth[place] == expected


def test_a_disc_that_the_truth_does_not_list_is_nobodys_rather_than_its_neighbours(phantom: Phantom) -> None:
    all_listed = phantom_case(phantom, "a phantom").discs
    levels = [disc.level for disc in phantom.discs]
    topmost = levels.index("T12-L1")
    unlisted = phantom_case(replace(phantom, discs=phantom.discs[topmost + 1 :]), "a phantom").discs
    assert set(np.unique(unlisted[all_listed == 1])) == {OTHER_DISC}
    others = (all_listed > 1) & (all_listed < OTHER_DISC)
    assert np.array_equal(unlisted[others], all_listed[others])
    assert np.array_equal(unlisted > 0, phantom.labels == PhantomLabel.DISC)


def test_a_slab_of_the_copy_is_read_by_its_patients_number(tmp_path: Path) -> None:
    folder = write_spider(tmp_path)
    assert slab_patients(folder) == SLABS
    assert [read_slab_case(folder, patient).patient for patient in SLABS] == [str(patient) for patient in SLABS]
