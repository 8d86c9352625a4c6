"""Lesions drawn into patients' discs, as the scorecard asks for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from grader_making import a_disc
from lesion_making import a_tiny_network

from SpineNetCore.anatomy import Task
from SpineNetCore.disc_volume import DISC_SHAPE
from SpineNetCore.learning.datasets.graded_scans import DiscLabel, GradedScan, PictureFile, Split
from SpineNetCore.learning.datasets.prepared import CutDisc
from SpineNetCore.learning.hotspot_scorecard import implants
from SpineNetCore.learning.hotspot_scorecard.cases import Grader, LesionedDisc
from SpineNetCore.task_score import TaskScore

ENDPLATES = np.array([[[80.0, 103], [80, 216]], [[110, 103], [110, 216]]])
NORMAL = DiscLabel({task: frozenset({task.grades[0]}) for task in Task})
DEFECT = DiscLabel({Task.UPPER_ENDPLATE: frozenset({1}), Task.LOWER_MARROW: frozenset({0})})


@pytest.fixture(autouse=True)
def all_called_abnormal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cut disc is marrow with a dark band, and the grader calls everything as abnormal as can be."""
    disc = a_disc({}, slices=3)
    disc.slices[:] = 128
    disc.slices[:, 80:111, 103:217] = 25
    monkeypatch.setattr(implants, "cut_discs", lambda *_: [CutDisc("L4-L5", disc.slices, disc.first, ENDPLATES)])
    worst = tuple(TaskScore(task, task.grades[-1], (), 0.0) for task in Task)
    monkeypatch.setattr("SpineNetCore.learning.hotspot_scorecard.cases.score_discs", lambda *_, **__: [worst])


def discs_of(label: DiscLabel, seed: int) -> list[LesionedDisc]:
    graded = GradedScan("5", Path("t.csv"), PictureFile(Path("5.png"), (1.0, 1.0), 6), {"L4-L5": label}, Split.TEST)
    return list(implants.implanted_scan(graded, None, Grader(a_tiny_network()), seed))  # type: ignore[arg-type]


def test_what_was_drawn_is_asked_for_with_its_place_on_the_disc_volume() -> None:
    found = [disc for seed in range(1, 12) for disc in discs_of(NORMAL, seed)]

    assert {score.task for disc in found for score in disc.scores} == {task for task in Task if task.is_binary}
    for disc in found:
        for score, lesion in zip(disc.scores, disc.lesions, strict=True):
            assert lesion.shape == DISC_SHAPE
            rows = np.nonzero(lesion)[1]
            assert (rows.mean() < 55) == (score.task.value.startswith("upper"))


def test_what_a_reader_called_a_defect_is_not_asked_for() -> None:
    found = [disc for seed in range(1, 12) for disc in discs_of(DEFECT, seed)]

    assert {score.task for disc in found for score in disc.scores} == {Task.LOWER_MARROW}
