"""How often each grade shall occur, as asked for in words such as `upper_marrow=0.4`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.phantom.settings import PAPER_PREVALENCE, Prevalence

_ROUNDING = 0.011
_HARDLY_EVER = 1e-4
_FITTING_STEPS = 2000


def asked_prevalence(requests: Sequence[str]) -> Prevalence:
    """The paper's prevalences, but for the tasks asked for: `TASK=P`, or `TASK=P1,P2,...` with one per grade.

    Where Pfirrmann alone is asked for, narrowing follows it as it usually does. Raises InputError where a request names
    no task, is no probability, has too few or too many, or does not sum to 1.
    """
    asked: dict[Task, tuple[float, ...]] = {}
    for request in requests:
        task, shares = _parsed(request)
        if task in asked:
            raise InputError(f"--prevalence asks for {task.value} twice, last as '{request}': ask for it once.")
        asked[task] = shares
    shares_of = {task: asked.get(task, PAPER_PREVALENCE.of(task)) for task in Task}
    prevalence = Prevalence(
        pfirrmann=shares_of[Task.PFIRRMANN],
        upper_endplate=shares_of[Task.UPPER_ENDPLATE][1],
        lower_endplate=shares_of[Task.LOWER_ENDPLATE][1],
        upper_marrow=shares_of[Task.UPPER_MARROW][1],
        lower_marrow=shares_of[Task.LOWER_MARROW][1],
    )
    if Task.NARROWING not in asked:
        return prevalence
    return replace(prevalence, narrowing=_narrowing(prevalence, asked[Task.NARROWING]))


def _parsed(request: str) -> tuple[Task, tuple[float, ...]]:
    name, _, numbers = request.partition("=")
    tasks = {task.value: task for task in Task}
    if name not in tasks:
        raise InputError(f"--prevalence '{request}' names no grading: write TASK=P with one of {', '.join(tasks)}.")
    return tasks[name], _shares(request, numbers, tasks[name])


def _shares(request: str, numbers: str, task: Task) -> tuple[float, ...]:
    """One share per grade, summing to 1 exactly."""
    count = len(task.grades)
    wanted = "one number, the share of grade 1" if task.is_binary else f"{count} numbers, one per grade"
    try:
        shares = np.array([float(number) for number in numbers.split(",")])
    except ValueError as error:
        raise InputError(f"--prevalence '{request}' is not made of numbers: give {wanted}.") from error
    if len(shares) != (1 if task.is_binary else count):
        raise InputError(f"--prevalence '{request}' has {len(shares)} numbers: give {wanted}.")
    if not ((shares >= 0) & (shares <= 1)).all():
        raise InputError(f"--prevalence '{request}' is not made of shares from 0 to 1: give {wanted}.")
    if task.is_binary:
        return (1 - float(shares[0]), float(shares[0]))
    if abs(shares.sum() - 1) > _ROUNDING:
        raise InputError(f"--prevalence '{request}' sums to {shares.sum():.3g}: the shares of all grades make 1.")
    return tuple((shares / shares.sum()).tolist())


def _narrowing(prevalence: Prevalence, wanted: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Narrowing given the Pfirrmann grade, as near to the usual as the wanted shares allow.

    Iterative proportional fitting of the usual joint table to both margins; what never occurs usually may have to.
    """
    usual = np.asarray(prevalence.narrowing) + _HARDLY_EVER
    rows = np.maximum(np.asarray(prevalence.pfirrmann), 1e-12)
    joint: NDArray[np.float64] = rows[:, None] * usual
    for _ in range(_FITTING_STEPS):
        joint = joint * (np.asarray(wanted) / np.maximum(joint.sum(axis=0), 1e-300))
        joint = joint * (rows / np.maximum(joint.sum(axis=1), 1e-300))[:, None]
    return tuple(tuple(row) for row in (joint / joint.sum(axis=1, keepdims=True)).tolist())
