from __future__ import annotations

import numpy as np
import pytest
import torch
from spine_making import GAP_MM, LUMBAR, WIDTH_MM, PerfectNetwork, a_column, an_empty_scan, in_space, vertebrae_of

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS
from SpineNetCore.errors import InputError
from SpineNetCore.localisation import discs_between, find_spine
from SpineNetCore.naming import Naming

CPU = torch.device("cpu")
TURNS = [(0.0, 0.0, 0.0), (12.0, -9.0, 15.0), (-20.0, 10.0, -5.0)]


def spine_found(scan, slices):
    return find_spine(scan, PerfectNetwork(slices), CPU)


@pytest.mark.parametrize("turn_deg", TURNS)
@pytest.mark.parametrize(("slices", "spacing_mm"), [(5, (4.4, 0.6, 0.6)), (3, (4.0, 1.3, 0.8)), (1, (4.0, 0.9, 0.7))])
def test_a_straight_column_is_found_where_it_is(turn_deg, slices, spacing_mm):
    scan = an_empty_scan(slices, spacing_mm, turn_deg)
    column = a_column()
    spine = spine_found(scan, [column] * slices)

    assert [vertebra.level for vertebra in spine.vertebrae] == list(LUMBAR)
    for vertebra, truth in zip(spine.vertebrae, vertebrae_of(scan, column), strict=True):
        assert np.linalg.norm(vertebra.corners_ras_mm - truth.corners_ras_mm, axis=1).max() < 1.0
        assert vertebra.half_width_mm == pytest.approx(slices * spacing_mm[0] / 2)
        assert vertebra.confidence > 0.9
    assert [disc.level for disc in spine.discs] == list(DISC_LEVELS)
    assert spine.naming_doubts == ()


def test_a_slanted_column_is_found_body_by_body_on_its_own_middle_plane():
    scan = an_empty_scan(slices=10, spacing_mm=(4.0, 0.9, 0.9), turn_deg=(5, 5, -10))
    column = a_column()
    first = {shape.level: k // 2 for k, shape in enumerate(column)}
    slices = [[shape for shape in column if first[shape.level] <= k <= first[shape.level] + 6] for k in range(10)]
    spine = spine_found(scan, slices)

    assert [vertebra.level for vertebra in spine.vertebrae] == list(LUMBAR)
    for vertebra, shape in zip(spine.vertebrae, column, strict=True):
        truth = in_space(scan, shape.corners_mm, first[shape.level] + 3)
        assert np.linalg.norm(vertebra.corners_ras_mm - truth, axis=1).max() < 1.0


@pytest.mark.parametrize("seen", [[], LUMBAR[:2]])
def test_a_scan_without_a_spine_is_refused_by_name(seen):
    scan = an_empty_scan(slices=3)

    with pytest.raises(InputError, match=r"'a scan'.*choose a T2-weighted sagittal series"):
        spine_found(scan, [a_column(seen) if seen else []] * 3)


def test_progress_counts_the_slices():
    counts = []
    scan = an_empty_scan(slices=3)
    find_spine(scan, PerfectNetwork([a_column()] * 3), CPU, lambda *count: counts.append(count))

    assert counts == [(1, 3), (2, 3), (3, 3)]


def test_a_scan_that_ends_above_the_sacrum_says_so():
    spine = spine_found(an_empty_scan(slices=3), [a_column()[:-1]] * 3)

    assert [vertebra.level for vertebra in spine.vertebrae] == list(LUMBAR[:-1])
    assert any("counted from L5" in warning for warning in spine.warnings)
    assert spine.disc("L5-S1") is None
    assert spine.reason_for_absence("L5-S1").startswith("S1 not found")


def test_a_missed_vertebra_takes_two_discs_with_it_and_the_reason_names_it():
    seen = [shape for shape in a_column() if shape.level != "L3"]
    spine = spine_found(an_empty_scan(slices=3), [seen] * 3)

    assert [disc.level for disc in spine.discs] == ["T12-L1", "L1-L2", "L4-L5", "L5-S1"]
    for level in ("L2-L3", "L3-L4"):
        assert spine.disc(level) is None
        assert spine.reason_for_absence(level).startswith("L3 not found")
    assert spine.disc("L4-L5").level == "L4-L5"


def test_l5_and_the_sacrum_alone_still_give_their_disc():
    spine = spine_found(an_empty_scan(slices=3), [a_column()[-2:]] * 3)

    assert [disc.level for disc in spine.discs] == ["L5-S1"]
    assert spine.reason_for_absence("L4-L5").startswith("L4 not found")


def test_names_without_evidence_come_with_a_warning():
    spine = spine_found(an_empty_scan(slices=3), [a_column()[:4]] * 3)

    assert spine.naming_confidence < 0.9
    doubt = next(warning for warning in spine.warnings if "uncertain" in warning)
    assert doubt in spine.naming_doubts
    assert f"(probability {spine.naming_confidence:.2f})" in doubt
    shift = sorted(spine.shifts, key=spine.shifts.get)[-2]
    lowest = spine.vertebrae[-1].level
    assert f"{lowest} being {VERTEBRA_LEVELS[VERTEBRA_LEVELS.index(lowest) + shift]}" in doubt
    assert f"--shift-levels {shift} moves them" in doubt
    assert sum(spine.shifts.values()) == pytest.approx(1)


@pytest.mark.parametrize("turn_deg", TURNS)
def test_the_frame_of_a_disc_is_orthonormal_and_points_back_down_and_left(turn_deg):
    scan = an_empty_scan(slices=5, turn_deg=turn_deg)
    left, feet, back = (scan.ras_from_ijk[:3, axis] / scan.spacing_mm[axis] for axis in range(3))

    for disc in discs_between(vertebrae_of(scan, a_column()), scan):
        frame = np.stack([disc.left, disc.inferior, disc.posterior])
        assert np.allclose(frame @ frame.T, np.eye(3))
        assert np.allclose(disc.left, left)
        assert disc.posterior @ back > 0.7
        assert disc.inferior @ feet > 0.7
        to_lower = disc.lower.centre_ras_mm - disc.upper.centre_ras_mm
        to_rear = disc.lower.corners_ras_mm[1] - disc.lower.corners_ras_mm[0]
        assert disc.inferior @ to_lower > 0.95 * np.linalg.norm(to_lower)
        assert disc.posterior @ to_rear > 0.95 * np.linalg.norm(to_rear)


def test_a_disc_lies_halfway_between_its_bodies_and_is_as_large_as_the_gap():
    scan = an_empty_scan(slices=5, turn_deg=TURNS[1])

    for disc in discs_between(vertebrae_of(scan, a_column()), scan):
        above, below = disc.upper.corners_ras_mm[2:].mean(axis=0), disc.lower.corners_ras_mm[:2].mean(axis=0)
        assert np.allclose(disc.centre_ras_mm, (above + below) / 2)
        assert disc.width_mm == pytest.approx(WIDTH_MM)
        assert disc.height_mm == pytest.approx(GAP_MM, rel=0.03)


def test_only_neighbours_share_a_disc_and_only_the_lumbar_ones_are_graded():
    scan = an_empty_scan(slices=5)
    whole = vertebrae_of(scan, a_column(("T11", *LUMBAR), top_mm=(0.0, 60.0)))

    assert [disc.level for disc in discs_between(whole, scan)] == list(DISC_LEVELS)
    assert [disc.level for disc in discs_between((whole[0], *whole[3:6], whole[7]), scan)] == ["L2-L3", "L3-L4"]
    assert discs_between((), scan) == ()


def test_a_chain_that_may_lie_lower_than_the_sacrum_is_told_by_the_body_above(monkeypatch):
    naming = Naming(LUMBAR, {0: 0.6, 1: 0.4})
    monkeypatch.setattr("SpineNetCore.column.name_bodies", lambda *_where: naming)
    spine = spine_found(an_empty_scan(slices=3), [a_column()] * 3)

    assert any("towards the feet, L5 being S1 (0.40)" in warning for warning in spine.warnings)
