from __future__ import annotations

import pytest
from spine_making import LUMBAR, a_body, a_column

from SpineNetCore.naming import Naming
from SpineNetCore.naming_doubts import naming_doubts

SURE, UNSURE = Naming(LUMBAR, {0: 0.99, -1: 0.01}), Naming(LUMBAR, {0: 0.6, -1: 0.4})


def a_chain(lowest_disc_below_s1, levels=LUMBAR, any_disc_below_s1=None, lowest_disc_above_l5=0.01):
    any_disc = lowest_disc_below_s1 if any_disc_below_s1 is None else any_disc_below_s1
    changes = {
        "S1": {"lowest_disc_below": lowest_disc_below_s1, "disc_below": any_disc},
        "L5": {"lowest_disc_above": lowest_disc_above_l5},
    }
    return [(a_body(shape, **changes.get(shape.level, {})), shape.level) for shape in a_column(levels)]


@pytest.mark.parametrize(("chance", "of_any"), [(0.04, 0.04), (0.5, 1.0)], ids=["bone", "out of the picture"])
def test_a_sure_chain_down_to_a_plain_sacrum_leaves_no_doubt(chance, of_any):
    assert naming_doubts(a_chain(chance, any_disc_below_s1=of_any), SURE) == ()


def test_a_disc_in_the_sacrum_is_told_with_the_other_reading():
    (doubt,) = naming_doubts(a_chain(0.87), SURE)

    assert "A disc shows below the body named S1 (probability 0.87)" in doubt
    assert "lumbarised S1 (L6), or L5" in doubt
    assert "--shift-levels -1 moves them" in doubt


def test_a_disc_above_l5_that_looks_like_the_lowest_is_told_with_the_other_reading():
    (doubt,) = naming_doubts(a_chain(0.04, lowest_disc_above_l5=0.2), SURE)

    assert "The disc above the body named L5 looks like L5-S1, too (probability 0.20)" in doubt
    assert "may be a sacralised L5, or S1 with a disc below it" in doubt
    assert "in the latter case --shift-levels 1 moves them" in doubt


def test_doubtful_names_are_told_once():
    (doubt,) = naming_doubts(a_chain(0.87), UNSURE)

    assert "(probability 0.60)" in doubt
    assert "S1 being L5 (0.40)" in doubt


def test_names_farther_off_than_they_may_be_moved_are_to_be_set_instead():
    (doubt,) = naming_doubts(a_chain(0.04), Naming(LUMBAR, {0: 0.6, -3: 0.4}))

    assert "S1 being L3 (0.40)" in doubt
    assert "--lowest-level sets them" in doubt


def test_levels_counted_without_a_sacrum_are_told():
    (doubt,) = naming_doubts(a_chain(0.04, LUMBAR[:-1]), SURE)

    assert "counted from L5" in doubt
