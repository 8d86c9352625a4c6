"""Many answers in one line: how right they are, how sure, and the intervals over patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from SpineNetCore import agreement
from SpineNetCore.agreement import Counts
from SpineNetCore.learning.bootstrap import Estimate, Places, bootstrapped_together
from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.grading.calibration import Bin, Sureness, fitted_temperature, sureness
from SpineNetCore.learning.grading.label_files import LabelPair
from SpineNetCore.learning.grading.measures import MEASURES, Measure
from SpineNetCore.learning.grading.running import GradedDisc
from SpineNetCore.temperature import tempered


class Figure(Enum):
    """What is told of answers; its value is its name in files. The scaled ones are those after further temperature
    scaling.
    """

    BALANCED = "balanced_accuracy"
    ACCURACY = "accuracy"
    WITHIN_ONE = "within_one"
    KAPPA = "quadratic_kappa"
    LOSS = "negative_log_likelihood"
    SCALED_LOSS = "negative_log_likelihood_scaled"
    ERROR = "calibration_error"
    SCALED_ERROR = "calibration_error_scaled"


@dataclass(frozen=True)
class Answers:
    """All answers to one question that the truth answers too.

    patients: whose discs they are. truth, given: (N,) class indices. chances: (N, classes), None where grades are all
    that is known.
    """

    patients: tuple[str, ...]
    truth: NDArray[np.intp]
    given: NDArray[np.intp]
    chances: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Line:
    """One line of the table.

    patients: whose discs were compared. figures: those that could be measured. temperature: NaN where none is fitted.
    raw, scaled: the bins of the reliability diagram as reported and after scaling, none without probabilities or
    temperature.
    """

    group: str
    measure: Measure
    patients: frozenset[str]
    counts: Counts
    figures: Mapping[Figure, Estimate]
    temperature: float = float("nan")
    raw: tuple[Bin, ...] = ()
    scaled: tuple[Bin, ...] = ()

    @property
    def discs(self) -> int:
        """How many were compared."""
        return int(self.counts.sum())


def summaries(discs: Sequence[GradedDisc], rng: np.random.Generator | None) -> list[Line]:
    """A line per group and measure for the discs to test on; temperatures are fitted on the same group's validation.

    Measures of which fewer than two true classes occur are left out: nothing can be told apart there. rng: of the
    intervals, None for figures without any.
    """
    lines = []
    for group in dict.fromkeys(disc.group for disc in discs):
        tested, watched = (
            [d for d in discs if d.group == group and d.split is s] for s in (Split.TEST, Split.VALIDATION)
        )
        for measure in MEASURES:
            answers = answered(tested, measure)
            if len(np.unique(answers.truth)) > 1:
                lines.append(summarised(group, measure, answers, answered(watched, measure), rng=rng))
    return lines


def answered(discs: Sequence[GradedDisc], measure: Measure) -> Answers:
    """What the grader answers of discs whose labels tell."""
    told = [(disc, known) for disc in discs if (known := measure.truth(disc.label)) is not None]
    chances = np.array([measure.chances(disc.chances) for disc, _ in told]).reshape(-1, len(measure.grades))
    truth = np.array([known for _, known in told], dtype=np.intp)
    given = np.array([measure.answer(disc.chances) for disc, _ in told], dtype=np.intp)
    return Answers(tuple(disc.patient for disc, _ in told), truth, given, chances)


def agreements(pairs: Sequence[LabelPair], group: str, rng: np.random.Generator) -> list[Line]:
    """A line per measure that both of two tables tell of some disc; the first stands for the truth."""
    answers = ((measure, answered_by_labels(pairs, measure)) for measure in MEASURES)
    return [summarised(group, measure, found, rng=rng) for measure, found in answers if found.patients]


def answered_by_labels(pairs: Sequence[LabelPair], measure: Measure) -> Answers:
    """What the second labels say of discs whose first ones tell."""
    both = [(pair.patient, measure.truth(pair.first), measure.truth(pair.second)) for pair in pairs]
    told = [(patient, first, second) for patient, first, second in both if first is not None and second is not None]
    patients = tuple(patient for patient, _, _ in told)
    first, second = (np.array([one[k] for one in told], dtype=np.intp) for k in (1, 2))
    return Answers(patients, first, second)


def summarised(
    group: str, measure: Measure, answers: Answers, fitting: Answers | None = None, *, rng: np.random.Generator | None
) -> Line:
    """Sum up at least one answer; fitting: those of other patients that a temperature is fitted on; rng: as above."""
    raw, scaled, temperature = _surenesses(answers, fitting)
    classes = len(measure.grades)

    def figures(places: Places) -> list[float]:
        counts = agreement.confusion(answers.truth[places], answers.given[places], classes)
        near = float("nan") if measure.is_binary else agreement.within_one(counts)
        return [
            *(agreement.balanced_accuracy(counts), agreement.accuracy(counts), near, agreement.quadratic_kappa(counts)),
            *(sure.loss(places) if sure else float("nan") for sure in (raw, scaled)),
            *(sure.error(places) if sure else float("nan") for sure in (raw, scaled)),
        ]

    estimates = bootstrapped_together(answers.patients, figures, rng)
    return Line(
        group=group,
        measure=measure,
        patients=frozenset(answers.patients),
        counts=agreement.confusion(answers.truth, answers.given, classes),
        figures={
            figure: estimate for figure, estimate in zip(Figure, estimates, strict=True) if not np.isnan(estimate.value)
        },
        temperature=temperature,
        raw=raw.bins() if raw else (),
        scaled=scaled.bins() if scaled else (),
    )


def _surenesses(answers: Answers, fitting: Answers | None) -> tuple[Sureness | None, Sureness | None, float]:
    """As reported, after scaling, and the temperature."""
    if answers.chances is None:
        return None, None, float("nan")
    raw = sureness(answers.chances, answers.truth, answers.given)
    temperature = float("nan")
    if fitting is not None and fitting.chances is not None:
        temperature = fitted_temperature(fitting.chances, fitting.truth)
    if np.isnan(temperature):
        return raw, None, temperature
    return raw, sureness(tempered(answers.chances, temperature), answers.truth, answers.given), temperature
