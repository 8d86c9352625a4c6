"""Discs of noise with chosen labels, and recipes so small that a training takes moments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from SpineNetCore.anatomy import Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE
from SpineNetCore.learning.disc_batches import DiscPool
from SpineNetCore.learning.disc_examples import MOST_GRADES, DiscExample
from SpineNetCore.learning.grader_data import GraderData
from SpineNetCore.learning.grader_recipe import PAPER_RECIPE, GraderRecipe
from SpineNetCore.learning.lesions import Lesion
from SpineNetCore.model_files import DETECTOR_KIND, save_model
from SpineNetCore.models import DETECTOR_FILE, GRADER_FILE, save_network
from SpineNetCore.network import GradingNetwork, NetworkConfig, without_batch_norm
from SpineNetCore.vertebra_network import VertebraNetwork

TINY = NetworkConfig(fc6=8, fc7=8, conv_widths=(4, 4, 4, 4, 4), batch_norm=True)
QUICK = GraderRecipe(network=TINY, steps=4, batch=2, validate_every=2, checkpoint_every=2)
PAPER = replace(
    PAPER_RECIPE, network=replace(TINY, batch_norm=False), epochs=4, batch=2, checkpoint_every=2, patience=0
)
GUIDED = replace(QUICK, guidance=0.5, guided=2)
ROWS = {task: row for row, task in enumerate(Task)}
MIDDLE = CONTEXT_SHAPE[0] // 2
LESION_PLACE = int(np.ravel_multi_index((MIDDLE - 1, 80, 150), CONTEXT_SHAPE))


def a_disc(
    grades: dict[Task, set[int]], slices: int = 9, marrow_changed: bool = False, brightness: int = 200
) -> DiscExample:
    admissible = np.zeros((len(Task), MOST_GRADES), dtype=bool)
    for task, admitted in grades.items():
        admissible[ROWS[task], [task.grades.index(grade) for grade in admitted]] = True
    voxels = np.random.default_rng(slices).integers(brightness // 2, brightness, (slices, *CONTEXT_SHAPE[1:]))
    return DiscExample("1", "L4-L5", voxels.astype(np.uint8), MIDDLE - slices // 2, admissible, marrow_changed)


def a_lesion(task: Task = Task.UPPER_ENDPLATE, place: int = LESION_PLACE) -> Lesion:
    """Four slices of noise, in two of which a bright block lies above mid-disc, or begins at a place of the context."""
    disc = a_disc({task: {1}}, slices=4, brightness=120)
    steps = np.ravel_multi_index(np.indices((2, 12, 30)), CONTEXT_SHAPE).ravel()
    voxels = (place + steps).astype(np.uint32)
    context = np.zeros(CONTEXT_SHAPE, dtype=np.uint8)
    context.ravel()[voxels] = 250
    bright = np.maximum(disc.slices, context[disc.first : disc.first + 4])
    return Lesion(replace(disc, slices=bright), task, voxels)


def a_pool() -> DiscPool:
    bright = a_disc({Task.PFIRRMANN: {1}, Task.NARROWING: {1}}, brightness=250)
    dark = a_disc({Task.PFIRRMANN: {5}, Task.NARROWING: {2, 3, 4}}, slices=1, marrow_changed=True, brightness=60)
    return DiscPool([bright, dark])


def a_data() -> GraderData:
    """A pool and a lesion to learn from, and three discs of other grades to be watched."""
    watched = [a_disc({Task.PFIRRMANN: {grade}}, slices=1, brightness=50 * grade) for grade in (1, 2, 5)]
    return GraderData([a_pool()], watched, [a_lesion()])


def write_detector(folder: Path) -> Path:
    """An untrained detector, which finds nothing, in a folder of models."""
    network = VertebraNetwork()
    save_model(network, network.config, DETECTOR_KIND, folder / DETECTOR_FILE)
    return folder


def write_grader(path: Path, seed: int = 0, note: dict[str, object] | None = None) -> Path:
    """A tiny grader that has learned nothing."""
    torch.manual_seed(seed)
    save_network(without_batch_norm(GradingNetwork(TINY).eval()), path, note)
    return path


def write_models(folder: Path) -> Path:
    """Both of them."""
    write_grader(write_detector(folder) / GRADER_FILE)
    return folder
