"""One grade of one disc: what the grader says, for whoever shows it; PyTorch is not needed for that."""

from __future__ import annotations

from dataclasses import dataclass

from SpineNetCore.anatomy import Task


@dataclass(frozen=True)
class TaskScore:
    """One grade of one disc.

    grade: the clinic's number. probabilities: one per class of `task.grades`, summing to 1. uncertainty: standard
    deviation, over the views, of the chosen grade's probability; None of one view.
    """

    task: Task
    grade: int
    probabilities: tuple[float, ...]
    uncertainty: float | None

    @property
    def class_index(self) -> int:
        """Place of the grade among the network's classes."""
        return self.task.grades.index(self.grade)
