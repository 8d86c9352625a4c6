"""The same work on many things, in one process or several."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

_WORK: list[Callable[..., Any]] = []
"""What this process does, where it is one of several."""


@contextmanager
def mapping(work: Callable[..., Any], workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """`work` as `map` would do it on the arguments to come, in their order; several processes share the cores.

    `work` goes to each process once, with all that it holds; arguments go with every call.
    """
    if workers == 1:
        yield partial(map, work)
        return
    threads = max((os.cpu_count() or 1) // workers, 1)
    context = multiprocessing.get_context("spawn")  # forked, torch's threads would hang
    pool = ProcessPoolExecutor(workers, context, _begin, (threads, work))
    try:
        yield partial(pool.map, _do)
    finally:
        pool.shutdown(cancel_futures=True)  # stopped half-way, it would otherwise work on to the end


def _begin(threads: int, work: Callable[..., Any]) -> None:
    torch.set_num_threads(threads)
    _WORK.append(work)


def _do(*arguments: Any) -> Any:
    return _WORK[0](*arguments)
