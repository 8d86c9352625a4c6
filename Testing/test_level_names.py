from __future__ import annotations

import pytest

from SpineNetCore.errors import InputError
from SpineNetCore.level_names import chosen_levels, disc_named


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("L4-L5", "L4-L5"),
        ("l4/5", "L4-L5"),
        (" L4 L5 ", "L4-L5"),
        ("L5/S1", "L5-S1"),
        ("L5S1", "L5-S1"),
        ("L5-S", "L5-S1"),
        ("disc_L1_L2", "L1-L2"),
        ("Th12/L1", "T12-L1"),
        ("D12-L1", "T12-L1"),
        ("T11–T12", "T11-T12"),
    ],
)
def test_a_disc_is_known_by_any_sensible_spelling(text, level):
    assert disc_named(text) == level


@pytest.mark.parametrize("text", ["", "L4", "L4-L6", "L5-L4", "L3-L5", "S1-S2", "F-1", "L4-L5 protrusion", "T12-1"])
def test_what_names_no_disc_is_none(text):
    assert disc_named(text) is None


def test_levels_may_be_asked_for_in_any_order_and_twice():
    assert chosen_levels("L5-S1, l3/4,L5/S1") == ("L3-L4", "L5-S1")


@pytest.mark.parametrize(("text", "quoted"), [("L4-L5,L9", "'L9'"), ("T11-T12", "'T11-T12'"), ("", "''")])
def test_a_level_that_is_not_graded_is_refused_with_the_six_to_choose_from(text, quoted):
    with pytest.raises(InputError, match=r"T12-L1, .*L5-S1") as refused:
        chosen_levels(text)
    assert quoted in str(refused.value)
