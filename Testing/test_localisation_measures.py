from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from case_making import a_case, edge_below_centre_mm, saying, shifted_by_a_level, true_spine, with_disc_moved

from SpineNetCore.errors import InputError
from SpineNetCore.learning.localisation.cases import OTHER_DISC, phantom_case, without
from SpineNetCore.learning.localisation.measures import SLACK_MM, measured
from SpineNetCore.learning.phantom import PhantomSettings, simulate
from SpineNetCore.localisation import NAMED_BY_READER, Spine, discs_between
from SpineNetCore.scan import Scan


def test_a_perfect_finder_finds_and_names_all_without_error() -> None:
    case = a_case()
    outcome, _ = measured(case, saying(true_spine(case)), "as is")
    assert outcome.found == outcome.named == len(outcome.discs) == 6
    assert outcome.false == outcome.missed == outcome.misnamed == ()
    assert not outcome.is_failure
    assert max(disc.centre_error_mm for disc in outcome.discs) == pytest.approx(0, abs=1e-9)
    assert max(disc.lateral_error_mm for disc in outcome.discs) == pytest.approx(0, abs=1e-9)
    assert len(outcome.corner_errors_mm) == 26
    assert len(outcome.s1_lower_errors_mm) == 2
    assert max(outcome.corner_errors_mm + outcome.s1_lower_errors_mm) == pytest.approx(0, abs=1e-9)


def test_a_phantoms_own_truth_is_found_and_named_without_fault() -> None:
    phantom = simulate(np.random.default_rng(4), PhantomSettings(slices=(3, 3), few_slices_probability=0))
    case = phantom_case(phantom, "a phantom")
    spine = Spine(phantom.vertebrae, discs_between(phantom.vertebrae, phantom.scan), NAMED_BY_READER, ())
    outcome, _ = measured(case, saying(spine), "as is")
    assert outcome.named == len(case.levels)
    assert outcome.false == ()


def test_names_off_by_a_level_are_found_and_none_rightly_named() -> None:
    case = a_case()
    outcome, _ = measured(case, saying(shifted_by_a_level(case)), "as is")
    assert outcome.named == 0
    assert outcome.found == 5
    assert ("L4-L5", "L5-S1") in outcome.misnamed
    assert outcome.false == ()
    assert max(disc.centre_error_mm for disc in outcome.discs if disc.is_found) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("beyond_mm", "found"), [(SLACK_MM - 0.4, True), (SLACK_MM + 1.0, False)])
def test_a_centre_is_in_its_disc_up_to_the_slack_and_no_farther(beyond_mm: float, found: bool) -> None:
    case = a_case()
    down_mm = edge_below_centre_mm(case, "L2-L3") + beyond_mm
    spine = with_disc_moved(true_spine(case), "L2-L3", down_mm)
    outcome, _ = measured(case, saying(spine), "as is")
    assert outcome.found == outcome.named == (6 if found else 5)
    assert outcome.false == (() if found else ("L2-L3",))
    moved = next(disc for disc in outcome.discs if disc.level == "L2-L3")
    assert (moved.centre_error_mm == pytest.approx(down_mm)) if found else np.isnan(moved.centre_error_mm)


def test_a_centre_in_a_disc_that_nobody_asks_for_is_neither_found_nor_false() -> None:
    case = without(a_case(), frozenset({"T12-L1"}))
    assert OTHER_DISC in case.discs
    outcome, _ = measured(case, saying(true_spine(a_case())), "as is")
    assert len(outcome.discs) == outcome.named == 5
    assert outcome.false == ()


def test_a_disc_from_nowhere_is_false() -> None:
    case = a_case()
    nothing = replace(case, discs=np.zeros_like(case.discs))
    outcome, _ = measured(nothing, saying(true_spine(case)), "as is")
    assert outcome.discs == ()
    assert len(outcome.false) == 6


def test_errors_across_slices_are_told_apart_from_those_within_them() -> None:
    case = a_case()
    spine = true_spine(case)
    aside = tuple(replace(disc, centre_ras_mm=disc.centre_ras_mm + 3 * disc.left) for disc in spine.discs)
    outcome, _ = measured(case, saying(replace(spine, discs=aside)), "as is")
    assert [disc.lateral_error_mm for disc in outcome.discs] == pytest.approx([3] * 6)
    assert [disc.centre_error_mm for disc in outcome.discs] == pytest.approx([0] * 6, abs=1e-9)


def test_corner_errors_are_those_of_the_body_at_that_place_whatever_it_is_called() -> None:
    case = a_case()
    down = case.scan.ras_from_ijk[:3, 1] / case.scan.spacing_mm[1]
    spine = shifted_by_a_level(case)
    bodies = tuple(replace(body, corners_ras_mm=body.corners_ras_mm + 2 * down) for body in spine.vertebrae)
    outcome, _ = measured(case, saying(replace(spine, vertebrae=bodies)), "as is")
    assert outcome.corner_errors_mm == pytest.approx([2] * 24)
    assert outcome.s1_lower_errors_mm == ()


def test_a_refused_scan_has_all_its_discs_missed_and_tells_the_reason() -> None:
    def refuse(scan: Scan) -> Spine:
        raise InputError(f"No lumbar spine was found on {scan.name!r}.")

    outcome, spine = measured(a_case(), refuse, "as is")
    assert spine is None
    assert (len(outcome.discs), outcome.found, outcome.false) == (6, 0, ())
    assert outcome.refusal == "No lumbar spine was found on 'a scan'."
    assert outcome.is_failure


@pytest.mark.parametrize(("shifts", "right"), [({0: 0.6, -1: 0.3, 1: 0.1}, True), ({0: 0.6, -1: 0.1, 1: 0.3}, False)])
def test_the_second_reading_of_a_scan_named_one_level_too_low_is_right_when_it_is_one_higher(
    shifts: dict[int, float], right: bool
) -> None:
    case = a_case()
    outcome, _ = measured(case, saying(replace(shifted_by_a_level(case), shifts=shifts)), "as is")
    assert outcome.confidence == 0.6
    assert outcome.runner_up == max(((k, p) for k, p in shifts.items() if k), key=lambda other: other[1])
    assert outcome.is_second_right is right


def test_names_that_are_right_need_no_second_reading() -> None:
    case = a_case()
    outcome, _ = measured(case, saying(replace(true_spine(case), shifts={0: 0.6, 1: 0.4})), "as is")
    assert not outcome.is_second_right
