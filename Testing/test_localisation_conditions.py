from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from case_making import a_case, saying, true_spine

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.learning.localisation.cases import OTHER_DISC, Case
from SpineNetCore.learning.localisation.conditions import (
    ALL_CONDITIONS,
    BIAS_RATIO,
    NOISE,
    cut_above_l5_s1,
    cut_below_t12_l1,
    middle_slice,
    noisy,
    thick_slices,
    turned,
    unevenly_lit,
)
from SpineNetCore.learning.localisation.measures import measured
from SpineNetCore.scan import mapped


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def in_plane(case: Case, level: str) -> np.ndarray:
    return mapped(case.scan.ijk_from_ras, case.centre(level))[1:]


@pytest.mark.parametrize("condition", ALL_CONDITIONS, ids=lambda condition: condition.title)
def test_the_truth_itself_is_found_named_and_exact_under_every_condition(condition, rng: np.random.Generator) -> None:
    case = condition.change(a_case(slices=8), rng)
    outcome, _ = measured(case, saying(true_spine(case)), condition.title)
    assert outcome.found == outcome.named == len(case.levels) >= 4
    assert outcome.false == ()
    assert [disc.centre_error_mm for disc in outcome.discs] == pytest.approx([0] * len(case.levels), abs=1e-6)
    assert max(outcome.corner_errors_mm) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("angle_deg", [-20, -10, 10, 20])
def test_scan_masks_and_points_turn_together(angle_deg: float, rng: np.random.Generator) -> None:
    case = turned(a_case(), rng, angle_deg)
    masks_only = replace(case, known_centres=None)
    original = a_case()
    for level in case.levels:
        expected = replace(original, known_centres=None).centre(level) - original.centre(level)
        assert np.linalg.norm(masks_only.centre(level) - case.centre(level)) == pytest.approx(
            np.linalg.norm(expected), abs=0.3
        )
    bright = case.scan.voxels > 50
    overlap = (bright & (case.discs > 0)).sum() / (bright | (case.discs > 0)).sum()
    assert overlap > 0.9


def test_a_turn_moves_the_top_of_the_spine_by_its_angle(rng: np.random.Generator) -> None:
    before, after = a_case(), turned(a_case(), rng, 10)
    spacing = np.array(before.scan.spacing_mm[1:])
    middle = (np.array(before.discs.shape[1:]) - 1) / 2
    for level in after.levels:
        old, new = ((in_plane(case, level) - middle) * spacing for case in (before, after))
        cross, dot = old[0] * new[1] - old[1] * new[0], old @ new
        assert abs(np.rad2deg(np.arctan2(cross, dot))) == pytest.approx(10, abs=1e-6)


def test_a_turn_and_its_undo_cancel(rng: np.random.Generator) -> None:
    before = a_case()
    after = turned(turned(before, rng, 10), rng, -10)
    assert after.levels == before.levels
    for level in before.levels:
        assert after.centre(level) == pytest.approx(before.centre(level))
    for old, new in zip(before.vertebrae, after.vertebrae, strict=True):
        assert new.corners_ras_mm == pytest.approx(old.corners_ras_mm)
    assert ((after.discs > 0) == (before.discs > 0)).mean() > 0.99


def test_what_a_turn_carries_out_of_the_picture_is_not_asked_for(rng: np.random.Generator) -> None:
    case = a_case()
    narrow = replace(
        case,
        scan=replace(case.scan, voxels=case.scan.voxels[:, :, :100].copy()),
        discs=case.discs[:, :, :100].copy(),
    )
    assert "L5-S1" in narrow.levels
    lost = set(narrow.levels) - set(turned(narrow, rng, 20).levels) | set(narrow.levels) - set(
        turned(narrow, rng, -20).levels
    )
    assert lost


def test_a_cut_above_l5_s1_takes_the_disc_and_the_sacrum_and_leaves_the_others_in_place(rng) -> None:
    before, after = a_case(), cut_above_l5_s1(a_case(), rng)
    assert after is not None
    assert after.levels == before.levels[:-1]
    assert [vertebra.level for vertebra in after.vertebrae][-1] in ("L4", "L5")
    for level in after.levels:
        assert replace(after, known_centres=None).centre(level) == pytest.approx(
            replace(before, known_centres=None).centre(level)
        )


def test_a_cut_below_t12_l1_takes_that_disc_and_leaves_the_others_in_place(rng) -> None:
    before, after = a_case(), cut_below_t12_l1(a_case(), rng)
    assert after is not None
    assert after.levels == before.levels[1:]
    assert after.scan.voxels.shape[1] < before.scan.voxels.shape[1]
    for level in after.levels:
        assert replace(after, known_centres=None).centre(level) == pytest.approx(
            replace(before, known_centres=None).centre(level)
        )


def test_a_disc_that_the_cut_goes_through_is_there_but_not_asked_for(rng) -> None:
    case = a_case()
    rows = np.nonzero((case.discs == DISC_LEVELS.index("L4-L5") + 1).any(axis=(0, 2)))[0]
    discs = case.discs.copy()
    discs[:, rows.max() - 1, 5] = DISC_LEVELS.index("L5-S1") + 1  # L5-S1 reaches up beside L4-L5
    after = cut_above_l5_s1(replace(case, discs=discs), rng)
    assert after is not None
    assert "L4-L5" not in after.levels
    assert OTHER_DISC in after.discs


def test_a_scan_without_the_disc_to_cut_at_has_no_such_condition(rng) -> None:
    case = a_case(levels=("L1", "L2", "L3", "L4", "L5"))
    assert cut_above_l5_s1(case, rng) is None
    assert cut_below_t12_l1(case, rng) is None


def test_thick_slices_keep_a_disc_where_at_least_half_of_their_voxels_were_its(rng) -> None:
    case = a_case(slices=8)
    thin = replace(case.scan, ras_from_ijk=case.scan.ras_from_ijk @ np.diag([0.25, 1, 1, 1]))  # 1 mm apart
    discs = case.discs.copy()
    discs[:3] = 0
    discs[4:6] = 0
    thick = thick_slices(replace(case, scan=thin, discs=discs), rng)
    assert thick.scan.spacing_mm[0] == pytest.approx(4)
    assert thick.discs.shape == thick.scan.voxels.shape
    assert not thick.discs[0].any()  # one of four
    assert np.array_equal(thick.discs[1], case.discs[0])  # two of four


def test_the_middle_slice_stays_where_it_was(rng) -> None:
    before, after = a_case(), middle_slice(a_case(), rng)
    assert after.scan.voxels.shape[0] == 1
    assert mapped(after.scan.ras_from_ijk, np.zeros(3)) == pytest.approx(
        mapped(before.scan.ras_from_ijk, np.array([2.0, 0, 0]))
    )
    assert after.levels == before.levels


def test_noise_is_a_tenth_of_the_bright_end_and_never_negative(rng) -> None:
    case = a_case()
    bright = replace(case, scan=replace(case.scan, voxels=np.full_like(case.scan.voxels, 200)))
    voxels = noisy(bright, rng).scan.voxels
    assert voxels.std() == pytest.approx(NOISE * 200, rel=0.02)
    assert noisy(case, rng).scan.voxels.min() >= 0


def test_the_bias_field_is_as_strong_as_it_says(rng) -> None:
    case = a_case()
    even = replace(case, scan=replace(case.scan, voxels=np.ones_like(case.scan.voxels)))
    voxels = unevenly_lit(even, rng).scan.voxels
    assert voxels.max() / voxels.min() == pytest.approx(BIAS_RATIO, rel=1e-3)
    assert np.abs(np.diff(voxels, axis=1)).max() < 0.1


def test_random_conditions_repeat_with_the_same_generator() -> None:
    for change in (noisy, unevenly_lit):
        first, again, other = (change(a_case(), np.random.default_rng(k)).scan.voxels for k in (3, 3, 4))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
