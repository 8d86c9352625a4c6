"""What the networks can run on here, found out by a process of its own: PyTorch takes seconds to load."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from SpineNetLib.child_process import ChildProcess, Process, ProcessFactory
from SpineNetLib.worker import environment, python_executable

_SCRIPT = """
import json, sys, torch
names = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
print(json.dumps({"gpus": names, "built_for_gpu": torch.backends.cuda.is_built()}), file=sys.stderr)
"""


class DeviceSearch:
    """Asks PyTorch in a process of its own, once for every start."""

    def __init__(self, start_process: ProcessFactory = ChildProcess) -> None:
        self._start_process = start_process
        self._process: Process | None = None
        self._said: list[str] = []

    def start(self) -> None:
        """Begin to look; raises OSError where no process can be started."""
        self.stop()
        self._said = []
        command = [python_executable(), "-P", "-c", _SCRIPT]  # -P: nothing from the folder that all users share
        self._process = self._start_process(command, environment(), Path(tempfile.gettempdir()))

    def poll(self) -> str | None:
        """A sentence on what was found, once; None as long as that is not known, or nobody looks."""
        if self._process is None:
            return None
        status = self._process.exit_status()
        self._said += self._process.new_lines()
        if status is None:
            return None
        self.stop()
        return device_sentence(status, self._said)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


def device_sentence(status: int, said: Sequence[str]) -> str:
    """Say what a process that ended with `status` found. said: its lines on stderr."""
    if any("No module named 'torch'" in line for line in said):
        return "PyTorch is not installed yet: Analyse offers to install it."
    found = next((json.loads(line) for line in reversed(said) if line.startswith('{"gpus"')), None)
    if status != 0 or found is None:
        reason = said[-1].strip().rstrip(".") if said else f"exit status {status}"
        return f"PyTorch does not start ({reason}): install it again with Slicer's PyTorch extension."
    if found["gpus"]:
        return f"Found: {', '.join(found['gpus'])}. Automatic uses it."
    if not found["built_for_gpu"]:
        return "The CPU is used: the PyTorch installed here is built for CPUs only."
    return "The CPU is used: PyTorch found no GPU."
