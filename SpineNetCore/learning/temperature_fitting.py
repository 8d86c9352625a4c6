"""How sure a grader may be, told by patients that it has not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.grader_loss import LabelBatch, label_of, labels_of, set_loss
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.scores import score_discs
from SpineNetCore.temperature import LEAST_CHANCE

_PRIOR_SPREAD = 0.5
"""ours: before any disc is seen the logarithm of a temperature lies about 0 with this standard deviation, so that a few
discs, all of them right, do not make it extreme.
"""

_MARROW = [row for row, task in enumerate(Task) if task in (Task.UPPER_MARROW, Task.LOWER_MARROW)]


def fit_temperatures(network: GradingNetwork, examples: Sequence[DiscExample], device: torch.device) -> None:
    """Set a learned network's temperatures to the likeliest for the labels of discs that it has not learned from.

    The discs are seen as in an analysis. A task of which they do not have two labels keeps a temperature of 1.
    """
    network.config = replace(network.config, temperatures=NetworkConfig.temperatures)
    scores = [score_discs(network, example.context()[None], device=device)[0] for example in examples]
    chances = [torch.tensor([score.probabilities for score in of_task]) for of_task in zip(*scores, strict=True)]
    labels = labels_of(examples, _weights(examples))
    network.config = replace(network.config, temperatures=likeliest_temperatures(chances, labels))


def _weights(examples: Sequence[DiscExample]) -> NDArray[np.float32]:
    """(N, 6) alike for all labels, however frequent, but that a change of marrow on an unknown side counts once."""
    labels = [{label_of(example, row) for example in examples} - {None} for row in range(len(Task))]
    weights = np.tile(np.array([len(some) > 1 for some in labels], dtype=np.float32), (len(examples), 1))
    weights[np.ix_([example.marrow_changed for example in examples], _MARROW)] /= 2
    return weights


def likeliest_temperatures(chances: Sequence[Tensor], labels: LabelBatch) -> tuple[float, ...]:
    """One temperature per task from the (N, classes) probabilities of each and what the labels admit."""
    logs = [of_task.double().clamp(min=LEAST_CHANCE).log() for of_task in chances]
    log_temperatures = torch.zeros(len(Task), dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([log_temperatures], max_iter=200, line_search_fn="strong_wolfe")

    def surprise() -> Tensor:
        descent.zero_grad()
        milder = {task: logs[row] / log_temperatures[row].exp() for row, task in enumerate(Task)}
        deviations = log_temperatures / _PRIOR_SPREAD
        total = set_loss(milder, labels) * len(labels.weights) + (deviations**2).sum() / 2
        total.backward()  # type: ignore[no-untyped-call]
        return total

    descent.step(surprise)  # type: ignore[no-untyped-call]
    return tuple(round(temperature, 3) for temperature in log_temperatures.detach().exp().tolist())
