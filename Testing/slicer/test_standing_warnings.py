"""What the panel makes of the doubts that the core writes down."""

from __future__ import annotations

import pytest
from spine_making import LUMBAR, a_body, a_column

from SpineNetCore.naming import Naming
from SpineNetCore.naming_doubts import naming_doubts
from SpineNetLib.standing_warnings import standing_warnings, with_buttons


def doubts_about(shift: int, levels: tuple[str, ...] = LUMBAR) -> tuple[str, ...]:
    chain = [(a_body(shape), shape.level) for shape in a_column(levels)]
    return naming_doubts(chain, Naming(levels, {0: 0.6, shift: 0.4}))


@pytest.mark.parametrize(
    ("shift", "remedy"),
    [
        (-1, "'All levels: One up' moves them."),
        (1, "'All levels: One down' moves them."),
        (2, "'All levels: One down', pressed 2 times, moves them."),
        (-3, "the command line's --lowest-level sets them."),
    ],
)
def test_names_in_doubt_are_put_right_by_what_the_panel_has(shift, remedy):
    (warning,) = with_buttons(standing_warnings(doubts_about(shift), moved=0))
    assert warning.endswith(f"Check them on the picture; {remedy}")
    assert "--shift-levels" not in warning


def test_a_doubt_is_over_once_the_names_were_moved_and_other_warnings_stay():
    assert standing_warnings((*doubts_about(1), "The contrast looks like T1."), moved=1) == (
        "The contrast looks like T1.",
    )


def test_without_a_sacrum_all_doubts_about_names_are_over_once_they_were_moved():
    doubts = doubts_about(1, LUMBAR[:-1])
    assert len(doubts) == 2
    assert standing_warnings(doubts, moved=0) == doubts
    assert standing_warnings(doubts, moved=1) == ()
