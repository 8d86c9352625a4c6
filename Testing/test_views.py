from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from SpineNetCore.errors import InputError
from SpineNetCore.views import FixedView, RandomViewRanges, View, draw_view, fixed_views, look, undo

CENTRE = FixedView()
MOVED = [View(row_shift=-24, slice_shift=2), View(column_shift=32, slice_shift=-2), View(row_shift=7, column_shift=-9)]
FLIPPED = [View(is_flipped=True), View(row_shift=5, column_shift=-30, slice_shift=1, is_flipped=True)]


@pytest.fixture
def context() -> Tensor:
    return torch.rand(13, 192, 320, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def smooth_context() -> Tensor:
    slices, rows, columns = torch.meshgrid(torch.arange(13), torch.arange(192), torch.arange(320), indexing="ij")
    return 0.5 + 0.2 * torch.sin(rows / 15) * torch.cos(columns / 20) + 0.02 * slices


@pytest.fixture
def drawn_views() -> list[View]:
    rng = np.random.default_rng(5)
    return [draw_view(rng, RandomViewRanges()) for _ in range(12)]


def test_the_54_views_are_distinct_and_are_the_papers() -> None:
    views = fixed_views()
    assert len(set(views)) == len(views) == 54
    assert {view.row_shift for view in views} == {view.column_shift for view in views} == {-16, 0, 16}
    assert {view.slice_shift for view in views} == {-1, 0, 1}
    assert {view.is_flipped for view in views} == {False, True}


def test_few_views_start_at_the_centre_and_are_the_first_of_many() -> None:
    assert fixed_views(1) == (CENTRE,)
    assert fixed_views(8) == fixed_views()[:8]


@pytest.mark.parametrize("count", [2, 6, 18])
def test_a_few_views_lie_evenly_about_the_centre(count: int) -> None:
    few = fixed_views(count)
    assert sum(view.row_shift for view in few) == sum(view.column_shift for view in few) == 0
    assert sum(view.slice_shift for view in few) == 0
    assert sum(view.is_flipped for view in few) == count / 2


@pytest.mark.parametrize("count", [0, -1, 55])
def test_a_number_of_views_that_cannot_be_had_is_refused(count: int) -> None:
    with pytest.raises(InputError, match=f"{count} views"):
        fixed_views(count)


def test_the_centre_view_is_the_disc_volume(context: Tensor) -> None:
    assert torch.equal(CENTRE.cut(context), context[2:11, 40:152, 48:272])


def test_a_fixed_view_is_a_shifted_slice_of_the_context(context: Tensor) -> None:
    cut = FixedView(row_shift=-16, column_shift=16, slice_shift=1, is_flipped=True).cut(context)
    assert torch.equal(cut[0], context[11, 24:136, 64:288])
    assert torch.equal(cut[8], context[3, 24:136, 64:288])


@pytest.mark.parametrize("fixed", fixed_views(7))
def test_looking_by_whole_voxels_is_cutting(fixed: FixedView, context: Tensor) -> None:
    view = View(
        row_shift=fixed.row_shift,
        column_shift=fixed.column_shift,
        slice_shift=fixed.slice_shift,
        is_flipped=fixed.is_flipped,
    )
    torch.testing.assert_close(look(context[None], [view])[0], fixed.cut(context), rtol=0, atol=1e-4)


def test_a_view_enlarges_and_turns_about_the_disc(smooth_context: Tensor) -> None:
    angle_deg, scale = 10.0, 1.1
    seen = look(smooth_context[None], [View(angle_deg=angle_deg, scale=scale)])[0, 4]
    row, column = 80, 30
    turn = np.exp(1j * np.radians(angle_deg)) / scale
    place = ((column - 111.5) + 1j * (row - 55.5)) * turn
    true = 0.5 + 0.2 * np.sin((95.5 + place.imag) / 15) * np.cos((159.5 + place.real) / 20) + 0.02 * 6
    assert float(seen[row, column]) == pytest.approx(true, abs=1e-3)


def test_each_disc_of_a_batch_gets_its_own_view(context: Tensor, drawn_views: list[View]) -> None:
    together = look(context.expand(12, -1, -1, -1), drawn_views)
    alone = look(context[None], drawn_views[7:8])
    torch.testing.assert_close(together[7], alone[0], rtol=0, atol=1e-5)


def test_intensity_moves_tissue_but_leaves_blank_slices_blank(context: Tensor) -> None:
    context[3] = 0
    seen = look(context[None], [View(intensity=0.1)])[0]
    assert bool((seen[1] == 0).all())
    torch.testing.assert_close(seen[0], (context[2, 40:152, 48:272] + 0.1).clamp(max=1), rtol=0, atol=1e-4)


def test_what_is_seen_stays_between_0_and_1(context: Tensor) -> None:
    for intensity in (-0.1, 0.1):
        seen = look(context[None], [View(intensity=intensity)])
        assert 0 <= float(seen.min()) <= float(seen.max()) <= 1


def test_drawn_views_fill_the_papers_ranges_and_no_more() -> None:
    rng = np.random.default_rng(0)
    views = [draw_view(rng, RandomViewRanges()) for _ in range(2000)]
    for values, low, high in (
        ([v.angle_deg for v in views], -15, 15),
        ([v.row_shift for v in views], -24, 24),
        ([v.column_shift for v in views], -32, 32),
        ([v.scale for v in views], 0.9, 1.1),
        ([v.intensity for v in views], -0.1, 0.1),
    ):
        spread = high - low
        assert low <= min(values) < low + 0.01 * spread
        assert high - 0.01 * spread < max(values) <= high
    assert {v.slice_shift for v in views} == {-2, -1, 0, 1, 2}
    assert 900 < sum(v.is_flipped for v in views) < 1100


def test_the_same_seed_draws_the_same_view() -> None:
    assert draw_view(np.random.default_rng(4), RandomViewRanges()) == draw_view(
        np.random.default_rng(4), RandomViewRanges()
    )


def test_ranges_ramped_to_nothing_draw_the_disc_as_it_is() -> None:
    ranges = RandomViewRanges(flips=False).ramped(0)
    assert draw_view(np.random.default_rng(1), ranges) == View()
    assert RandomViewRanges().ramped(1) == RandomViewRanges()


@pytest.mark.parametrize("view", MOVED + FLIPPED)
def test_undoing_a_shift_or_flip_is_exact(view: View, context: Tensor) -> None:
    restored, seen = undo(look(context[None], [view]), [view])
    torch.testing.assert_close(restored, CENTRE.cut(context)[None] * seen, rtol=0, atol=2e-4)
    kept = (9 - abs(view.slice_shift)) * (112 - abs(view.row_shift)) * (224 - abs(view.column_shift))
    assert float(seen.sum()) == pytest.approx(kept, rel=1e-4)


def test_undoing_any_view_restores_a_smooth_disc_where_it_was_seen(
    smooth_context: Tensor, drawn_views: list[View]
) -> None:
    views = [View(**{**vars(view), "intensity": 0.0}) for view in drawn_views]
    whole = look(torch.ones(12, 13, 192, 320), views)  # a view may look beyond the context
    restored, seen = undo(look(smooth_context.expand(12, -1, -1, -1), views), views)
    within, _ = undo(whole, views)
    inside = within > 0.999
    assert float(inside.double().mean()) > 0.4
    error = (restored - CENTRE.cut(smooth_context)).abs()
    assert float(error[inside].max()) < 3e-3
    assert bool((restored[seen == 0] == 0).all())


def test_an_even_map_stays_even_when_divided_by_what_was_seen(drawn_views: list[View]) -> None:
    restored, seen = undo(torch.full((12, 9, 112, 224), 0.7), drawn_views)
    mean = restored.sum(0) / seen.sum(0)
    torch.testing.assert_close(mean[seen.sum(0) > 0.01], torch.full_like(mean, 0.7)[seen.sum(0) > 0.01])


def test_maps_of_several_tasks_are_undone_each_like_one(drawn_views: list[View]) -> None:
    maps = torch.rand(12, 2, 9, 112, 224)
    both, seen = undo(maps, drawn_views)
    second, seen_alone = undo(maps[:, 1], drawn_views)
    torch.testing.assert_close(both[:, 1], second)
    assert torch.equal(seen, seen_alone)
