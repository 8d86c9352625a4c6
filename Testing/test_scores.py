from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from SpineNetCore import scores as scores_module
from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.scores import ready_network, score_discs
from SpineNetCore.task_score import TaskScore
from SpineNetCore.views import fixed_views

CONFIG = NetworkConfig(fc6=6, fc7=5, conv_widths=(4, 4, 4, 4, 4))


@pytest.fixture
def network() -> GradingNetwork:
    torch.manual_seed(2)
    network = GradingNetwork(CONFIG)
    for head in network.heads.values():
        torch.nn.init.normal_(head.fc8.weight, std=3)
    return network.double()


@pytest.fixture
def contexts() -> FloatArray:
    return np.random.default_rng(0).random((2, 13, 192, 320), dtype=np.float32)


def test_a_score_is_the_mean_of_54_views(
    network: GradingNetwork, contexts: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores_module, "_is_of_middle", lambda number: False)
    per_view = []
    for row in (24, 40, 56):
        for column in (32, 48, 64):
            for first in (1, 2, 3):
                volume = contexts[1, first : first + 9, row : row + 112, column : column + 224]
                per_view += [volume, volume[::-1]]
    with torch.inference_mode():
        class_scores = network.eval()(torch.from_numpy(np.stack(per_view)))

    scores = score_discs(network, contexts[1:])[0]

    assert [score.task for score in scores] == list(Task)
    for score in scores:
        expected = class_scores[score.task].softmax(1).numpy()
        np.testing.assert_allclose(score.probabilities, expected.mean(0), atol=1e-6)
        best = int(expected.mean(0).argmax())
        assert score.grade == score.task.grades[best]
        assert score.class_index == best
        assert score.uncertainty == pytest.approx(expected[:, best].std(), abs=1e-6)
        assert sum(score.probabilities) == pytest.approx(1)


def test_a_temperature_makes_the_mean_and_every_view_milder_and_keeps_the_grade(
    network: GradingNetwork, contexts: FloatArray
) -> None:
    before = score_discs(network, contexts[:1], views=1)[0]
    volumes = torch.stack([view.cut(torch.from_numpy(contexts[0])) for view in fixed_views(3)])
    with torch.inference_mode():
        per_view = {task: scores.softmax(1) for task, scores in network.eval()(volumes).items()}
    network.config = replace(network.config, temperatures=(2.0, 3.0, 0.5, 1.0, 1.0, 1.0))
    for score, temperature in zip(score_discs(network, contexts[:1], views=3)[0], (2.0, 3.0, 0.5), strict=False):
        mean = per_view[score.task].mean(0) ** (1 / temperature)
        views = per_view[score.task] ** (1 / temperature)
        chosen = (views / views.sum(1, keepdim=True))[:, score.class_index]
        np.testing.assert_allclose(score.probabilities, mean / mean.sum(), atol=1e-5)
        assert score.uncertainty == pytest.approx(float(chosen.std(correction=0)), abs=1e-5)
    for score, milder in zip(before, score_discs(network, contexts[:1], views=1)[0], strict=True):
        assert score.grade == milder.grade


def test_one_view_is_the_centre_and_leaves_no_spread(network: GradingNetwork, contexts: FloatArray) -> None:
    centre = torch.from_numpy(contexts[:1, 2:11, 40:152, 48:272])
    expected = network.eval()(centre)[Task.PFIRRMANN].softmax(1)[0].detach().numpy()
    score = score_discs(network, contexts[:1], views=1)[0][0]
    np.testing.assert_allclose(score.probabilities, expected, atol=1e-6)
    assert score.uncertainty is None


@pytest.mark.parametrize("present", [range(13), [4, 5], [9]])
def test_every_third_pair_of_views_shows_the_middle_slice_alone(
    present: Sequence[int], network: GradingNetwork, contexts: FloatArray
) -> None:
    shown = np.zeros_like(contexts[:1])
    shown[0, list(present)] = contexts[0, list(present)]
    alone = np.zeros_like(shown)
    nearest = min(present, key=lambda place: abs(place - 6))
    alone[0, nearest] = shown[0, nearest]
    fixed = fixed_views(8)
    volumes = [view.cut(torch.from_numpy((alone if k in (4, 5) else shown)[0])) for k, view in enumerate(fixed)]
    with torch.inference_mode():
        expected = network.eval()(torch.stack(volumes))[Task.PFIRRMANN].softmax(1).mean(0).numpy()

    np.testing.assert_allclose(score_discs(network, shown, views=8)[0][0].probabilities, expected, atol=1e-6)


def test_a_disc_scores_the_same_in_any_company(network: GradingNetwork, contexts: FloatArray) -> None:
    assert score_discs(network, contexts, views=4)[1] == score_discs(network, contexts[1:], views=4)[0]


def test_slices_in_reverse_score_the_same_when_seen_both_ways(network: GradingNetwork, contexts: FloatArray) -> None:
    reversed_contexts = contexts[:1, ::-1].copy()
    for score, other in zip(
        score_discs(network, contexts[:1], views=2)[0], score_discs(network, reversed_contexts, views=2)[0], strict=True
    ):
        np.testing.assert_allclose(score.probabilities, other.probabilities, atol=1e-6)


def test_quick_arithmetic_hardly_changes_a_probability(network: GradingNetwork, contexts: FloatArray) -> None:
    exact = score_discs(network, contexts[:1], views=6)[0]
    quick = score_discs(network.float(), contexts[:1], views=6)[0]
    for score, other in zip(exact, quick, strict=True):
        np.testing.assert_allclose(score.probabilities, other.probabilities, atol=0.03)


def test_a_network_with_batch_norm_scores_as_in_evaluation(contexts: FloatArray) -> None:
    network = GradingNetwork(NetworkConfig(fc6=6, fc7=5, conv_widths=(4, 4, 4, 4, 4), batch_norm=True)).double()
    volumes = torch.from_numpy(contexts[:, 2:11, 40:152, 48:272])
    network(volumes)
    score = score_discs(network, contexts[:1], views=1)[0][0]
    assert network.training
    expected = network.eval()(volumes[:1])[Task.PFIRRMANN].softmax(1)[0].detach().numpy()
    np.testing.assert_allclose(score.probabilities, expected, atol=1e-6)


def test_a_network_made_ready_leaves_the_original_as_it_was(network: GradingNetwork) -> None:
    ready = ready_network(network.float().train(), "cpu")
    assert not ready.training
    assert not any(parameter.requires_grad for parameter in ready.parameters())
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


def test_progress_counts_every_view_to_the_end(network: GradingNetwork, contexts: FloatArray) -> None:
    told: list[tuple[int, int]] = []
    score_discs(network, contexts, views=30, progress=lambda done, total: told.append((done, total)))
    assert told == [(27, 60), (30, 60), (57, 60), (60, 60)]


def test_no_discs_give_no_scores(network: GradingNetwork, contexts: FloatArray) -> None:
    assert score_discs(network, contexts[:0]) == []


def test_the_class_of_a_grade_follows_the_clinics_numbers() -> None:
    assert TaskScore(Task.NARROWING, 3, (0.1, 0.2, 0.6, 0.1), 0.0).class_index == 2
    assert TaskScore(Task.UPPER_MARROW, 1, (0.2, 0.8), 0.0).class_index == 1
