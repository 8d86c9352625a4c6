from __future__ import annotations

import numpy as np
import pytest
from spine_making import LUMBAR, a_body, a_column, an_empty_scan, detected, in_space

from SpineNetCore.bodies import Body, corners_in_space, group_bodies


def shuffled(detections):
    order = np.random.default_rng(4).permutation(len(detections))
    return [detections[k] for k in order]


def slices_of(body):
    return [detection.slice_index for detection in body.detections]


def test_a_straight_column_becomes_its_bodies_from_the_head_downwards():
    column = a_column()
    bodies = group_bodies(shuffled([detected(shape, k) for k in range(5) for shape in column]), slices=5)

    assert len(bodies) == len(LUMBAR)
    for body, shape in zip(bodies, column, strict=True):
        assert slices_of(body) == [0, 1, 2, 3, 4]
        assert np.allclose(body.corners_mm(4.0), shape.corners_mm)


def test_the_bodies_of_a_slanted_column_are_followed_sideways():
    """Scoliosis: every body is seen on other slices than its neighbours, and drifts within the slices."""
    column = a_column()
    seen = {level: range(k // 2, k // 2 + 5) for k, level in enumerate(LUMBAR)}
    detections = [
        detected(shape.moved(down_mm=1.5 * k, back_mm=-2.5 * k), k) for shape in column for k in seen[shape.level]
    ]
    bodies = group_bodies(shuffled(detections), slices=9)

    assert [slices_of(body) for body in bodies] == [list(seen[level]) for level in LUMBAR]
    assert [body.middle_slice for body in bodies] == pytest.approx([k // 2 + 2 for k in range(len(LUMBAR))])


def test_one_slice_is_enough_where_there_is_but_one():
    assert len(group_bodies([detected(shape) for shape in a_column()], slices=1)) == len(LUMBAR)


def test_what_is_seen_on_a_single_slice_of_many_is_left_out():
    column = a_column()
    detections = [detected(shape, k) for shape in column for k in range(5)]
    ghost = detected(column[0].moved(back_mm=60), 2)

    assert len(group_bodies([*detections, ghost], slices=5)) == len(LUMBAR)


def test_a_body_unseen_on_one_slice_between_others_stays_one_body():
    (body,) = group_bodies([detected(a_column()[0], k) for k in (1, 2, 4, 5)], slices=9)

    assert slices_of(body) == [1, 2, 4, 5]
    assert body.slice_count == 5


def test_what_is_unseen_on_two_slices_begins_anew():
    bodies = group_bodies([detected(a_column()[0], k) for k in (1, 2, 5, 6)], slices=9)

    assert [slices_of(body) for body in bodies] == [[1, 2], [5, 6]]


def test_no_detections_make_no_bodies():
    assert group_bodies([], slices=5) == []


def test_corners_are_those_near_the_middle_whatever_the_outer_slices_say():
    shape = a_column()[2]
    body = Body(tuple(detected(shape if k in (2, 3, 4) else shape.moved(back_mm=4), k) for k in range(7)))

    assert np.allclose(body.corners_mm(4.0), shape.corners_mm)


def test_a_body_on_two_thick_slices_has_corners_too():
    body = a_body(a_column()[2], slices=(3, 4))

    assert np.allclose(body.corners_mm(12.0), a_column()[2].corners_mm)


def test_larger_and_surer_detections_weigh_more():
    shape = a_column()[0]
    body = Body((detected(shape, 0, area_mm2=300.0, sacrum=0.0), detected(shape, 1, area_mm2=900.0, sacrum=1.0)))

    assert body.mean(lambda d: d.sacrum) == pytest.approx(0.75)
    assert body.middle_slice == pytest.approx(0.75)


def test_corners_lie_on_the_middle_plane_of_an_oblique_scan():
    scan = an_empty_scan(slices=6, spacing_mm=(4.4, 0.6, 0.9), turn_deg=(10, -8, 5))
    shape = a_column()[3]
    body = a_body(shape, slices=(1, 2, 3, 4))

    assert np.allclose(corners_in_space(body, scan), in_space(scan, shape.corners_mm, 2.5))
