"""The fully convolutional detector that reads one sagittal slice at 1 mm a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from SpineNetCore.errors import InputError

PIXEL_MM = 1.0
CORNER_UNIT_MM = 10.0


class Tissue(IntEnum):
    """What a pixel may be; the order is that of the network's class channels."""

    BACKGROUND = 0
    BODY = 1
    SACRUM = 2
    DISC = 3
    LOWEST_DISC = 4
    CANAL = 5


@dataclass(frozen=True)
class VertebraNetworkConfig:
    """widths: channels per level, each level half the resolution of the one before."""

    widths: tuple[int, ...] = (16, 32, 48, 64, 96, 128)

    def __post_init__(self) -> None:
        if min(self.widths, default=0) < 1:
            raise InputError(f"A detector cannot have the widths {self.widths}: give at least one, each 1 or more.")


class VertebraMaps(NamedTuple):
    """tissue: (N, 6, H, W) unnormalised class scores. corners: (N, 8, H, W) from the pixel to the four corners of its
    vertebral body, (row, column) each, in units of `CORNER_UNIT_MM`; meaningful on bodies only.
    """

    tissue: Tensor
    corners: Tensor


class VertebraNetwork(nn.Module):
    """A small U-Net (Ronneberger 2015) with one head for tissue and one for the corners of the body around a pixel.

    ours: the paper's detector was a sliding window over hand-made features; what it regressed, tight corners on every
    slice, is kept.
    """

    def __init__(self, config: VertebraNetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or VertebraNetworkConfig()
        widths = self.config.widths
        inputs = (1, *widths[:-1])
        self.down = nn.ModuleList(_two_convolutions(a, b) for a, b in zip(inputs, widths, strict=True))
        self.up = nn.ModuleList(_two_convolutions(a + b, a) for a, b in pairwise(widths))
        self.tissue = nn.Conv2d(widths[0], len(Tissue), 1)
        self.corners = nn.Conv2d(widths[0], 8, 1)

    def forward(self, x: Tensor) -> VertebraMaps:
        """x: (N, 1, H, W) in [0, 1], H and W multiples of `stride`."""
        levels = []
        for level, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if level else x)
            levels.append(x)
        for skip, block in zip(reversed(levels[:-1]), reversed(self.up), strict=True):
            x = block(torch.cat([skip, nn.functional.interpolate(x, scale_factor=2.0)], dim=1))
        return VertebraMaps(self.tissue(x), self.corners(x))

    @property
    def stride(self) -> int:
        """What both sides of an input must be a multiple of."""
        return int(2 ** (len(self.config.widths) - 1))


def _two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    def one(channels: int) -> list[nn.Module]:
        return [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]

    return nn.Sequential(*one(inputs), *one(outputs))
