from __future__ import annotations

import json
import sys
import time
from importlib import import_module

import pytest

from SpineNetLib.child_process import ChildProcess
from SpineNetLib.devices import DeviceSearch, device_sentence

LONG_ENOUGH_S = 60


def found(*names: str, built_for_gpu: bool = True) -> list[str]:
    return ["a warning", json.dumps({"gpus": list(names), "built_for_gpu": built_for_gpu})]


@pytest.mark.parametrize(
    ("status", "said", "sentence"),
    [
        (0, found("NVIDIA H100"), "Found: NVIDIA H100. Automatic uses it."),
        (0, found(), "The CPU is used: PyTorch found no GPU."),
        (0, found(built_for_gpu=False), "The CPU is used: the PyTorch installed here is built for CPUs only."),
        (
            1,
            ["Traceback", "ModuleNotFoundError: No module named 'torch'"],
            "PyTorch is not installed yet: Analyse offers to install it.",
        ),
        (
            1,
            ["OSError: a library is missing."],
            "PyTorch does not start (OSError: a library is missing): install it again with Slicer's PyTorch extension.",
        ),
        (-9, [], "PyTorch does not start (exit status -9): install it again with Slicer's PyTorch extension."),
    ],
)
def test_what_was_found_is_said_in_one_sentence(status, said, sentence):
    assert device_sentence(status, said) == sentence


def test_the_search_says_what_pytorch_finds_here_whatever_lies_in_the_shared_folder(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    torch = import_module("torch")
    search, sentence = DeviceSearch(), None
    assert search.poll() is None
    search.start()
    until = time.monotonic() + LONG_ENOUGH_S
    while sentence is None and time.monotonic() < until:
        sentence = search.poll()
        time.sleep(0.05)
    if torch.cuda.is_available():
        assert sentence == f"Found: {torch.cuda.get_device_name(0)}. Automatic uses it."
    else:
        assert sentence.startswith("The CPU is used: ")
    assert search.poll() is None


def test_a_search_that_is_stopped_leaves_no_process():
    started = []

    def start(command, environment, folder):
        started.append(ChildProcess([sys.executable, "-c", "import time; time.sleep(60)"], environment, folder))
        return started[0]

    search = DeviceSearch(start)
    search.start()
    search.stop()
    assert started[0].exit_status() is not None
