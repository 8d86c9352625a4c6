"""What a training looked like: a row for every validation as CSV, and the same as curves in a picture."""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.anatomy import Task
from SpineNetCore.whole_files import written_whole

log = logging.getLogger(__name__)

Row = Mapping[str, float]
COLUMNS = ("step", "epoch", "rate", "training_loss", "validation_loss", *(task.value for task in Task))


def write_log(rows: Sequence[Row], path: Path) -> None:
    """All rows so far, with `COLUMNS`; what was not measured is empty. Tasks: balanced accuracy on validation."""
    with written_whole(path) as partial, partial.open("w", encoding="utf8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)


def draw_curves(rows: Sequence[Row], path: Path) -> None:
    """Losses and balanced accuracies over the steps as a PNG; without matplotlib, says so and draws nothing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        log.warning("no curves are drawn: install the extra 'train' for them")
        return
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    for name in ("training_loss", "validation_loss"):
        _curve(losses, rows, name, name.replace("_", " "))
    for task in Task:
        _curve(accuracies, rows, task.value, task.title)
    losses.set(xlabel="step", ylabel="loss", ylim=(0, None))
    accuracies.set(xlabel="step", ylabel="balanced accuracy, validation", ylim=(0, 1))
    for axes in (losses, accuracies):
        if axes.lines:
            axes.legend(fontsize="small")
    figure.supxlabel(RESEARCH_USE_NOTICE, fontsize="x-small")
    with written_whole(path) as partial:
        figure.savefig(partial, format="png", dpi=100)


def _curve(axes: object, rows: Sequence[Row], name: str, label: str) -> None:
    points = [(row["step"], row[name]) for row in rows if name in row]
    if points:
        axes.plot(*zip(*points, strict=True), label=label, marker=".")  # type: ignore[attr-defined]
