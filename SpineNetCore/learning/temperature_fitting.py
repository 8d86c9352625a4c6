"""How sure a grader may be, told by patients that it has not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.grader_loss import MARROW_ROWS, LabelBatch, label_of, labels_of, set_loss
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.scores import score_discs
from SpineNetCore.temperature import LEAST_CHANCE, PRIOR_SPREAD

_LEAST_OF_MARROW = 1e-4
"""Beyond it `set_loss` can no longer tell how wrong two normal sides are."""

_COOLEST, _HOTTEST = 0.05, 20.0


def fit_temperatures(network: GradingNetwork, examples: Sequence[DiscExample], device: torch.device) -> None:
    """Fit a learned network's temperatures to the labels of discs that it has not learned from, seen as in an analysis.

    A task of which they do not have two labels keeps its temperature.
    """
    earlier = network.config.temperatures
    network.config = replace(network.config, temperatures=NetworkConfig.temperatures)
    seen = tqdm(examples, "fitting temperatures", disable=None)
    scores = [score_discs(network, example.context()[None], device=device)[0] for example in seen]
    chances = [torch.tensor([score.probabilities for score in of_task]) for of_task in zip(*scores, strict=True)]
    labels = labels_of(examples, _weights(examples))
    network.config = replace(network.config, temperatures=fitted_temperatures(chances, labels, earlier))


def fitted_temperatures(
    chances: Sequence[Tensor], labels: LabelBatch, earlier: Sequence[float] = NetworkConfig.temperatures
) -> tuple[float, ...]:
    """One per task, from the (N, classes) probabilities of each at temperatures of 1 and what the labels admit.

    earlier: where they are expected; a task without any weight in the labels keeps its own.
    """
    least = [_LEAST_OF_MARROW if row in MARROW_ROWS else LEAST_CHANCE for row in range(len(Task))]
    logs = [of_task.double().clamp(min=lowest).log() for of_task, lowest in zip(chances, least, strict=True)]
    expected = torch.tensor(earlier, dtype=torch.float64)
    deviations = torch.zeros(len(Task), dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([deviations], max_iter=200, line_search_fn="strong_wolfe")

    def fitted() -> Tensor:
        return (expected * deviations.exp()).clamp(_COOLEST, _HOTTEST)

    def surprise() -> Tensor:
        descent.zero_grad()
        milder = {task: logs[row] / fitted()[row] for row, task in enumerate(Task)}
        total = set_loss(milder, labels) * len(labels.weights) + ((deviations / PRIOR_SPREAD) ** 2).sum() / 2
        total.backward()  # type: ignore[no-untyped-call]
        return total

    descent.step(surprise)  # type: ignore[no-untyped-call]
    told = (labels.weights > 0).any(dim=0)
    return tuple(round(temperature, 3) for temperature in torch.where(told, fitted(), expected).tolist())


def _weights(examples: Sequence[DiscExample]) -> NDArray[np.float32]:
    """(N, 6) alike for all labels, however frequent, but that a change of marrow on an unknown side counts once."""
    labels = [{label_of(example, row) for example in examples} - {None} for row in range(len(Task))]
    for row in MARROW_ROWS:
        labels[row] = set().union(*(labels[side] for side in MARROW_ROWS))
    weights = np.tile(np.array([len(some) > 1 for some in labels], dtype=np.float32), (len(examples), 1))
    weights[np.ix_([example.marrow_changed for example in examples], MARROW_ROWS)] /= 2
    return weights
