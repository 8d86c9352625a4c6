"""All that a step of a grader's training learns from, drawn ahead by helpers."""

from __future__ import annotations

from dataclasses import dataclass

from torch.utils.data import DataLoader, Dataset

from SpineNetCore.learning.disc_batches import DiscBatch, DiscBatches
from SpineNetCore.learning.evidence_guidance import LesionLooks, draw_lesions
from SpineNetCore.learning.grader_data import GraderData
from SpineNetCore.learning.grader_recipe import GraderRecipe
from SpineNetCore.learning.processes import Process

DRAWN_AHEAD = 2
"""Batches that each helper holds ready."""


@dataclass(frozen=True)
class GraderBatch:
    """What one step learns from; lesions: none where evidence is not guided."""

    discs: DiscBatch
    lesions: LesionLooks | None


class GraderBatches(Dataset[GraderBatch]):
    """Item k is what one process learns from in step k + 1."""

    def __init__(self, data: GraderData, recipe: GraderRecipe, process: Process) -> None:
        self._lesions = data.lesions if data.guides(recipe) else ()
        self._recipe, self._process = recipe, process
        self._discs = DiscBatches(data.pools, recipe, process.rank, process.count)

    def __getitem__(self, step: int) -> GraderBatch:
        return GraderBatch(self._discs[step], self._drawn_lesions(step))

    def _drawn_lesions(self, step: int) -> LesionLooks | None:
        if not self._lesions:
            return None
        return draw_lesions(self._lesions, self._recipe, step, self._process.rank, self._process.count)


def load_batches(data: GraderData, recipe: GraderRecipe, process: Process, steps: range) -> DataLoader[GraderBatch]:
    """What a process learns from in some steps, counted from 0, drawn ahead by its helpers."""
    batches = GraderBatches(data, recipe, process)
    ahead = DRAWN_AHEAD if process.loaders else None
    return DataLoader(batches, batch_size=None, sampler=steps, num_workers=process.loaders, prefetch_factor=ahead)
