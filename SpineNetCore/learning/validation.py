"""How good a grader is on patients whom it does not learn from, seen through one look each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from SpineNetCore import agreement
from SpineNetCore.anatomy import Task
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.grader_loss import balancing_weights, labels_of, set_loss
from SpineNetCore.network import GradingNetwork
from SpineNetCore.tensors import array_of, tensor_of
from SpineNetCore.views import FixedView

_BATCH = 32


@dataclass(frozen=True)
class Validation:
    """loss: as in training, with the class weights of these discs. accuracies: balanced, of the tasks that two or more
    single grades occur in.
    """

    loss: float
    accuracies: dict[Task, float]


@torch.no_grad()
def validated(network: GradingNetwork, examples: Sequence[DiscExample], device: torch.device) -> Validation:
    """Grade every disc in float32 through the central view; leaves the network in training mode."""
    network.eval()
    weights = balancing_weights(examples)
    total, scores = 0.0, []
    for start in range(0, len(examples), _BATCH):
        part = examples[start : start + _BATCH]
        views = FixedView().cut(tensor_of(np.stack([example.context() for example in part]))).to(device)
        scores.append(network(views.contiguous(memory_format=torch.channels_last)))
        labels = labels_of(part, weights[start : start + _BATCH]).to(device)
        total += float(set_loss(scores[-1], labels)) * len(part)
    network.train()
    admissible = np.stack([example.admissible for example in examples])
    found = {task: balanced_accuracy(torch.cat([s[task] for s in scores]), admissible[:, row]) for row, task in _ROWS}
    return Validation(total / len(examples), {task: value for task, value in found.items() if value is not None})


_ROWS = tuple(enumerate(Task))


def balanced_accuracy(scores: Tensor, admissible: NDArray[np.bool_]) -> float | None:
    """Mean recall over the grades that occur (section 5), (N, classes) against (N, 5); None where fewer than two do.

    Labels that admit several grades are left aside.
    """
    is_single = admissible.sum(axis=1) == 1
    truth, graded = admissible[is_single].argmax(axis=1), array_of(scores)[is_single].argmax(axis=1)
    found = agreement.balanced_accuracy(agreement.confusion(truth, graded, admissible.shape[1]))
    return None if np.isnan(found) else found
