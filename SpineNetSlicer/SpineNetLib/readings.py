"""What holds after the readers: every grade as it stands, under the level as it is now called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS, Task
from SpineNetLib.corrections import Correction, GradeCorrection, last_corrections, levels_moved
from SpineNetLib.results import AutomaticScore, DiscFinding, Findings

_CHAIN = ("T6", "T7", *VERTEBRA_LEVELS, "S2", "S3")
_FIRST_ABNORMAL = {Task.PFIRRMANN: 3}


@dataclass(frozen=True)
class GradeReading:
    """A grade as it stands. automatic: None where the disc was not scored. correction: None where nobody changed it."""

    task: Task
    grade: int
    automatic: AutomaticScore | None
    correction: GradeCorrection | None

    @property
    def probability(self) -> float | None:
        """What the network gave the grade that stands, in [0, 1]."""
        return None if self.automatic is None else self.automatic.probabilities[self.task.grades.index(self.grade)]

    @property
    def uncertainty(self) -> float | None:
        """Spread of the automatic grade's probability; None once a reader decided."""
        return None if self.automatic is None or self.correction is not None else self.automatic.uncertainty

    @property
    def is_abnormal(self) -> bool:
        """ours: a Pfirrmann grade from 3 up, every other grade above the lowest."""
        return self.grade >= _FIRST_ABNORMAL.get(self.task, self.task.grades[1])


@dataclass(frozen=True)
class DiscReading:
    """One of the six graded levels. finding: None where the levels were moved and nothing was analysed here."""

    level: str
    finding: DiscFinding | None
    grades: Mapping[Task, GradeReading]

    @property
    def status(self) -> str:
        return "scored" if self.finding is not None and self.finding.scores else "not scored"

    @property
    def reason(self) -> str | None:
        """Why there is no automatic score, in one sentence."""
        return "Nothing was analysed here: the levels were moved." if self.finding is None else self.finding.reason


def readings(findings: Findings, log: Sequence[Correction]) -> tuple[DiscReading, ...]:
    """The six levels of DISC_LEVELS; a disc that was moved beyond them is left out."""
    moved = levels_moved(log)
    found = {moved_level(disc.level, moved): disc for disc in findings.discs}
    corrections = last_corrections(log)
    return tuple(_reading(level, found.get(level), corrections) for level in DISC_LEVELS)


def levels_shown(
    discs: Sequence[DiscReading], task: Task, level: str | None, abnormal_only: bool
) -> tuple[str, ...] | None:
    """Analysed levels whose evidence is to be seen: of the disc now called `level` or, for None, of every disc.

    abnormal_only: leaves out discs whose grade of the task is normal or missing. None where nothing is left out.
    """
    if level is None and not abnormal_only:
        return None
    chosen = [disc for disc in discs if disc.finding is not None and level in {None, disc.level}]
    if abnormal_only:
        chosen = [disc for disc in chosen if task in disc.grades and disc.grades[task].is_abnormal]
    return tuple(disc.finding.level for disc in chosen if disc.finding is not None)


def moved_level(level: str, steps: int) -> str:
    """Name of the vertebra or disc `steps` levels towards the feet, such as L5-S1 from L4-L5 and 1."""
    return "-".join(_CHAIN[_CHAIN.index(vertebra) + steps] for vertebra in level.split("-"))


def _reading(
    level: str, finding: DiscFinding | None, corrections: Mapping[tuple[str, Task], GradeCorrection]
) -> DiscReading:
    if finding is None:
        return DiscReading(level, None, {})
    grades = {}
    for task in Task:
        automatic, correction = finding.scores.get(task), corrections.get((finding.level, task))
        if correction is not None and correction.new is not None:
            grades[task] = GradeReading(task, correction.new, automatic, correction)
        elif automatic is not None:
            grades[task] = GradeReading(task, automatic.grade, automatic, None)
    return DiscReading(level, finding, grades)
