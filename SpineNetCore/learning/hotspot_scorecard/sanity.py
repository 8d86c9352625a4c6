"""The sanity check of Adebayo et al. 2018: a map that shows what was learned is lost when the learning is undone."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import nn

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.hotspot_scorecard.cases import LesionedDisc
from SpineNetCore.learning.hotspot_scorecard.measures import rank_alikeness
from SpineNetCore.learning.hotspot_scorecard.methods import Method
from SpineNetCore.network import GradingNetwork, without_batch_norm

LAYERS_FROM_TOP = ("fc8", "fc7", "fc6", "conv5", "conv4", "conv3", "conv2", "conv1")


def undone_layer_by_layer(network: GradingNetwork, seed: int) -> Iterator[tuple[str, GradingNetwork]]:
    """Name of a layer, and the network with new random weights in that layer and in all above it.

    Weights are drawn as before a training. The network given stays as it is; the one yielded changes with each step.
    """
    plain = without_batch_norm(network) if network.config.batch_norm else copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    for layer in LAYERS_FROM_TOP:
        for name, module in plain.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear) and layer in name.split("."):
                _draw_anew(module, generator)
        yield layer, plain


def alikeness_once_undone(
    network: GradingNetwork, disc: LesionedDisc, method: Method, original: FloatArray, seed: int
) -> Iterator[tuple[str, float]]:
    """Per layer undone, how alike the map of the disc's one score is to that of the trained network, `original`."""
    for layer, undone in undone_layer_by_layer(network, seed):
        heat = method.make(undone, disc.context, disc.scores, seed)[0]
        yield layer, rank_alikeness(original, heat, disc.in_scan)


def _draw_anew(module: nn.Conv2d | nn.Linear, generator: torch.Generator) -> None:
    with torch.no_grad():
        weight = torch.empty(module.weight.shape)
        nn.init.xavier_uniform_(weight, generator=generator)
        module.weight.copy_(weight)
        if module.bias is not None:
            module.bias.zero_()
