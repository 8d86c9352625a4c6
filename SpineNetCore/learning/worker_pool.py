"""The same work on many things, in one process or several."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def mapping(workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """Something to use like `map`, which keeps the order; several processes share the cores."""
    if workers == 1:
        yield map
        return
    threads = max((os.cpu_count() or 1) // workers, 1)
    context = multiprocessing.get_context("spawn")  # forked, torch's threads would hang
    pool = ProcessPoolExecutor(workers, context, torch.set_num_threads, (threads,))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)  # stopped half-way, it would otherwise work on to the end
