from __future__ import annotations

import builtins

import numpy as np
import pytest
from full_disk import a_full_disk
from PIL import Image

from SpineNetCore.errors import InputError
from SpineNetCore.learning.training_log import COLUMNS, draw_curves, write_log

ROWS = [
    {"step": 100.0, "epoch": 2.5, "rate": 1e-3, "training_loss": 6.0},
    {"step": 200.0, "epoch": 5.0, "rate": 1e-4, "training_loss": 3.0, "validation_loss": 4.0, "pfirrmann": 0.6},
]


def test_the_log_has_a_line_per_row_and_leaves_empty_what_was_not_measured(tmp_path):
    write_log(ROWS, tmp_path / "log.csv")

    assert (tmp_path / "log.csv").read_text("utf-8").splitlines() == [
        ",".join(COLUMNS),
        "100,2.5,0.001,6,,,,,,,",
        "200,5,0.0001,3,4,0.6,,,,,",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


def test_a_full_disk_is_said_and_keeps_the_log_before(tmp_path):
    write_log(ROWS[:1], tmp_path / "log.csv")
    before = (tmp_path / "log.csv").read_text("utf-8")
    with a_full_disk(200), pytest.raises(InputError, match=r"log.csv' cannot be written \(.*\): make room"):
        write_log(ROWS * 20, tmp_path / "log.csv")
    with a_full_disk(200), pytest.raises(InputError, match=r"curves.png' cannot be written \(.*\): make room"):
        draw_curves(ROWS, tmp_path / "curves.png")

    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
    assert (tmp_path / "log.csv").read_text("utf-8") == before


def test_curves_are_drawn_for_what_was_measured(tmp_path):
    draw_curves([], tmp_path / "empty.png")
    draw_curves(ROWS, tmp_path / "curves.png")
    empty, drawn = (np.asarray(Image.open(tmp_path / name)) for name in ("empty.png", "curves.png"))

    assert drawn.shape == empty.shape
    assert (drawn != empty).any(axis=2).mean() > 0.005


def test_without_matplotlib_no_curves_are_drawn_and_it_is_said(tmp_path, monkeypatch, caplog):
    real_import = builtins.__import__

    def without(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    draw_curves(ROWS, tmp_path / "curves.png")

    assert not (tmp_path / "curves.png").exists()
    assert "install the extra 'train'" in caplog.text
