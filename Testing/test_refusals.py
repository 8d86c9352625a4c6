from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from spine_making import LUMBAR, PerfectNetwork, Shape, a_body, a_column, an_empty_scan, vertebrae_of

from SpineNetCore.bodies import Body
from SpineNetCore.column import Column
from SpineNetCore.detection import Reading
from SpineNetCore.errors import InputError
from SpineNetCore.localisation import find_spine
from SpineNetCore.naming import Naming
from SpineNetCore.naming_override import NamingOverride
from SpineNetCore.refusals import check_column, check_upright, check_vertebrae, is_plain

CPU = torch.device("cpu")
SCAN = an_empty_scan(slices=3)
SURELY = Naming(LUMBAR, {0: 0.99, 1: 0.01})
UNSURELY = Naming(LUMBAR[:4], {0: 0.6, 1: 0.4})
WHOLE, UPPER = a_column(), a_column()[:4]


def column_of(bodies: list[Body], naming: Naming) -> Column:
    return Column(tuple(bodies), naming, Reading((), np.zeros((3, 1, 1), np.float32), None, 0.0, None), SCAN)


def bodies_of(shapes: list[Shape], disc_below: float = 0.9) -> list[Body]:
    return [a_body(shape, slices=range(3), disc_below=disc_below) for shape in shapes]


WHOLE_COLUMN = column_of(bodies_of(WHOLE), SURELY)
UPPER_COLUMN = column_of(bodies_of(UPPER), UNSURELY)


def resized(factor: float) -> list[Shape]:
    return [Shape(shape.level, shape.corners_mm * factor) for shape in WHOLE]


def test_a_lumbar_spine_is_accepted():
    check_vertebrae(vertebrae_of(SCAN, WHOLE), True, SCAN)


@pytest.mark.parametrize(("factor", "depth"), [(0.45, "15.8 mm"), (0.62, "21.7 mm"), (2.0, "70.0 mm")])
def test_bodies_of_another_size_are_refused_with_their_size_and_the_file_s_spacing(factor, depth):
    with pytest.raises(InputError, match=rf"measure {depth} from front to back.*spacing of 0\.90 x 0\.90 mm"):
        check_vertebrae(vertebrae_of(SCAN, resized(factor)), True, SCAN)


def test_three_bodies_are_too_few_unless_their_names_are_sure():
    lowest = vertebrae_of(SCAN, WHOLE[-3:])

    check_vertebrae(lowest, True, SCAN)
    with pytest.raises(InputError, match="No lumbar spine was found"):
        check_vertebrae(lowest, False, SCAN)


def test_names_are_plain_by_a_sacrum_and_by_their_probability():
    assert is_plain(Naming(LUMBAR[-3:], {0: 0.95, -1: 0.05}))
    assert not is_plain(Naming(LUMBAR[-3:], {0: 0.8, -1: 0.2}))
    assert not is_plain(Naming(LUMBAR[:3], {0: 0.95, -1: 0.05}))


def test_bodies_without_discs_between_them_are_no_spine():
    two_unseen = [*bodies_of(WHOLE[:2]), *bodies_of(WHOLE[2:4], disc_below=0.1), *bodies_of(WHOLE[4:])]
    check_column(WHOLE_COLUMN, SCAN)
    check_column(column_of(two_unseen, SURELY), SCAN)

    with pytest.raises(InputError, match="No lumbar spine was found"):
        check_column(column_of(bodies_of(WHOLE, disc_below=0.1), SURELY), SCAN)
    with pytest.raises(InputError, match="No lumbar spine was found"):
        check_column(column_of(bodies_of(WHOLE[:1]), Naming(LUMBAR[:1], {0: 1.0})), SCAN)


@pytest.mark.parametrize(("left_out", "is_spine"), [(14, True), (15, False)])
def test_a_few_bodies_among_many_are_no_spine(left_out, is_spine):
    bodies = bodies_of(WHOLE + [WHOLE[-1]] * left_out)
    naming = Naming((*LUMBAR, *[None] * left_out), {0: 0.99})

    with nullcontext() if is_spine else pytest.raises(InputError, match="No lumbar spine was found"):
        check_column(column_of(bodies, naming), SCAN)


def test_a_sacrum_that_goes_on_below_s1_tells_how_a_volume_lies_too():
    sacral = Shape("S2", WHOLE[-1].corners_mm + (WHOLE[-1].corners_mm[3] - WHOLE[-1].corners_mm[0]))

    with pytest.raises(InputError, match="seems to lie upside down"):
        check_upright(UPPER_COLUMN, SCAN, PerfectNetwork([[*WHOLE, sacral]] * 3), CPU)


@pytest.mark.parametrize(
    ("empty_looks", "how"), [(0, "upside down"), (3, "back to front"), (6, "upside down and back to front")]
)
def test_a_spine_that_is_plain_only_when_turned_over_is_refused_and_told_how_it_lies(empty_looks, how):
    network = PerfectNetwork([[]] * empty_looks + [WHOLE] * 3)

    with pytest.raises(InputError, match=rf"seems to lie {how} against what its header says"):
        check_upright(UPPER_COLUMN, SCAN, network, CPU)


def test_a_spine_whose_bodies_are_surer_as_it_stands_is_accepted():
    surely_bodies = [a_body(shape, slices=range(3), confidence=0.99) for shape in UPPER]
    check_upright(column_of(surely_bodies, UNSURELY), SCAN, PerfectNetwork([WHOLE] * 9), CPU)


def test_a_spine_without_sacrum_that_is_no_plainer_turned_over_is_accepted():
    check_upright(UPPER_COLUMN, SCAN, PerfectNetwork([UPPER] * 9), CPU)


def test_a_sure_naming_is_not_looked_at_again():
    check_upright(WHOLE_COLUMN, SCAN, PerfectNetwork([WHOLE] * 9), CPU)


def test_a_reader_who_names_the_levels_knows_how_the_volume_lies(monkeypatch):
    monkeypatch.setattr("SpineNetCore.localisation.check_upright", lambda *_: pytest.fail("looked at again"))
    network = PerfectNetwork([WHOLE] * 3)
    assert find_spine(SCAN, network, torch.device("cpu"), override=NamingOverride(shift=-1)).discs


def test_an_upside_down_volume_is_refused_from_end_to_end():
    with pytest.raises(InputError, match="'a scan' seems to lie upside down"):
        find_spine(SCAN, PerfectNetwork([UPPER] * 3 + [WHOLE] * 3), CPU)
