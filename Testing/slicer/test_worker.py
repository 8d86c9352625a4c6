from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
import time
import types
from pathlib import Path

import pytest

from SpineNetCore.errors import InputError
from SpineNetLib.child_process import ChildProcess
from SpineNetLib.results import Result
from SpineNetLib.worker import AnalysisError, Options, Progress, Worker, command_line, environment

LONG_ENOUGH_S = 20
REPORTS = """
import json, sys
for done in (0, 1, 2):
    print(json.dumps({"stage": "score", "done": done, "total": 2}), file=sys.stderr, flush=True)
"""
HAS_A_CHILD = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(NOTE).write_text(str(child.pid))
time.sleep(60)
"""
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HAS_A_CHILD


pytestmark = pytest.mark.usefixtures("temporary_files")


def test_what_a_crash_left_behind_a_day_ago_is_removed(temporary_files):
    ages = {"spinenet-analysis-a": 25, "spinenet-analysis-b": 1, "spinenet-analysis-of-mine": 99, "spinenet-work": 99}
    for name, hours in ages.items():
        (temporary_files / name).mkdir()
        (temporary_files / name / ("notes" if name.endswith("mine") else "scan.nrrd")).touch()
        os.utime(temporary_files / name, (time.time() - 3600 * hours,) * 2)
    worker = worker_that_runs("")
    worker.start(write_nothing, Options())
    worker.stop()
    assert sorted(path.name for path in temporary_files.iterdir()) == sorted(ages.keys() - {"spinenet-analysis-a"})


def test_a_scan_analysed_without_evidence_is_graded_again_without(tmp_path):
    assert "--no-hotspots" in command_line(tmp_path, Options(hotspot_views=0))
    assert "--hotspot-views" not in command_line(tmp_path, Options(hotspot_views=0))


@pytest.fixture
def a_note(tmp_path) -> Path:
    """Where a process writes who its child is."""
    return tmp_path / "note"


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def worker_that_runs(script: str) -> Worker:
    """A worker whose process is a real Python with another script."""

    def start(command, environment, folder):
        return ChildProcess([sys.executable, "-c", script], environment, folder)

    return Worker(start)


def outcome(worker: Worker, progress: list[Progress]) -> Result:
    until = time.monotonic() + LONG_ENOUGH_S
    while time.monotonic() < until:
        result = worker.poll(progress.append)
        if result is not None:
            return result
        time.sleep(0.02)
    raise AssertionError("the analysis did not end")


def failure(script: str) -> AnalysisError:
    worker = worker_that_runs(script)
    worker.start(write_nothing, Options())
    with pytest.raises(AnalysisError) as caught:
        outcome(worker, [])
    assert not worker.is_running
    return caught.value


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")  # an orphan may wait to be buried
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def noted(note: Path) -> int:
    until = time.monotonic() + LONG_ENOUGH_S
    while time.monotonic() < until:
        if note.exists() and note.read_text():
            return int(note.read_text())
        time.sleep(0.02)
    raise AssertionError("the process did not start its child")


def test_progress_is_told_in_order_and_the_result_read(a_result_folder, temporary_files):
    script = REPORTS + f"import shutil; shutil.copytree({str(a_result_folder)!r}, 'result')"
    worker, progress = worker_that_runs(script), []
    worker.start(write_nothing, Options())
    assert worker.is_running
    result = outcome(worker, progress)
    assert [(step.stage, step.done, step.total) for step in progress] == [("score", done, 2) for done in (0, 1, 2)]
    assert len(result.findings.discs) == 6
    assert result.disc_labels.voxels.max() > 0
    assert not worker.is_running
    assert list(temporary_files.iterdir()) == []


@pytest.mark.parametrize("script", [HAS_A_CHILD, DEAF], ids=["heeds", "deaf"])
def test_stopping_ends_the_whole_tree_within_a_second(script, a_note, temporary_files):
    worker = worker_that_runs(script.replace("NOTE", repr(str(a_note))))
    worker.start(write_nothing, Options())
    child = noted(a_note)
    assert len(list(temporary_files.iterdir())) == 1
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < 1
    assert not is_alive(child)
    assert not worker.is_running
    assert list(temporary_files.iterdir()) == []


def test_a_process_that_leaves_a_child_behind_is_cleaned_up_after(a_note):
    script = HAS_A_CHILD.replace("NOTE", repr(str(a_note))).replace("time.sleep(60)\n", "", 1)
    orphaning = script.replace("\ntime.sleep(60)", "")
    failure(orphaning + "\nsys.exit(1)")
    assert not is_alive(noted(a_note))


def test_stopping_twice_or_before_the_start_is_harmless():
    worker = worker_that_runs("import time; time.sleep(60)")
    worker.stop()
    worker.start(write_nothing, Options())
    worker.stop()
    worker.stop()
    assert not worker.is_running


def test_a_worker_can_be_used_again(a_result_folder):
    worker = worker_that_runs(f"import shutil; shutil.copytree({str(a_result_folder)!r}, 'result')")
    for _ in range(2):
        worker.start(write_nothing, Options())
        assert len(outcome(worker, []).findings.discs) == 6


def test_a_second_analysis_waits_for_the_first():
    worker = worker_that_runs("import time; time.sleep(60)")
    worker.start(write_nothing, Options())
    with pytest.raises(InputError, match="An analysis is running"):
        worker.start(write_nothing, Options())
    worker.stop()


def test_the_error_line_is_the_sentence_and_everything_said_the_details(temporary_files):
    said = "WARNING something odd\nerror: 'scan.nrrd' is axial: choose a sagittal series.\n"
    error = failure(f"import sys; sys.stderr.write({said!r}); sys.exit(2)")
    assert str(error) == "'scan.nrrd' is axial: choose a sagittal series."
    assert error.details == said.rstrip("\n")
    assert list(temporary_files.iterdir()) == []


def test_our_own_fault_is_one_sentence_with_the_traceback_as_details():
    error = failure("raise ZeroDivisionError('by zero')")
    assert str(error).startswith("The analysis failed (ZeroDivisionError: by zero): ")
    assert "Traceback" in error.details


def test_an_end_without_a_word_is_told_with_its_exit_status():
    assert "exit status 3" in str(failure("import sys; sys.exit(3)"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_killed_from_outside_is_told_so(number):
    assert "ended from outside" in str(failure(f"import os; os.kill(os.getpid(), {int(number)})"))


def test_a_launcher_that_reports_a_killed_process_is_understood():
    assert "ended from outside" in str(failure("import sys; sys.exit(137)"))
    said = "error: [/slicer/python-real] exit abnormally - Report the problem."
    assert "ended from outside" in str(failure(f"import sys; print({said!r}, file=sys.stderr); sys.exit(1)"))


def test_pytorch_missing_leads_to_its_extension():
    assert "PyTorch extension" in str(failure("raise ModuleNotFoundError(\"No module named 'torch'\")"))


def test_a_disk_that_fills_up_during_the_analysis_is_told_so():
    line = f"error: The result cannot be written ({os.strerror(errno.ENOSPC)}): choose another folder."
    assert "is full: free some space" in str(failure(f"import sys; sys.exit({line!r})"))


def full_from_the_start(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=1_000_000))


def full_once_written_to(monkeypatch) -> None:
    def refuse(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys.modules[__name__], "write_nothing", refuse)


@pytest.mark.parametrize("fill", [full_from_the_start, full_once_written_to])
def test_a_disk_without_room_for_the_scan_is_told_so(fill, monkeypatch, temporary_files):
    fill(monkeypatch)
    worker = Worker()
    with pytest.raises(AnalysisError, match="is full: free some space"):
        worker.start(write_nothing, Options())
    assert not worker.is_running
    assert list(temporary_files.iterdir()) == []


def test_a_scan_that_cannot_be_written_starts_nothing(temporary_files):
    def refuse(path: Path) -> None:
        raise InputError("No scan is chosen: choose a sagittal T2 series.")

    worker = Worker()
    with pytest.raises(InputError, match="No scan is chosen"):
        worker.start(refuse, Options())
    assert not worker.is_running
    assert list(temporary_files.iterdir()) == []


def test_a_process_that_says_it_is_done_without_a_result_is_not_believed():
    worker = worker_that_runs("pass")
    worker.start(write_nothing, Options())
    with pytest.raises(InputError, match=r"holds no report\.json"):
        outcome(worker, [])


def test_much_said_in_one_go_does_not_hold_the_process_up():
    error = failure("import sys; sys.stderr.write('long line\\n' * 100_000); sys.exit(1)")
    assert error.details.count("long line") == 100_000


def test_every_choice_reaches_the_command_line(tmp_path):
    command = command_line(tmp_path, Options("cpu", 1, 2, tmp_path / "models"))
    assert command[1:4] == ["-m", "SpineNetCore", "analyse"]
    pairs = dict(zip(command[5::2], command[6::2], strict=True))
    assert pairs == {
        "--output": str(tmp_path / "result"),
        "--progress": "json",
        "--device": "cpu",
        "--views": "1",
        "--hotspot-views": "2",
        "--models": str(tmp_path / "models"),
    }


def test_slicers_own_python_is_taken_where_it_lies_beside_this_one(tmp_path, monkeypatch):
    own = tmp_path / ("PythonSlicer.exe" if os.name == "nt" else "PythonSlicer")
    own.touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert command_line(tmp_path, Options())[0] == str(own)


def test_the_core_is_found_whatever_the_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    process = ChildProcess([sys.executable, "-c", "import SpineNetCore.errors"], environment(), tmp_path)
    until = time.monotonic() + LONG_ENOUGH_S
    while process.exit_status() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert (process.exit_status(), process.new_lines()) == (0, [])


def test_the_cores_own_refusal_reaches_the_user(temporary_files):
    def write(path: Path) -> None:
        path.write_text("no scan at all")

    worker = Worker()
    worker.start(write, Options("cpu", 1, 1))
    with pytest.raises(AnalysisError, match=r"scan\.nrrd") as caught:
        outcome(worker, [])
    assert not str(caught.value).startswith("error")
    assert list(temporary_files.iterdir()) == []
