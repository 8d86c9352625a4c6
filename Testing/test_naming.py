from __future__ import annotations

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spine_making import LUMBAR, PICTURE_MM, Shape, a_body, a_column

from SpineNetCore.anatomy import VERTEBRA_LEVELS
from SpineNetCore.bodies import Body
from SpineNetCore.naming import _LEFT_OUT, _NO_SACRUM, _candidate, _centring, _step_cost, name_bodies

MIDDLE_MM = PICTURE_MM[0] / 2
SLICE_MM = 4.0


@pytest.fixture
def bodies() -> list[Body]:
    return [a_body(shape) for shape in a_column()]


def named(bodies, middle_mm=MIDDLE_MM):
    return name_bodies(bodies, SLICE_MM, middle_mm)


def test_a_whole_column_gets_its_names(bodies):
    naming = named(bodies)

    assert naming.levels == LUMBAR
    assert naming.confidence > 0.95


@pytest.mark.parametrize("shift_mm", [-60, -30, 30, 60])
def test_a_column_off_the_middle_of_the_picture_keeps_its_names(bodies, shift_mm):
    assert named(bodies, MIDDLE_MM + shift_mm).levels == LUMBAR


@settings(max_examples=20, deadline=None)
@given(down_mm=st.floats(-50, 50), back_mm=st.floats(-50, 50))
def test_where_the_picture_begins_changes_nothing(down_mm, back_mm):
    column = a_column()
    moved = named([a_body(shape.moved(down_mm, back_mm)) for shape in column], MIDDLE_MM + down_mm)
    still = named([a_body(shape) for shape in column])

    assert moved.levels == still.levels
    assert dict(moved.shifts) == pytest.approx(dict(still.shifts))


def test_a_false_body_below_the_sacrum_is_left_out(bodies):
    remnant = Shape("S2", a_column()[-1].moved(down_mm=24, back_mm=22).corners_mm)
    below = a_body(remnant, confidence=0.7, sacrum=0.5, lowest_disc_above=0.05, disc_below=0.04)

    assert named([*bodies, below]).levels == (*LUMBAR, None)


@pytest.mark.parametrize("aside_mm", [-45, 45])
def test_a_false_body_beside_the_column_is_left_out(bodies, aside_mm):
    beside = a_body(a_column()[3].moved(down_mm=5, back_mm=aside_mm), confidence=0.7)
    naming = named([*bodies[:4], beside, *bodies[4:]])

    assert naming.levels == (*LUMBAR[:4], None, *LUMBAR[4:])


def test_a_sacrum_under_an_l5_slipped_by_half_its_depth_keeps_its_name(bodies):
    front, rear = a_column()[-1].corners_mm[:2]
    down, back = (rear - front) * 0.5

    assert named([*bodies[:-1], a_body(a_column()[-1].moved(down, back))]).levels == LUMBAR


@pytest.mark.parametrize("missed", range(2, len(LUMBAR) - 1))  # a lone body above a gap may as well be false
def test_a_missed_vertebra_leaves_a_gap_in_the_names(bodies, missed):
    naming = named(bodies[:missed] + bodies[missed + 1 :])

    assert naming.levels == LUMBAR[:missed] + LUMBAR[missed + 1 :]


def test_a_chain_that_stops_above_the_sacrum_is_named_by_the_lowest_disc(bodies):
    assert named(bodies[:-1]).levels == LUMBAR[:-1]


def test_the_lowest_disc_seen_below_a_body_that_looks_like_s1_makes_its_name_doubtful():
    def doubt(below: float) -> float:
        l4 = a_body(a_column()[4], lowest_disc_below=0.95)
        last = a_body(a_column()[5], sacrum=0.9, lowest_disc_above=0.98, lowest_disc_below=below)
        naming = named([*[a_body(shape) for shape in a_column()[:4]], l4, last])
        assert naming.levels[-1] == "S1"
        return 1 - naming.confidence

    assert doubt(0.97) > 10 * doubt(0.02)


def test_without_sacrum_and_lowest_disc_the_picture_s_middle_decides_with_doubt(bodies):
    upper = bodies[:4]
    naming = named(upper)

    assert naming.levels == LUMBAR[:4]
    assert naming.confidence < 0.9


def test_two_black_discs_in_a_row_cost_the_body_between_them_no_name():
    unseen = {"L2": {"disc_below": 0.01}, "L3": {"disc_below": 0.01}}

    assert named([a_body(shape, **unseen.get(shape.level, {})) for shape in a_column()]).levels == LUMBAR


def test_the_runner_up_gains_as_the_sacrum_s_look_grows_ambiguous():
    def naming(doubt):
        """With full doubt L5 looks like S1 as much as S1 does."""
        looks = {
            "L5": {"sacrum": doubt / 2, "lowest_disc_above": doubt / 2, "lowest_disc_below": 1 - doubt / 2},
            "S1": {"sacrum": 1 - doubt / 2, "lowest_disc_above": 1 - doubt / 2},
            "L4": {"lowest_disc_below": doubt / 2},
        }
        column = a_column(("T11", *LUMBAR), top_mm=(0.0, 60.0))
        return named([a_body(shape, **looks.get(shape.level, {})) for shape in column])

    namings = [naming(doubt) for doubt in (0.1, 0.4, 0.7, 1.0)]
    chances = [one.shifts[one.runner_up] for one in namings]

    assert sorted(chances) == pytest.approx(chances)
    assert chances[0] < 0.01
    assert chances[-1] > 0.05
    assert namings[-1].runner_up == 1


def test_a_single_body_gets_a_name_and_little_confidence(bodies):
    naming = named([bodies[3]])

    assert naming.levels[0] in VERTEBRA_LEVELS
    assert naming.confidence < 0.75
    assert sum(naming.shifts.values()) == pytest.approx(1)


chance = st.floats(0.0, 1.0)
doubtful_body = st.builds(
    lambda shape, down, back, qualities: a_body(shape.moved(down, back), **qualities),
    st.sampled_from(a_column()),
    st.floats(-6, 6),
    st.floats(-12, 12),
    st.fixed_dictionaries(
        dict.fromkeys(("sacrum", "lowest_disc_above", "lowest_disc_below", "disc_below"), chance)
        | {"confidence": st.floats(0.5, 1.0)}
    ),
)


@settings(max_examples=40, deadline=None)
@given(bodies=st.lists(doubtful_body, min_size=1, max_size=5), middle_mm=st.floats(50, 200))
def test_the_names_are_the_best_of_all_that_can_be_given(bodies, middle_mm):
    bodies.sort(key=lambda body: body.corners_mm(SLICE_MM)[:, 0].mean())
    scores = _all_scores(bodies, middle_mm)
    naming = named(bodies, middle_mm)
    chosen = tuple((k, VERTEBRA_LEVELS.index(level)) for k, level in enumerate(naming.levels) if level is not None)
    anchor, level = chosen[len(chosen) // 2]

    assert scores[chosen] == pytest.approx(max(scores.values()))
    for shift, chance in naming.shifts.items():
        best = max(score for chain, score in scores.items() if (anchor, level + shift) in chain)
        assert np.log(chance / naming.confidence) == pytest.approx(best - scores[chosen], abs=1e-6)


def _all_scores(bodies, middle_mm):
    """Every chain, as (body, level) pairs, with its score, by trying them all."""
    candidates = [_candidate(body, SLICE_MM) for body in bodies]
    evidence = np.stack([c.log_levels for c in candidates]) + _centring(candidates, middle_mm)
    steps_cost = {
        (j, i, step): _step_cost(candidates[j], candidates[i], step)
        for j, i in combinations(range(len(bodies)), 2)
        for step in (1, 2)
    }
    scores = {}
    for places, levels in _chains(len(bodies)):
        chain = tuple(zip(places, levels, strict=True))
        score = sum(evidence[k] for k in chain)
        score -= sum(steps_cost[j, i, b - a] for (j, a), (i, b) in pairwise(chain))
        score -= sum(_LEFT_OUT * candidates[k].confidence for k in range(len(bodies)) if k not in places)
        scores[chain] = score - (_NO_SACRUM if VERTEBRA_LEVELS[levels[-1]] != "S1" else 0)
    return scores


def _chains(count):
    for length in range(1, count + 1):
        for places in combinations(range(count), length):
            for first, steps in product(range(len(VERTEBRA_LEVELS)), product((1, 2), repeat=length - 1)):
                levels = first + np.concatenate([[0], np.cumsum(steps)]).astype(int)
                if levels[-1] < len(VERTEBRA_LEVELS):
                    yield places, levels.tolist()
