"""One analysis at a time, as a separate process of Slicer's own Python that can be watched and ended."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import SpineNetCore
from SpineNetCore.errors import InputError
from SpineNetLib.child_process import ChildProcess, Process, ProcessFactory
from SpineNetLib.results import Result, read_result

_PREFIX = "spinenet-analysis-"
_LONGEST_ANALYSIS_S = 86_400.0
_SCAN_FILE = "scan.nrrd"
_RESULT_FOLDER = "result"
_REPORT_FILE = "report.json"
_ERROR = "error: "
_STOPPED = 128
"""Exit statuses from here on say that a signal ended the process, as negative ones do."""
_LEAST_FREE_BYTES = 100_000_000
"""ours: room for a large scan with its seven maps, compressed."""


@dataclass(frozen=True)
class Options:
    """What the user chose.

    device: auto, cpu or cuda. hotspot_views: 0 for no evidence. models: None for those that come with SpineNet. report:
    the text of a `report.json` whose vertebrae and discs are taken as they are, None to find them. levels: the discs to
    grade, all when empty.
    """

    device: str = "auto"
    views: int = 54
    hotspot_views: int = 32
    models: Path | None = None
    report: str | None = None
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far the process is in a stage."""

    stage: str
    done: int
    total: int


class AnalysisError(Exception):
    """The analysis came to no result: the message is one sentence for the user, details all that the process said."""

    def __init__(self, sentence: str, details: str = "") -> None:
        super().__init__(sentence)
        self.details = details


class Worker:
    """Starts an analysis, tells how far it is whenever asked, and leaves neither processes nor files behind."""

    def __init__(self, start_process: ProcessFactory = ChildProcess) -> None:
        self._start_process = start_process
        self._process: Process | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._said: list[str] = []

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self, write_scan: Callable[[Path], None], options: Options) -> None:
        """Let `write_scan` write the scan to a temporary file, and start analysing it.

        Raises InputError where the scan cannot be used or an analysis is running, AnalysisError where nothing starts.
        """
        if self.is_running:
            raise InputError("An analysis is running: cancel it or wait for its end.")
        self._said = []
        _remove_what_crashes_left()
        try:
            self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
            folder = Path(self._folder.name)
            if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
                raise AnalysisError(_disk_full())
            write_scan(folder / _SCAN_FILE)
            if options.report is not None:
                (folder / _REPORT_FILE).write_text(options.report, "utf-8")
            self._process = self._start_process(command_line(folder, options), environment(), folder)
        except OSError as error:
            raise AnalysisError(_start_sentence(error), str(error)) from error
        finally:
            if self._process is None:
                self._remove_folder()

    def poll(self, on_progress: Callable[[Progress], None]) -> Result | None:
        """Pass on the progress since the last call; returns the result once there is one, None as long as it runs.

        Raises AnalysisError or InputError once the analysis failed.
        """
        if self._process is None or self._folder is None:
            raise InputError("No analysis is running: start one.")
        status = self._process.exit_status()  # asked first, so that nothing said before the end is missed
        self._listen(self._process, on_progress)
        if status is None:
            return None
        try:
            if status != 0:
                raise AnalysisError(failure_sentence(status, self._said), "\n".join(self._said))
            return read_result(Path(self._folder.name) / _RESULT_FOLDER)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the analysis, if one is running, with all its processes within a second, and remove its files."""
        process, self._process = self._process, None
        try:
            if process is not None:
                process.end()
        finally:
            self._remove_folder()

    def _listen(self, process: Process, on_progress: Callable[[Progress], None]) -> None:
        for line in process.new_lines():
            progress = _progress_of(line)
            if progress is None:
                self._said.append(line)
            else:
                on_progress(progress)

    def _remove_folder(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()


def _remove_what_crashes_left() -> None:
    """Pictures of patients are not to lie about for ever where Slicer was killed during an analysis."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another's, or gone by now
            is_old = time.time() - folder.stat().st_mtime > _LONGEST_ANALYSIS_S
            if is_old and not folder.is_symlink() and (folder / _SCAN_FILE).is_file():
                shutil.rmtree(folder)


def command_line(folder: Path, options: Options) -> list[str]:
    """The command that analyses the scan in `folder` and writes its result there."""
    command = [python_executable(), "-m", "SpineNetCore", "analyse", str(folder / _SCAN_FILE)]
    command += ["--output", str(folder / _RESULT_FOLDER), "--progress", "json", "--device", options.device]
    command += ["--views", str(options.views)]
    command += ["--hotspot-views", str(options.hotspot_views)] if options.hotspot_views else ["--no-hotspots"]
    if options.models is not None:
        command += ["--models", str(options.models.absolute())]
    if options.report is not None:
        command += ["--vertebrae", str(folder / _REPORT_FILE)]
    if options.levels:
        command += ["--levels", ",".join(options.levels)]
    return command


def python_executable() -> str:
    """PythonSlicer where this is Slicer, otherwise the Python that runs this."""
    name = "PythonSlicer.exe" if os.name == "nt" else "PythonSlicer"
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else shutil.which(name) or sys.executable


def environment() -> dict[str, str]:
    """This process's environment, in which Python finds the core and speaks UTF-8."""
    core = str(Path(SpineNetCore.__file__).resolve().parents[1])
    paths = [core, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}


_ABNORMAL = "exit abnormally"
"""Slicer's launcher of Python says so of a process that was killed, and itself ends with status 1."""


def failure_sentence(status: int, said: Sequence[str]) -> str:
    """Say in one sentence why a process ended with `status` without a result. said: its lines on stderr."""
    errors = [line.removeprefix(_ERROR) for line in said if line.startswith(_ERROR)]
    if any(os.strerror(errno.ENOSPC) in line for line in said):
        return _disk_full()
    if any("No module named 'torch'" in line for line in said):
        return "PyTorch is not installed: install it with Slicer's PyTorch extension and analyse again."
    if status < 0 or status >= _STOPPED or any(_ABNORMAL in line for line in said):
        return (
            "The analysis was ended from outside, perhaps because memory ran out: close other programs and analyse "
            "again."
        )
    if errors:
        return errors[-1]
    last = said[-1].strip().rstrip(".") if said else f"exit status {status}, without a word"
    return f"The analysis failed ({last}): analyse again, and report the details if it fails again."


def _progress_of(line: str) -> Progress | None:
    try:
        entry = json.loads(line)
        return Progress(str(entry["stage"]), int(entry["done"]), int(entry["total"]))
    except (ValueError, KeyError, TypeError):
        return None


def _start_sentence(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return _disk_full()
    return f"The analysis cannot be started ({error.strerror or error}): check '{tempfile.gettempdir()}' and try again."


def _disk_full() -> str:
    return f"The disk that holds '{tempfile.gettempdir()}' is full: free some space and analyse again."
