"""What a wrong grade costs, where labels may be missing, partial or sets, and rare grades count as much as others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.tensors import tensor_of

_TASKS = tuple(Task)
MARROW_ROWS = [_TASKS.index(Task.UPPER_MARROW), _TASKS.index(Task.LOWER_MARROW)]


@dataclass(frozen=True)
class LabelBatch:
    """What the labels of N discs admit.

    admissible: bool (N, 6, 5). weights: (N, 6). marrow_changed: bool (N,), where marrow is known to have changed on one
    side or both, but not on which.
    """

    admissible: Tensor
    weights: Tensor
    marrow_changed: Tensor

    def to(self, device: torch.device) -> LabelBatch:
        """The same on a device."""
        parts = (self.admissible, self.weights, self.marrow_changed)
        return LabelBatch(*(part.to(device, non_blocking=True) for part in parts))


def labels_of(examples: Sequence[DiscExample], weights: NDArray[np.float32]) -> LabelBatch:
    """The labels of some examples; weights: (N, 6)."""
    return LabelBatch(
        tensor_of(np.stack([example.admissible for example in examples])),
        tensor_of(weights),
        torch.tensor([example.marrow_changed for example in examples]),
    )


def set_loss(scores: dict[Task, Tensor], labels: LabelBatch) -> Tensor:
    """Mean over discs of minus the log of the probability of all admissible grades, summed over tasks.

    A marrow change on an unknown side asks that not both sides be normal. Class weights balance each task.
    """
    log_chances = {task: scores[task].float().log_softmax(dim=1) for task in Task}
    total = torch.zeros((), device=labels.weights.device)
    for row, task in enumerate(Task):
        admitted = labels.admissible[:, row, : len(task.grades)]
        is_known = admitted.any(dim=1)
        log_sets = log_chances[task].masked_fill(~admitted, -torch.inf)[is_known].logsumexp(dim=1)
        total = total - (log_sets * labels.weights[is_known, row]).sum()
    both_normal = log_chances[Task.UPPER_MARROW][:, 0] + log_chances[Task.LOWER_MARROW][:, 0]
    log_either = torch.log1p(-torch.exp(both_normal.clamp(max=-1e-4)))
    total = total - (log_either * labels.weights[:, MARROW_ROWS].sum(dim=1))[labels.marrow_changed].sum()
    return total / len(labels.weights)


def balancing_weights(examples: Sequence[DiscExample]) -> NDArray[np.float32]:
    """(N, 6) inverse frequencies of each example's label, mean 1 over a task's labelled examples (section 2)."""
    weights = np.zeros((len(examples), len(Task)), dtype=np.float32)
    for row in range(len(Task)):
        labels = [label_of(example, row) for example in examples]
        counts = Counter(label for label in labels if label)
        for place, label in enumerate(labels):
            weights[place, row] = counts.total() / (len(counts) * counts[label]) if label else 0
    return weights


def label_of(example: DiscExample, row: int) -> tuple[bool, ...] | None:
    """What an example says of the task of a row, as something to count; None where it says nothing."""
    if example.admissible[row].any():
        return tuple(example.admissible[row].tolist())
    return (True,) if row in MARROW_ROWS and example.marrow_changed else None
