from __future__ import annotations

import pytest
import torch

from SpineNetCore.errors import InputError
from SpineNetCore.vertebra_network import Tissue, VertebraNetwork, VertebraNetworkConfig


@pytest.fixture
def network() -> VertebraNetwork:
    torch.manual_seed(3)
    return VertebraNetwork(VertebraNetworkConfig(widths=(4, 6, 8))).eval()


def test_maps_are_as_large_as_the_slice(network):
    maps = network(torch.rand(2, 1, 24, 40))

    assert maps.tissue.shape == (2, len(Tissue), 24, 40)
    assert maps.corners.shape == (2, 8, 24, 40)


@pytest.mark.parametrize(
    ("widths", "stride"), [((4,), 1), ((4, 6), 2), ((4, 6, 8), 4), ((16, 32, 48, 64, 96, 128), 32)]
)
def test_the_stride_is_the_smallest_side_that_fits(widths, stride):
    network = VertebraNetwork(VertebraNetworkConfig(widths)).eval()

    assert network.stride == stride
    assert network(torch.rand(1, 1, stride, 2 * stride)).tissue.shape[2:] == (stride, 2 * stride)


@torch.no_grad()
def test_a_moved_slice_gives_moved_maps(network):
    picture = torch.rand(1, 1, 96, 96)
    moved = torch.roll(picture, (network.stride, -network.stride), dims=(2, 3))
    middle = (..., slice(32, 64), slice(32, 64))  # out of the border's reach
    for still, after in zip(network(picture), network(moved), strict=True):
        assert torch.allclose(
            torch.roll(still, (network.stride, -network.stride), dims=(2, 3))[middle], after[middle], atol=1e-5
        )
        assert not torch.allclose(still[middle], after[middle], atol=1e-3)


@torch.no_grad()
def test_slices_of_a_batch_do_not_see_each_other(network):
    pictures = torch.rand(3, 1, 16, 16)

    assert torch.allclose(network(pictures).tissue[1:2], network(pictures[1:2]).tissue, atol=1e-5)


def test_every_weight_takes_part_in_both_answers_or_in_its_own(network):
    maps = network.train()(torch.rand(2, 1, 16, 16))
    (maps.tissue.square().sum() + maps.corners.square().sum()).backward()

    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_same_seed_makes_the_same_network(network):
    torch.manual_seed(3)
    again = VertebraNetwork(network.config).eval()
    picture = torch.rand(1, 1, 8, 8)

    assert torch.equal(again(picture).corners, network(picture).corners)


@pytest.mark.parametrize("widths", [(), (16, 0), (-4, 8)])
def test_impossible_widths_are_refused(widths):
    with pytest.raises(InputError, match="give at least one, each 1 or more"):
        VertebraNetworkConfig(widths)
