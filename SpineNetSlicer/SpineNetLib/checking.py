"""Checking labels: a reader gives another grade, or moves all levels by one."""

from __future__ import annotations

from SpineNetCore.anatomy import DISC_LEVELS, MOST_LEVELS_MOVED, Task, disc_level, neighbours
from SpineNetCore.errors import InputError
from SpineNetLib.analysis import Analysis, Part
from SpineNetLib.corrections import GradeCorrection, LevelsMoved, Signature, levels_moved
from SpineNetLib.markers import rename_markers
from SpineNetLib.one_step import in_one_step
from SpineNetLib.readings import DiscReading, moved_level
from SpineNetLib.segments import rename_segments
from SpineNetLib.tables import corrections, current_readings, log_correction


def correct_grade(analysis: Analysis, level: str, task: Task, grade: int | None, signature: Signature) -> None:
    """Let a reader's grade stand for the disc now called `level`; None lets the automatic one stand again.

    Raises InputError for a grade that the task does not have, or a level at which no disc was found.
    """
    if grade is not None and grade not in task.grades:
        known = ", ".join(str(number) for number in task.grades)
        raise InputError(f"{task.title} has no grade {grade}: give one of {known}.")
    reading = reading_of(analysis, level)
    if reading.finding is None or reading.finding.centre_ras_mm is None:
        raise InputError(f"No disc was found at {level}: grade a disc that is in the table with its scores.")
    before = reading.grades.get(task)
    original = None if before is None else before.grade
    with in_one_step(analysis.scene):
        log_correction(analysis, GradeCorrection(signature, reading.finding.level, task, original, grade))


def move_levels(analysis: Analysis, steps: int, signature: Signature) -> None:
    """Call every vertebra and disc by the name `steps` levels towards the feet, or the head when negative.

    Scores and corrections stay with their disc. Raises InputError beyond two levels from the analysis.
    """
    analysis.require(Part.DISC_SEGMENTS)
    before = levels_moved(corrections(analysis))
    after = before + steps
    if abs(after) > MOST_LEVELS_MOVED:
        raise InputError(
            f"The levels cannot lie {abs(after)} from those of the analysis: move them by {MOST_LEVELS_MOVED} at most."
        )
    with in_one_step(analysis.scene):
        log_correction(analysis, LevelsMoved(signature, before, after))
        _rename(analysis, after)


def reading_of(analysis: Analysis, level: str) -> DiscReading:
    """The disc now called `level`; raises InputError for other names."""
    for reading in current_readings(analysis):
        if reading.level == level:
            return reading
    raise InputError(f"'{level}' is no graded level: give one of {', '.join(DISC_LEVELS)}.")


def _rename(analysis: Analysis, moved: int) -> None:
    findings = analysis.findings
    vertebrae = {vertebra.level for vertebra in findings.vertebrae}
    discs = {disc_level(upper.level, lower.level) for upper, lower in neighbours(findings.vertebrae)}
    levels = {*vertebrae, *discs, *(disc.level for disc in findings.discs)}
    names = {level: moved_level(level, moved) for level in levels}
    rename_markers(analysis, names)
    rename_segments(analysis, names)
