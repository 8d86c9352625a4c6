"""A process of our own with all the processes it starts: heard while it runs, ended as one."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

_PATIENCE_S = 0.5
"""ours: how long a process asked to end may clean up, so that ending takes less than a second in all."""
_LOOK_AGAIN_S = 0.02
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # else Windows opens a console for every process


class Process(Protocol):
    """A process that was started."""

    def new_lines(self) -> list[str]:
        """The lines on stderr since the last call."""
        ...

    def exit_status(self) -> int | None:
        """None while it runs; afterwards `new_lines` gives all the rest."""
        ...

    def end(self) -> None:
        """End it with its whole tree within a second; harmless when it has ended."""
        ...


ProcessFactory = Callable[[Sequence[str], Mapping[str, str], Path], Process]
"""Starts a command with an environment in a folder; raises OSError where it cannot."""


class ChildProcess:
    """The process factory of this computer; a thread reads, so that a full pipe never stops the process."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=os.name != "nt",  # a group of its own, which one signal reaches
            creationflags=_NO_WINDOW,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(self._process.stderr,), daemon=True)
        self._reader.start()

    def new_lines(self) -> list[str]:
        lines = []
        while not self._lines.empty():
            lines.append(self._lines.get())
        return lines

    def exit_status(self) -> int | None:
        status = self._process.poll()
        if status is not None and self._reader.is_alive():
            self._reader.join(_PATIENCE_S)  # a process it left behind may hold the pipe open for longer
        return status

    def end(self) -> None:
        if os.name == "nt":
            _end_tree_on_windows(self._process)
        else:
            _end_group(self._process)
        self._process.wait()
        self._reader.join(_PATIENCE_S)

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._lines.put(line.rstrip("\r\n"))


def _end_group(process: subprocess.Popen[str]) -> None:
    """Ask first, so that the core removes what it has half written, then insist."""
    _signal_group(process, signal.SIGTERM)
    until = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < until:
        time.sleep(_LOOK_AGAIN_S)
    _signal_group(process, signal.SIGKILL)


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    try:
        os.killpg(process.pid, number)  # the group keeps its number for as long as one process of it lives
    except (ProcessLookupError, PermissionError):  # nobody is left; macOS says so of a group of zombies
        return


def _end_tree_on_windows(process: subprocess.Popen[str]) -> None:
    """There is no way to ask there; after its own end Windows no longer knows what a process started."""
    if process.poll() is None:
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(command, check=False, capture_output=True, creationflags=_NO_WINDOW)
