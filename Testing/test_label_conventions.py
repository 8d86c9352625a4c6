from __future__ import annotations

import pytest
from label_making import SPIDER, SPINEPS, TOTALSEGMENTATOR, TOTALSEGMENTATOR_MR, TOTALSPINESEG

from SpineNetCore.errors import InputError
from SpineNetCore.label_conventions import told_convention


def heights(*values):
    """Values from the head downwards, 30 mm apart."""
    return {value: -30.0 * place for place, value in enumerate(values)}


@pytest.mark.parametrize(
    ("convention", "vertebrae", "discs"),
    [
        (
            TOTALSPINESEG,
            {11: "C1", 28: "T8", 32: "T12", 41: "L1", 45: "L5", 50: "S1"},
            {82: "T11-T12", 91: "T12-L1", 95: "L4-L5", 100: "L5-S1"},
        ),
        (TOTALSEGMENTATOR, {25: "S1", 26: "S1", 27: "L5", 31: "L1", 32: "T12", 36: "T8", 50: "C1"}, {}),
        (TOTALSEGMENTATOR_MR, {1: "S1", 2: "L5", 6: "L1", 7: "T12", 25: "C1"}, {}),
        (
            SPINEPS,
            {1: "C1", 8: "T1", 19: "T12", 20: "L1", 24: "L5", 25: "L6", 26: "S1", 28: "T13"},
            {119: "T12-L1", 123: "L4-L5", 124: "L5-S1"},
        ),
        (SPIDER, {1: "L5", 5: "L1", 6: "T12", 106: "T12"}, {201: "L5-S1", 202: "L4-L5", 206: "T12-L1"}),
    ],
)
def test_values_mean_what_their_authors_say(convention, vertebrae, discs):
    for value, level in vertebrae.items():
        assert convention.vertebrae[value] == level
    for value, level in discs.items():
        assert convention.discs[value] == level


@pytest.mark.parametrize(
    ("present", "convention"),
    [
        (heights(31, 32, 41, 42, 43, 44, 45, 50), TOTALSPINESEG),
        (heights(2, 32, 91, 41, 92, 42, 93, 43), TOTALSPINESEG),
        (heights(33, 32, 31, 30, 29, 28, 27, 26, 25), TOTALSEGMENTATOR),
        (heights(32, 31, 30, 29, 28, 27, 79, 1, 5, 90), TOTALSEGMENTATOR),
        (heights(19, 119, 20, 120, 21, 22, 23, 24, 26), SPINEPS),
        (heights(20, 21, 22, 23, 24, 26), SPINEPS),
        (heights(7, 6, 5, 4, 3, 2, 1, 201), SPIDER),
        (heights(107, 6, 5, 4, 3, 2, 1, 100), SPIDER),
        (heights(12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1), None),
        (heights(7, 6, 5, 4, 3, 2, 1), None),
    ],
)
def test_a_convention_is_told_from_its_values_unless_two_fit(present, convention):
    if convention is None:
        with pytest.raises(InputError, match=r"values 1, 2, 3.*spider or totalsegmentator: say which with --labels"):
            told_convention(present, None, "'map.nii.gz'")
    else:
        assert told_convention(present, None, "'map.nii.gz'") is convention


def test_a_name_settles_what_the_values_leave_open():
    present = heights(7, 6, 5, 4, 3, 2, 1)
    assert told_convention(present, "spider", "") is SPIDER
    assert told_convention(present, "totalsegmentator", "") is TOTALSEGMENTATOR_MR


def test_a_name_allows_values_that_mean_nothing():
    assert told_convention(heights(5, 4, 3, 2, 1, 777), "spider", "") is SPIDER


@pytest.mark.parametrize("present", [heights(300, 301), heights(1, 2, 3, 4, 5), heights(3, 4, 8)])
def test_values_of_no_convention_or_in_no_order_are_refused_with_what_was_seen(present):
    with pytest.raises(InputError, match=rf"'map.nii.gz' holds the values {min(present)}, .*no two lumbar.*--labels"):
        told_convention(present, None, "'map.nii.gz'")


def test_a_wrong_name_is_refused():
    with pytest.raises(InputError, match="spineps knows no lumbar vertebrae in that order; check --labels"):
        told_convention(heights(5, 4, 3, 2, 1), "spineps", "'map.nii.gz'")
