"""From discs to grades: each disc is seen through fixed views, and the probabilities are averaged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE
from SpineNetCore.network import GradingNetwork, without_batch_norm
from SpineNetCore.processor import has_native_bfloat16
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.task_score import TaskScore
from SpineNetCore.temperature import tempered
from SpineNetCore.tensors import array_of, tensor_of
from SpineNetCore.views import MOST_VIEWS, FixedView, fixed_views

_BATCH = 27
_MIDDLE = CONTEXT_SHAPE[0] // 2
_MIDDLE_ALONE = 3
"""ours: every third pair of views shows the middle slice alone. Most real discs that the grader learned from were
single slices; shown several, it was too sure and more often wrong, see its card.
"""


def score_discs(
    network: GradingNetwork,
    contexts: FloatArray,
    views: int = MOST_VIEWS,
    device: torch.device | str = "cpu",
    progress: Count = uncounted,
) -> list[tuple[TaskScore, ...]]:
    """Score discs from their contexts, (D, 13, 192, 320), by averaging over the fixed views (section 4).

    ours: a third of the views show the middle slice alone, see `_MIDDLE_ALONE`; and the averages are made as mild or as
    sure as the network's temperatures say, which changes no grade.

    Returns per disc one score for every task, in their order. `progress` is called with the views done and their total.
    """
    grader = ready_network(network, device)
    fixed = fixed_views(views)
    scores: list[tuple[TaskScore, ...]] = []
    for place, context in enumerate(tensor_of(contexts)):
        report = counted(progress, place, len(contexts), len(fixed))
        seen = _probabilities(grader, context.to(device), fixed, report)
        scores.append(tuple(map(_score, seen, seen.values(), network.config.temperatures)))
    return scores


def counted(progress: Count, place: int, discs: int, views: int) -> Callable[[int], None]:
    """Tell `progress` how many views of all discs are done when so many of this disc are."""
    return lambda done: progress(place * views + done, discs * views)


def ready_network(network: GradingNetwork, device: torch.device | str) -> GradingNetwork:
    """A copy to look with, not to train: on the device, fixed, in the arithmetic that is quick there.

    ours: on a processor with native bfloat16 the convolutions use it; everything else is float32.
    """
    plain = without_batch_norm(network) if network.config.batch_norm else network
    with torch.device("meta"):
        copy = GradingNetwork(plain.config)
    copy.load_state_dict({name: tensor.to(device) for name, tensor in plain.state_dict().items()}, assign=True)
    for module in copy.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from torch's stubs
            if module.weight.dtype == torch.float32 and has_native_bfloat16(torch.device(device)):
                module.to(torch.bfloat16)
    return copy.eval().requires_grad_(False)


def _is_of_middle(number: int) -> bool:
    return number // 2 % _MIDDLE_ALONE == _MIDDLE_ALONE - 1


def _with_middle_alone(context: Tensor) -> Tensor:
    """(13, 192, 320) with all slices blank but the middle one, or the one nearest to it that has tissue."""
    present = torch.nonzero(context.amax(dim=(1, 2)) > 0).flatten().tolist()
    middle = min(present, key=lambda place: abs(place - _MIDDLE), default=_MIDDLE)
    alone = torch.zeros_like(context)
    alone[middle] = context[middle]
    return alone


@torch.inference_mode()
def _probabilities(
    grader: GradingNetwork, context: Tensor, views: tuple[FixedView, ...], report: Callable[[int], None]
) -> dict[Task, Tensor]:
    """Per task, what every view thinks: (views, classes)."""
    middle_alone = _with_middle_alone(context)
    batches: dict[Task, list[Tensor]] = {task: [] for task in Task}
    for start in range(0, len(views), _BATCH):
        batch = range(start, min(start + _BATCH, len(views)))
        volumes = torch.stack([views[k].cut(middle_alone if _is_of_middle(k) else context) for k in batch])
        for task, class_scores in grader(volumes).items():
            batches[task].append(class_scores.softmax(dim=1))
        report(start + len(batch))
    return {task: torch.cat(parts) for task, parts in batches.items()}


def _score(task: Task, per_view: Tensor, temperature: float) -> TaskScore:
    views = array_of(per_view.double())
    mean = views.mean(axis=0)
    best = int(mean.argmax())
    uncertainty = float(tempered(views, temperature)[:, best].std()) if len(views) > 1 else None
    return TaskScore(task, task.grades[best], tuple(tempered(mean[None], temperature)[0].tolist()), uncertainty)
