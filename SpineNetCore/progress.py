"""What stage the work is in, how far it is, and how long each stage took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

Count = Callable[[int, int], None]
"""Called with how much of a stage is done, and of how much."""


def uncounted(done: int, total: int) -> None:
    """Count for nobody."""


class ProgressSink(Protocol):
    """Whoever shows progress: a terminal's bar, lines of JSON, or nobody."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


def silent(stage: str, done: int, total: int) -> None:
    """Show nothing."""


class Stages:
    """Names the stages of a run one after the other, tells a sink how far each is, and keeps their seconds."""

    def __init__(self, sink: ProgressSink = silent) -> None:
        self._sink = sink
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[Count]:
        """One stage; yields the function to count its progress with."""
        began = time.perf_counter()
        self._sink(name, 0, 1)
        total_seen = 1

        def count(done: int, total: int) -> None:
            nonlocal total_seen
            total_seen = total
            self._sink(name, done, total)

        yield count
        self._sink(name, total_seen, total_seen)
        self.seconds[name] = time.perf_counter() - began
