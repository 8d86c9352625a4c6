from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.network import BranchPoint, GradingNetwork, NetworkConfig, without_batch_norm

TINY = NetworkConfig(fc6=6, fc7=5, conv_widths=(4, 4, 4, 4, 4))


@pytest.fixture
def volumes() -> torch.Tensor:
    return torch.rand(2, 9, 112, 224, generator=torch.Generator().manual_seed(1))


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_papers_size_has_258_million_parameters_of_which_6_6_million_are_convolutions() -> None:
    with torch.device("meta"):
        network = GradingNetwork(NetworkConfig())
    assert network.config.last_map == (3, 6)
    assert parameters(network.shared) == 6_556_864
    fully_connected = 512 * 3 * 6 * 4096 + 4096 + 4096 * 1024 + 1024
    assert parameters(network) == 6_556_864 + 6 * fully_connected + (1024 + 1) * (5 + 4 + 4 * 2) == 258_263_249


@pytest.mark.parametrize("branch_point", BranchPoint)
def test_every_branch_point_scores_every_class_of_every_task(branch_point: BranchPoint, volumes: torch.Tensor) -> None:
    network = GradingNetwork(replace(TINY, branch_point=branch_point))
    scores = network(volumes)
    assert {task: tuple(score.shape) for task, score in scores.items()} == {
        task: (2, len(task.grades)) for task in Task
    }


@pytest.mark.parametrize(
    ("branch_point", "shared", "own"),
    [
        (BranchPoint.NONE, "", "conv1 conv2 conv3 conv4 conv5 fc6 fc7 fc8"),
        (BranchPoint.CONV3, "conv1 conv2 conv3", "conv4 conv5 fc6 fc7 fc8"),
        (BranchPoint.CONV4, "conv1 conv2 conv3 conv4", "conv5 fc6 fc7 fc8"),
        (BranchPoint.CONV5, "conv1 conv2 conv3 conv4 conv5", "fc6 fc7 fc8"),
        (BranchPoint.FC6, "conv1 conv2 conv3 conv4 conv5 fc6", "fc7 fc8"),
        (BranchPoint.FC7, "conv1 conv2 conv3 conv4 conv5 fc6 fc7", "fc8"),
    ],
)
def test_layers_after_the_branch_point_belong_to_one_task_alone(
    branch_point: BranchPoint, shared: str, own: str, volumes: torch.Tensor
) -> None:
    network = GradingNetwork(replace(TINY, branch_point=branch_point))
    assert " ".join(name for name, _ in network.shared.named_children()) == shared
    network(volumes)[Task.NARROWING].sum().backward()
    learns = {name.rpartition(".")[0] for name, weight in network.named_parameters() if weight.grad is not None}
    expected = {f"shared.{layer}.linear" for layer in shared.split()}
    expected |= {f"heads.narrowing.{layer}" + (".linear" if layer != "fc8" else "") for layer in own.split()}
    assert learns == expected


def test_folding_batch_norm_into_the_weights_changes_no_score(volumes: torch.Tensor) -> None:
    network = GradingNetwork(replace(TINY, batch_norm=True))
    for _ in range(5):
        network(volumes * 0.7 + 0.1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -1, 1)
    network.slice_means.fill_(0.3)

    plain = without_batch_norm(network)

    assert network.training
    assert not any("norm" in name for name in plain.state_dict())
    before, after = network.eval()(volumes), plain(volumes)
    for task in Task:
        torch.testing.assert_close(after[task], before[task], rtol=1e-4, atol=1e-5)


def test_slice_means_are_subtracted_from_their_own_slices(volumes: torch.Tensor) -> None:
    network = GradingNetwork(TINY).eval()
    means = torch.linspace(0.1, 0.5, 9)
    expected = network(volumes - means[:, None, None])
    network.slice_means.copy_(means)
    for task, scores in network(volumes).items():
        torch.testing.assert_close(scores, expected[task])


def test_weights_start_as_xavier_proposed() -> None:
    weight = GradingNetwork(TINY).heads["pfirrmann"].fc6.linear.weight
    bound = (6 / (72 + 6)) ** 0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)


def test_a_disc_volume_too_small_for_the_convolutions_is_refused() -> None:
    with pytest.raises(InputError, match="32 x 224"):
        NetworkConfig(rows=32)


def test_a_config_without_five_convolutions_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(96, 256\)"):
        NetworkConfig(conv_widths=(96, 256))
