from __future__ import annotations

import numpy as np
import pytest
import torch
from spine_making import GAP_MM, HEIGHT_MM, LUMBAR, PerfectNetwork, a_column, an_empty_scan, in_space, vertebrae_of

from SpineNetCore.errors import InputError
from SpineNetCore.localisation import discs_between, find_spine
from SpineNetCore.naming_override import LevelAt, NamingOverride, parsed_lowest_level, renamed

SCAN = an_empty_scan(slices=3)


def corners(levels=LUMBAR, extra=()):
    """Of a column, and of blocks further down at so many spacings below the last."""
    column = [in_space(SCAN, shape.corners_mm, 1.0) for shape in a_column(levels)]
    down = SCAN.ras_from_ijk[:3, 1] / SCAN.spacing_mm[1]
    return column + [column[-1] + spacings * (HEIGHT_MM + GAP_MM) * down for spacings in extra]


def centre(level):
    return tuple(next(d.centre_ras_mm for d in discs_between(vertebrae_of(SCAN, a_column()), SCAN) if d.level == level))


def test_names_move_towards_the_feet_and_drop_off_at_the_end():
    moved = renamed(LUMBAR, corners(), NamingOverride(shift=1))
    assert moved == ("L1", "L2", "L3", "L4", "L5", "S1", None)


def test_names_move_towards_the_head():
    assert renamed(LUMBAR, corners(), NamingOverride(shift=-1)) == ("T11", "T12", "L1", "L2", "L3", "L4", "L5")


def test_moving_there_and_back_changes_nothing():
    there = renamed(LUMBAR[:-1], corners()[:-1], NamingOverride(shift=1))
    assert renamed(there, corners()[:-1], NamingOverride(shift=-1)) == LUMBAR[:-1]


def test_a_missed_vertebra_stays_missed():
    levels, places = ("L1", "L2", "L4", "L5"), corners()
    moved = renamed(levels, [places[k] for k in (1, 2, 4, 5)], NamingOverride(shift=-1))
    assert moved == ("T12", "L1", "L3", "L4")


def test_a_body_left_out_next_to_the_chain_is_named_when_the_move_needs_it():
    assert renamed((*LUMBAR, None), corners(extra=(1,)), NamingOverride(shift=-1))[-2:] == ("L5", "S1")
    assert renamed((None, *LUMBAR[1:]), corners(), NamingOverride(shift=1))[:2] == ("L1", "L2")


def test_a_blob_far_from_the_chain_is_never_named():
    assert renamed((*LUMBAR, None), corners(extra=(3,)), NamingOverride(shift=-1))[-2:] == ("L5", None)


@pytest.mark.parametrize(("at", "shift"), [("L5-S1", 0), ("L4-L5", 1), ("L3-L4", 2)])
def test_the_disc_at_a_point_is_called_as_asked_and_the_chain_follows(at, shift):
    asked = NamingOverride(LevelAt("L5-S1", centre(at)))
    assert renamed(LUMBAR, corners(), asked) == renamed(LUMBAR, corners(), NamingOverride(shift=shift))


def test_a_point_far_from_every_disc_is_refused():
    far = tuple(np.array(centre("L5-S1")) + 60)
    with pytest.raises(
        InputError, match=r"--lowest-level L5-S1=.* marks no disc that was found \(the nearest is \d+ mm"
    ):
        renamed(LUMBAR, corners(), NamingOverride(LevelAt("L5-S1", far)))


def test_a_move_that_leaves_no_disc_is_refused():
    with pytest.raises(InputError, match=r"\+2 levels leaves no disc from T12-L1 to L5-S1: check the level"):
        renamed(("L4", "L5", "S1"), corners(("L4", "L5", "S1")), NamingOverride(shift=2))
    with pytest.raises(InputError, match=r"--lowest-level T11-T12=.* leaves no disc from T12-L1 to L5-S1"):
        renamed(LUMBAR, corners(), NamingOverride(LevelAt("T11-T12", centre("L5-S1"))))


def test_the_option_is_read_in_any_sensible_spelling():
    assert parsed_lowest_level("L5/S1= -1.5, 20,+3.25") == LevelAt("L5-S1", (-1.5, 20.0, 3.25))
    assert parsed_lowest_level("L5-S1=-.5,1e2,8.9E-1") == LevelAt("L5-S1", (-0.5, 100.0, 0.89))
    assert parsed_lowest_level(str(LevelAt("L4-L5", (1.0, -2.5, 3.0)))) == LevelAt("L4-L5", (1.0, -2.5, 3.0))


@pytest.mark.parametrize(
    "text", ["", "L5-S1", "L5-S1=1,2", "L5-S1=1,2,3,4", "L9=1,2,3", "L5-S1=1,2,nan", "L5-S1=1;2;3"]
)
def test_an_option_that_cannot_be_read_is_refused_with_the_form_wanted(text):
    with pytest.raises(InputError, match="L5-S1=x,y,z") as refused:
        parsed_lowest_level(text)
    assert f"'{text}'" in str(refused.value)


def test_three_bodies_down_to_the_sacrum_are_a_spine_by_a_reader_s_names_too(monkeypatch):
    def levels(override):
        spine = find_spine(SCAN, PerfectNetwork([a_column()[-3:]] * 3), torch.device("cpu"), override=override)
        return [vertebra.level for vertebra in spine.vertebrae]

    assert levels(None) == list(LUMBAR[-3:])
    monkeypatch.setattr("SpineNetCore.localisation.is_plain", lambda _naming: False)
    with pytest.raises(InputError, match="No lumbar spine was found"):
        levels(None)
    assert levels(NamingOverride(shift=-1)) == list(LUMBAR[-4:-1])


def test_a_moved_spine_says_so_and_why_levels_are_absent():
    network = PerfectNetwork([a_column()] * 3)
    spine = find_spine(SCAN, network, torch.device("cpu"), override=NamingOverride(shift=1))

    assert [vertebra.level for vertebra in spine.vertebrae] == list(LUMBAR[1:])
    assert [disc.level for disc in spine.discs] == ["L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1"]
    np.testing.assert_allclose(spine.disc("L5-S1").centre_ras_mm, centre("L4-L5"), atol=1.5)
    assert spine.reason_for_absence("T12-L1").startswith("T12 not found")
    assert spine.warnings[:-1] == (
        "The names of the levels were set by the reader: moved 1 towards the feet from those found.",
    )
    assert spine.naming_doubts == ()
