from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.phantom import PhantomSettings, read_again
from SpineNetCore.learning.phantom.grades import draw_grades
from SpineNetCore.learning.phantom.second_reader import confusion

PAPER_AGREEMENT = (70.4, 72.0, 80.7, 83.3, 92.5, 91.4)
AGREEMENTS = list(zip(Task, PAPER_AGREEMENT, strict=True))
PAPER_ABNORMAL = {Task.UPPER_ENDPLATE: 0.09, Task.LOWER_ENDPLATE: 0.09, Task.UPPER_MARROW: 0.15}


@pytest.fixture(scope="module")
def two_readings() -> dict[Task, np.ndarray]:
    """(2, discs) per task: the truth and the second reader."""
    rng = np.random.default_rng(0)
    truths = [disc for _ in range(700) for disc in list(draw_grades(rng, PhantomSettings()).values())[-6:]]
    seconds = [read_again(rng, disc) for disc in truths]
    return {task: np.array([[disc[task] for disc in reading] for reading in (truths, seconds)]) for task in Task}


@pytest.mark.parametrize(("task", "agreement"), AGREEMENTS)
def test_two_readings_agree_as_often_as_the_papers_radiologist_with_himself(two_readings, task, agreement):
    truth, second = two_readings[task]
    recalls = [(second[truth == grade] == grade).mean() for grade in task.grades]
    assert 100 * np.mean(recalls) == pytest.approx(agreement, abs=3.0)  # a few hundred discs in the rarest grade


def test_the_second_reader_sees_as_many_defects_as_the_first(two_readings):
    for task, share in PAPER_ABNORMAL.items():
        assert two_readings[task][1].mean() == pytest.approx(share, abs=0.03)


def test_no_reader_is_off_by_more_than_one_grade(two_readings):
    for truth, second in two_readings.values():
        assert np.abs(second - truth).max() == 1


@pytest.mark.parametrize(("task", "agreement"), AGREEMENTS)
def test_the_chances_themselves_give_the_papers_agreement_exactly(task, agreement):
    chances = confusion(task)
    assert (chances >= 0).all()
    assert np.allclose(chances.sum(axis=1), 1)
    assert 100 * np.diag(chances).mean() == pytest.approx(agreement)


def test_the_same_generator_reads_the_same():
    truth = draw_grades(np.random.default_rng(3), PhantomSettings())["L4-L5"]
    assert read_again(np.random.default_rng(5), truth) == read_again(np.random.default_rng(5), truth)
