from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.errors import InputError
from SpineNetCore.hotspots import Evidence, HotspotSettings, disc_hotspots, scaled_hotspots
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.scores import score_discs
from SpineNetCore.task_score import TaskScore
from SpineNetCore.views import RandomViewRanges, draw_view

TINY = NetworkConfig(fc6=6, fc7=5, conv_widths=(4, 4, 4, 4, 4))
AS_IS = HotspotSettings(views=1, ranges=RandomViewRanges(flips=False).ramped(0), blur_px=0)
STEP = 1e-7
BLOCK = (slice(3, 4), slice(40, 70), slice(90, 140))


@pytest.fixture
def network() -> GradingNetwork:
    torch.manual_seed(1)
    return GradingNetwork(TINY).double()


@pytest.fixture
def contexts() -> FloatArray:
    return np.random.default_rng(0).random((2, 13, 192, 320), dtype=np.float32)


@pytest.fixture
def scores() -> list[tuple[TaskScore, ...]]:
    grades = {Task.PFIRRMANN: 4, Task.NARROWING: 2}
    disc = tuple(TaskScore(task, grades.get(task, 0), tuple(1.0 for _ in task.grades), 0.0) for task in Task)
    return [disc, disc]


@pytest.fixture
def bright_detector() -> GradingNetwork:
    """Every slice on its own, every voxel on its own: only those brighter than 0.6 move any score."""
    network = GradingNetwork(NetworkConfig(fc6=1, fc7=1, conv_widths=(9, 1, 1, 1, 1)))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.fill_(0.01 if name.endswith("weight") else 0)
        network.shared.conv1.linear.weight.zero_()
        network.shared.conv1.linear.weight[range(9), range(9), 3, 3] = 1
        network.shared.conv1.linear.bias.fill_(-0.6)
    return network.double()


@pytest.fixture
def bright_block() -> FloatArray:
    """(1, 13, 192, 320), dark but for a block of tissue in one slice of the disc volume."""
    context = np.full((1, 13, 192, 320), 0.2, dtype=np.float32)
    context[0, 2:11, 40:152, 48:272][BLOCK] = 0.9
    return context


def slope_at(network: GradingNetwork, volume: torch.Tensor, voxel: tuple[int, int, int]) -> dict[Task, float]:
    """How fast each task's shown class score rises with one voxel."""
    pair = volume.repeat(2, 1, 1, 1)
    pair[0][voxel] += STEP
    pair[1][voxel] -= STEP
    with torch.inference_mode():
        changed = network.eval()(pair)
    shown = {task: {Task.PFIRRMANN: 3, Task.NARROWING: 1}.get(task, 1) for task in Task}
    return {task: float(changed[task][0, k] - changed[task][1, k]) / (2 * STEP) for task, k in shown.items()}


def some_voxels() -> list[tuple[int, int, int]]:
    rng = np.random.default_rng(7)
    return [(int(rng.integers(9)), int(rng.integers(20, 90)), int(rng.integers(20, 200))) for _ in range(20)]


def test_evidence_is_the_size_of_the_change_a_voxel_makes(
    network: GradingNetwork, contexts: FloatArray, scores: list[tuple[TaskScore, ...]]
) -> None:
    maps = disc_hotspots(network, contexts, scores, replace(AS_IS, evidence=Evidence.GRADIENT))
    volume = torch.from_numpy(contexts[1, 2:11, 40:152, 48:272]).double()
    for voxel in some_voxels():
        for place, slope in enumerate(slope_at(network, volume, voxel).values()):
            assert maps[1, place][voxel] == pytest.approx(abs(slope), rel=2e-3, abs=1e-6)
    assert maps.max() > 1e-3


def test_binary_tasks_show_what_differing_from_normal_marrow_adds_and_graded_ones_the_gradient(
    network: GradingNetwork, contexts: FloatArray, scores: list[tuple[TaskScore, ...]]
) -> None:
    """One view alone looks halfway between an even picture and what it sees."""
    maps = disc_hotspots(network, contexts[:1], scores[:1], AS_IS)[0]
    volume = torch.from_numpy(contexts[0, 2:11, 40:152, 48:272]).double()
    halfway = 0.5 + (volume - 0.5) / 2
    for voxel in some_voxels():
        there, before = slope_at(network, volume, voxel), slope_at(network, halfway, voxel)
        added = {task: max(before[task] * (float(volume[voxel]) - 0.5), 0) for task in Task if task.is_binary}
        told = {task: np.sqrt(added[task] * abs(before[task])) for task in added}
        for place, task in enumerate(Task):
            expected = told[task] ** 2 / (sum(told.values()) or 1) if task.is_binary else abs(there[task])
            assert maps[place][voxel] == pytest.approx(expected, rel=2e-3, abs=1e-6)
    assert maps[2:].max() > 1e-4


def test_a_map_is_the_same_whichever_tasks_are_asked_for(
    network: GradingNetwork, contexts: FloatArray, scores: list[tuple[TaskScore, ...]]
) -> None:
    maps = disc_hotspots(network, contexts[:1], scores[:1], AS_IS)[0]
    some = [scores[0][5], scores[0][0], scores[0][2]]
    np.testing.assert_allclose(disc_hotspots(network, contexts[:1], [some], AS_IS)[0], maps[[5, 0, 2]], rtol=1e-5)
    np.testing.assert_allclose(disc_hotspots(network, contexts[:1], [some[1:2]], AS_IS)[0], maps[:1], rtol=1e-5)


def test_contributions_add_up_to_what_the_view_scores_above_an_even_picture(
    bright_detector: GradingNetwork, bright_block: FloatArray
) -> None:
    """All of the block is as bright, and every score rises alike with each voxel: a map is there a quarter of its
    contribution by a root.
    """
    scores = score_discs(bright_detector, bright_block, views=1)
    settings = replace(AS_IS, views=16)  # the block passes the detector's threshold on a boundary of sixteenths
    maps = disc_hotspots(bright_detector, bright_block, scores, settings)[0]
    volume = torch.from_numpy(bright_block[:, 2:11, 40:152, 48:272]).double()
    root = float(volume.max() - 0.5) ** 0.5
    with torch.inference_mode():
        view, even = bright_detector.eval()(volume), bright_detector.eval()(torch.full_like(volume, 0.5))
    for place, task in enumerate(Task):
        if task.is_binary:
            gained = float(view[task][0, 1] - even[task][0, 1])
            assert gained > 0
            assert 4 * maps[place].sum() * root == pytest.approx(gained, rel=1e-3)


def test_what_the_network_looks_for_lights_up_where_it_is_and_nowhere_else(
    bright_detector: GradingNetwork, bright_block: FloatArray
) -> None:
    scores = score_discs(bright_detector, bright_block, views=1)
    maps = disc_hotspots(bright_detector, bright_block, scores, HotspotSettings(views=24, blur_px=0))
    for lit in maps[0]:
        slices, rows, columns = BLOCK
        around = np.zeros(lit.shape, dtype=bool)  # a voxel's breadth of blur from two bilinear warps
        around[slices, rows.start - 2 : rows.stop + 2, columns.start - 2 : columns.stop + 2] = True
        assert lit[around].sum() > 0.999 * lit.sum() > 0
        assert (lit[BLOCK] > 0).mean() > 0.9


def test_the_blur_stays_within_a_slice_and_keeps_the_evidence(
    bright_detector: GradingNetwork, bright_block: FloatArray
) -> None:
    scores = score_discs(bright_detector, bright_block, views=1)
    sharp = disc_hotspots(bright_detector, bright_block, scores, HotspotSettings(views=4, blur_px=0))
    soft = disc_hotspots(bright_detector, bright_block, scores, HotspotSettings(views=4))
    graded = [place for place, task in enumerate(Task) if not task.is_binary]
    np.testing.assert_allclose(soft[:, graded].sum(axis=(3, 4)), sharp[:, graded].sum(axis=(3, 4)), rtol=1e-4)
    np.testing.assert_array_equal(soft.any(axis=(3, 4)), sharp.any(axis=(3, 4)))
    assert soft.max() < sharp.max()


def test_maps_come_out_per_disc_and_task_and_do_not_depend_on_other_discs(
    network: GradingNetwork, contexts: FloatArray, scores: list[tuple[TaskScore, ...]]
) -> None:
    settings = HotspotSettings(views=3)
    both = disc_hotspots(network, contexts, scores, settings)
    assert both.shape == (2, 6, 9, 112, 224)
    assert both.dtype == np.float32
    np.testing.assert_array_equal(both[1:], disc_hotspots(network, contexts[1:], scores[1:], settings))


def test_another_seed_gives_another_map(
    network: GradingNetwork, contexts: FloatArray, scores: list[tuple[TaskScore, ...]]
) -> None:
    first = disc_hotspots(network, contexts[:1], scores[:1], HotspotSettings(views=2, seed=1))
    other = disc_hotspots(network, contexts[:1], scores[:1], HotspotSettings(views=2, seed=2))
    assert not np.allclose(first, other)


def test_what_no_view_saw_is_zero(
    network: GradingNetwork, contexts: FloatArray, scores: list[tuple[TaskScore, ...]]
) -> None:
    settings = replace(AS_IS, ranges=replace(AS_IS.ranges, rows=24.0))
    shift = draw_view(np.random.default_rng(settings.seed), settings.ranges).row_shift
    assert shift < -2
    maps = disc_hotspots(network, contexts[:1], scores[:1], settings)[0]
    assert (maps[:, :, int(shift) :] == 0).all()
    assert maps[:, :, : int(shift)].max() > 0
    assert np.isfinite(maps).all()


@pytest.mark.parametrize(("evidence", "alike"), [(Evidence.GRADIENT, 0.95), (Evidence.CONTRIBUTION, 0.85)])
def test_quick_arithmetic_shows_the_same_evidence(
    contexts: FloatArray, scores: list[tuple[TaskScore, ...]], evidence: Evidence, alike: float
) -> None:
    """Contributions of either sign partly cancel, which rounding disturbs more."""
    torch.manual_seed(1)
    network = GradingNetwork(replace(TINY, conv_widths=(24, 24, 24, 24, 24), fc6=24, fc7=24)).double()
    settings = HotspotSettings(views=4, evidence=evidence)
    exact = disc_hotspots(network, contexts[:1], scores[:1], settings)[0]
    quick = disc_hotspots(network.float(), contexts[:1], scores[:1], settings)[0]
    for one, other in zip(exact, quick, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > alike


def test_scaled_maps_compare_the_discs_of_a_scan_within_each_task() -> None:
    maps = np.random.default_rng(0).random((2, 6, 9, 112, 224), dtype=np.float32)
    maps[0] *= 3
    maps[:, 2] *= 100
    scaled = scaled_hotspots(maps)
    assert scaled.dtype == np.float32
    assert float(scaled.min()) >= 0
    assert float(scaled.max()) == 1
    for task in range(6):
        assert np.percentile(scaled[0, task], 99.8) == pytest.approx(1, abs=0.01)
        assert scaled[1, task].max() == pytest.approx(1 / 3, abs=0.01)


def test_scaling_leaves_a_task_without_evidence_dark() -> None:
    maps = np.zeros((2, 6, 9, 112, 224), dtype=np.float32)
    maps[0, 1, 4, 50:60, 50:150] = 2
    scaled = scaled_hotspots(maps)
    assert scaled[:, 0].max() == 0
    assert scaled[0, 1].max() == 1
    assert np.isfinite(scaled).all()


def test_a_scan_without_discs_has_no_maps(network: GradingNetwork, contexts: FloatArray) -> None:
    assert scaled_hotspots(disc_hotspots(network, contexts[:0], [])).shape == (0, 6, 9, 112, 224)


def test_hotspots_from_no_view_are_refused() -> None:
    with pytest.raises(InputError, match="0 views"):
        HotspotSettings(views=0)


def test_progress_counts_every_view_of_every_disc(
    network: GradingNetwork, contexts: FloatArray, scores: list[tuple[TaskScore, ...]]
) -> None:
    told: list[tuple[int, int]] = []
    disc_hotspots(network, contexts, scores, HotspotSettings(views=3), lambda done, total: told.append((done, total)))
    assert told == [(3, 6), (6, 6)]
