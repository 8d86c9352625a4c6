"""Discs of patients with lesions drawn into them: real pictures whose grades, sides and places are known.

What readers call normal, lesions are drawn into; what they call abnormal, or nothing, is left as it is. Each is drawn
or not whatever the others are, and bright discs are darkened, so that one finding does not tell of another. So that
what drawing does to a picture tells nothing, some dents too shallow to count, discs hardly lower, and changes of marrow
away from the endplates are drawn, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE
from SpineNetCore.learning.disc_examples import DiscExample, LabelledDisc
from SpineNetCore.learning.implant_shapes import Endplate, Places, darkened, dented, narrowed, with_marrow_changed
from SpineNetCore.learning.lesions import Lesion, Mask

VARIANTS = 3
"""How many times each disc is drawn into by default."""

_TASKS = tuple(Task)
_SIDES = ((0, -1, Task.UPPER_ENDPLATE, Task.UPPER_MARROW), (1, 1, Task.LOWER_ENDPLATE, Task.LOWER_MARROW))
"""Which endplate, on which side of it its body lies, and its two tasks."""

_DARK = [Task.PFIRRMANN.grades.index(grade) for grade in (4, 5)]
"""What a darkened disc may be: which of them depends on its height, too."""

_HEIGHT_LOST = {2: (0.16, 0.33), 3: (0.36, 0.58), 4: (0.62, 0.75)}
"""Shares of a disc's height by grade of narrowing: none is under a tenth, slight to a third, moderate to 0.6."""

_GRADES_DRAWN = (0.4, 0.35, 0.25)
_DEEP_ENOUGH_MM, _DEEPER_MM, _DEEPEST_MM = 2.5, 1.5, 7.0
_SMALLEST_DENT, _SMALLEST_CHANGE = 40, 80
"""Voxels of the context."""


@dataclass(frozen=True)
class Implanted:
    """A disc with at least one lesion drawn into it.

    disc: with all that is known of it. tested: with that alone which readers called normal before. lesions: where they
    were drawn.
    """

    disc: DiscExample
    tested: DiscExample
    lesions: tuple[Lesion, ...]


def implanted_discs(discs: Iterable[LabelledDisc], variants: int, seed: int) -> Iterator[Implanted]:
    """So many versions of each disc, each drawn by a generator of its own; those that stayed as they are left out."""
    for place, (cut, example) in enumerate(discs):
        for variant in range(variants):
            drawn = implanted(np.random.default_rng((seed, place, variant)), example, cut.endplates)
            if drawn is not None:
                yield drawn


def implanted(rng: np.random.Generator, example: DiscExample, endplates: Places) -> Implanted | None:
    """The disc with lesions drawn into it, None where none came out; endplates: (2, 2, 2) upper and lower."""
    slices = (example.slices / 255).astype(np.float32)
    canvas = _Canvas(example, slices, endplates, example.admissible.copy(), {})
    _darken(rng, canvas)
    _narrow(rng, canvas)
    for side, towards_body, endplate_task, marrow_task in _SIDES:
        endplate = Endplate(canvas.endplates[side], towards_body, example.first)
        _dent(rng, canvas, endplate, endplate_task)
        _change_marrow(rng, canvas, endplate, marrow_task)
    return canvas.implanted() if (canvas.admissible != example.admissible).any() else None


@dataclass
class _Canvas:
    """A disc while it is drawn into. lesions: of the tasks drawn abnormal, bool like `slices`."""

    example: DiscExample
    slices: FloatArray
    endplates: Places
    admissible: NDArray[np.bool_]
    lesions: dict[Task, Mask]

    def is_normal(self, task: Task) -> bool:
        row = self.admissible[_TASKS.index(task)]
        return bool(row[0] and row.sum() == 1)

    def grade(self, task: Task, grade: int) -> None:
        row = self.admissible[_TASKS.index(task)]
        row[:] = False
        row[task.grades.index(grade)] = True

    def implanted(self) -> Implanted:
        packed = np.rint(self.slices.clip(0, 1) * 255).astype(np.uint8)
        disc = replace(self.example, slices=packed, admissible=self.admissible)
        was_normal = self.example.admissible[:, :1] & (self.example.admissible.sum(axis=1, keepdims=True) == 1)
        is_drawn = np.array([[task is not Task.PFIRRMANN] for task in Task])
        tested = replace(disc, admissible=disc.admissible & was_normal & is_drawn, marrow_changed=False)
        lesions = tuple(Lesion(disc, task, self._voxels(mask)) for task, mask in self.lesions.items())
        return Implanted(disc, tested, lesions)

    def _voxels(self, mask: Mask) -> NDArray[np.uint32]:
        whole = np.zeros(CONTEXT_SHAPE, dtype=bool)
        whole[self.example.first :][: len(mask)] = mask
        return np.flatnonzero(whole).astype(np.uint32)


def _darken(rng: np.random.Generator, canvas: _Canvas) -> None:
    """Without it a dark disc would tell of defects and lost height, which on patients come with it."""
    row = canvas.admissible[_TASKS.index(Task.PFIRRMANN)]
    if rng.random() < 0.5 and row.any() and not row[_DARK].any():
        canvas.slices = darkened(rng, canvas.slices, canvas.endplates)
        row[:] = False
        row[_DARK] = True


def _narrow(rng: np.random.Generator, canvas: _Canvas) -> None:
    chance = rng.random()
    if not canvas.is_normal(Task.NARROWING) or chance > 0.5:
        return
    lost = rng.uniform(0, 0.07)
    if chance < 0.35:
        grade = int(rng.choice(list(_HEIGHT_LOST), p=_GRADES_DRAWN))
        lost = rng.uniform(*_HEIGHT_LOST[grade])
        canvas.grade(Task.NARROWING, grade)
    canvas.slices, canvas.endplates = narrowed(canvas.slices, canvas.endplates, 1 - lost)


def _dent(rng: np.random.Generator, canvas: _Canvas, endplate: Endplate, task: Task) -> None:
    chance = rng.random()
    if canvas.is_normal(task) and chance < 0.33:
        depth_mm = min(_DEEP_ENOUGH_MM + rng.exponential(_DEEPER_MM), _DEEPEST_MM)
        canvas.slices, lesion = dented(rng, canvas.slices, endplate, depth_mm)
        if lesion.sum() > _SMALLEST_DENT:
            canvas.grade(task, 1)
            canvas.lesions[task] = lesion
    elif chance < 0.58:
        canvas.slices, _ = dented(rng, canvas.slices, endplate, rng.uniform(0.2, 1.1))


def _change_marrow(rng: np.random.Generator, canvas: _Canvas, endplate: Endplate, task: Task) -> None:
    chance = rng.random()
    if canvas.is_normal(task) and chance < 0.33:
        canvas.slices, lesion = with_marrow_changed(rng, canvas.slices, endplate)
        if lesion.sum() > _SMALLEST_CHANGE:
            canvas.grade(task, 1)
            canvas.lesions[task] = lesion
    elif chance < 0.45:
        canvas.slices, _ = with_marrow_changed(rng, canvas.slices, endplate, away_mm=rng.uniform(11, 18))
