from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.phantom import PhantomSettings, Prevalence, asked_prevalence
from SpineNetCore.learning.phantom.grades import draw_grades


def drawn(prevalence: Prevalence) -> dict[Task, np.ndarray]:
    rng = np.random.default_rng(0)
    patients = [list(draw_grades(rng, PhantomSettings(prevalence=prevalence)).values())[-6:] for _ in range(500)]
    return {task: np.array([disc[task] for discs in patients for disc in discs]) for task in Task}


def test_nothing_asked_is_the_papers_table():
    assert asked_prevalence([]) == Prevalence()


def test_what_is_asked_for_is_what_is_drawn():
    grades = drawn(asked_prevalence(["narrowing=0.1,0.2,0.3,0.4", "upper_marrow=0.4"]))
    assert [(grades[Task.NARROWING] == grade).mean() for grade in (1, 2, 3, 4)] == pytest.approx(
        [0.1, 0.2, 0.3, 0.4], abs=0.06
    )
    assert grades[Task.UPPER_MARROW].mean() == pytest.approx(0.4, abs=0.06)
    assert grades[Task.LOWER_MARROW].mean() == pytest.approx(0.15, abs=0.04)


def test_narrowing_follows_pfirrmann_where_pfirrmann_alone_is_asked_for():
    grades = drawn(asked_prevalence(["pfirrmann=1,0,0,0,0"]))
    assert (grades[Task.PFIRRMANN] == 1).all()
    assert (grades[Task.NARROWING] == 1).all()


def test_a_grade_that_shall_never_occur_does_not():
    prevalence = asked_prevalence(["narrowing=0.5,0.5,0,0", "pfirrmann=0.5,0,0,0,0.5"])
    assert prevalence.of(Task.NARROWING) == pytest.approx((0.5, 0.5, 0, 0), abs=1e-6)


def test_shares_rounded_to_whole_percents_are_taken():
    assert sum(asked_prevalence(["pfirrmann=0.33,0.33,0.33,0,0"]).pfirrmann) == pytest.approx(1)


@pytest.mark.parametrize(
    "request_",
    [
        "modic=0.5",
        "upper_marrow",
        "upper_marrow=often",
        "upper_marrow=0.2,0.8",
        "upper_marrow=1.5",
        "upper_marrow=nan",
        "narrowing=0.5,0.5",
        "pfirrmann=0.5,0.5,0.5,0,0",
        "pfirrmann=-0.5,0.5,0.5,0.5,0",
    ],
)
def test_shares_that_cannot_be_are_refused_and_quoted(request_):
    with pytest.raises(InputError, match=f"'{request_}'"):
        asked_prevalence([request_])


def test_a_task_asked_for_twice_is_refused():
    with pytest.raises(InputError, match="upper_marrow twice"):
        asked_prevalence(["upper_marrow=0.2", "upper_marrow=0.4"])
