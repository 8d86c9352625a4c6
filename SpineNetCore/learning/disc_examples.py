"""What the grader learns from: discs cut out of scans, with every grade that their labels admit."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from SpineNetCore.anatomy import Disc, FloatArray, Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE, DiscVolume, cut_disc_volume
from SpineNetCore.errors import InputError
from SpineNetCore.label_conventions import SPIDER_LABELS
from SpineNetCore.learning.datasets.array_files import in_one, one_by_one, read_arrays, write_arrays
from SpineNetCore.learning.datasets.graded_scans import DiscLabel, GradedScan, GradeSets, PictureFile
from SpineNetCore.learning.datasets.prepared import CutDisc, PreparedDiscs
from SpineNetCore.learning.datasets.spider import read_picture_file
from SpineNetCore.learning.phantom import Phantom
from SpineNetCore.learning.self_labelling import read_picture
from SpineNetCore.localisation import NAMED_BY_READER, Spine, discs_between, find_spine
from SpineNetCore.model_files import weights_digest
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.scan import Scan, mapped, with_averaged_slices
from SpineNetCore.scan_files import read_scan
from SpineNetCore.spine_labels import spine_from_labels
from SpineNetCore.vertebra_network import VertebraNetwork

log = logging.getLogger(__name__)

MOST_GRADES = max(len(task.grades) for task in Task)


@dataclass(frozen=True)
class DiscExample:
    """One disc with its labels.

    slices: uint8 (n, 192, 320), the context's slices that are in the scan, 255 standing for 1. first: index of the
    first of them in the context. admissible: bool (6, 5), per task the classes that its label admits; a task without
    label admits none. marrow_changed: at least one side is, though it is not known which.
    """

    patient: str
    level: str
    slices: NDArray[np.uint8]
    first: int
    admissible: NDArray[np.bool_]
    marrow_changed: bool

    def context(self) -> FloatArray:
        """The whole context, float32 (13, 192, 320)."""
        out = np.zeros(CONTEXT_SHAPE, dtype=np.float32)
        out[self.first : self.first + len(self.slices)] = self.slices.astype(np.float32) / 255
        return out

    @property
    def label(self) -> DiscLabel:
        """What is known of it, in the clinic's numbers."""
        grades = {
            task: frozenset(grade for grade, admitted in zip(task.grades, row, strict=False) if admitted)
            for task, row in zip(Task, self.admissible, strict=True)
        }
        return DiscLabel({task: known for task, known in grades.items() if known}, self.marrow_changed)

    def turned_over(self) -> DiscExample:
        """The same disc with head and feet exchanged: what lay above it, and its grades, now lie below."""
        return replace(self, slices=self.slices[:, ::-1], admissible=self.admissible[_TURNED_OVER])


LabelledDisc = tuple[CutDisc, DiscExample]
"""A disc as it was cut, and the same with its label."""

_TASKS = tuple(Task)
_ABOVE_AND_BELOW = ((Task.UPPER_ENDPLATE, Task.LOWER_ENDPLATE), (Task.UPPER_MARROW, Task.LOWER_MARROW))

OPPOSITES = {one: other for pair in _ABOVE_AND_BELOW for one, other in (pair, pair[::-1])}
"""The tasks that become each other when a disc is turned over."""

_TURNED_OVER = [_TASKS.index(OPPOSITES.get(task, task)) for task in Task]


def prepared_examples(
    scans: Sequence[GradedScan], detector: VertebraNetwork, folder: Path, progress: Count = uncounted
) -> Iterator[LabelledDisc]:
    """Graded discs of scans, each scan's kept in a file of `folder` as soon as they are cut; see `PreparedDiscs`."""
    prepared = PreparedDiscs(folder, weights_digest(detector))
    for done, scan in enumerate(scans, start=1):
        yield from labelled(scan, prepared.discs(scan, partial(cut_discs, scan, detector)))
        progress(done, len(scans))


def cut_discs(scan: GradedScan, detector: VertebraNetwork) -> list[CutDisc]:
    """All discs of a scan where its mask says, or else where the detector finds them; none where it finds no spine.

    Pictures whose spine is not read as a reader has, or with confidence, give none: their stated spacing is only
    approximate.
    """
    reading = _reading(scan, detector)
    if reading is None:
        log.warning("no spine was found on '%s'", scan.image.path)
        return []
    _, spine = reading
    return [_cut(volume, disc) for volume, disc in zip(_disc_volumes(*reading), spine.discs, strict=True)]


def labelled(scan: GradedScan, discs: Iterable[CutDisc]) -> Iterator[LabelledDisc]:
    """Those discs of a scan that have a label."""
    for disc in discs:
        label = scan.labels.get(disc.level)
        if label is not None:
            admissible = _admissible(label.grades)
            yield disc, DiscExample(scan.patient, disc.level, disc.slices, disc.first, admissible, label.marrow_changed)


def phantom_examples(phantom: Phantom, name: str) -> Iterator[DiscExample]:
    """Graded discs of a phantom, cut where its own truth says."""
    return (example for example, _ in cut_phantom(phantom, name))


def cut_phantom(phantom: Phantom, name: str) -> Iterator[tuple[DiscExample, DiscVolume]]:
    """The same discs, each with the volume that it was packed from."""
    discs = discs_between(phantom.vertebrae, phantom.scan)
    return _labelled_by_truth(phantom, name, Spine(phantom.vertebrae, discs, NAMED_BY_READER, ()))


def found_phantom_examples(phantom: Phantom, name: str, detector: VertebraNetwork) -> Iterator[DiscExample]:
    """Graded discs of a phantom, cut where the detector finds them; none when it finds no spine."""
    spine = found_spine(phantom.scan, detector)
    found = _labelled_by_truth(phantom, name, spine) if spine is not None else iter(())
    return (example for example, _ in found)


def found_spine(scan: Scan, detector: VertebraNetwork) -> Spine | None:
    """What the detector finds; None where it recognises no spine, for such a scan teaches and tells nothing."""
    try:
        return find_spine(scan, detector, torch.device("cpu"))
    except InputError:
        return None


def save_examples(examples: list[DiscExample], path: Path) -> None:
    """Keep at least one example in one file; written whole or not at all."""
    write_arrays(path, **arrays_of(examples))


def load_examples(path: Path) -> list[DiscExample] | None:
    """Undo `save_examples`; None where there is no such file, or, which is said, where it is broken."""
    kept = read_arrays(path)
    return None if kept is None else examples_in(kept)


def arrays_of(examples: Sequence[DiscExample]) -> dict[str, NDArray[Any]]:
    """At least one example as arrays to write."""
    return {
        "firsts": np.array([e.first for e in examples]),
        "admissible": np.stack([e.admissible for e in examples]),
        "marrow_changed": np.array([e.marrow_changed for e in examples]),
        "patients": np.array([e.patient for e in examples]),
        "levels": np.array([e.level for e in examples]),
    } | in_one([e.slices for e in examples])


def examples_in(kept: dict[str, NDArray[Any]]) -> list[DiscExample]:
    """Undo `arrays_of`."""
    patients, levels, firsts, changed = (kept[n].tolist() for n in ("patients", "levels", "firsts", "marrow_changed"))
    rows = zip(patients, levels, one_by_one(kept), firsts, kept["admissible"], changed, strict=True)
    return [DiscExample(*row) for row in rows]


def _reading(graded: GradedScan, detector: VertebraNetwork) -> tuple[Scan, Spine] | None:
    image = graded.image
    if isinstance(image, PictureFile):
        reading = read_picture(read_picture_file(image.path, image.spacing_mm), image.discs_in_view, detector)
        return None if reading is None else (reading.scan, reading.spine)
    scan = read_scan(image.path)
    spine = found_spine(scan, detector) if image.mask is None else spine_from_labels(image.mask, scan, SPIDER_LABELS)
    return None if spine is None else (scan, spine)


def _labelled_by_truth(phantom: Phantom, name: str, spine: Spine) -> Iterator[tuple[DiscExample, DiscVolume]]:
    truths = {disc.level: disc for disc in phantom.discs}
    for volume in _disc_volumes(phantom.scan, spine):
        if volume.level in truths:
            slices, first = _packed(volume.context)
            known = {task: frozenset({grade}) for task, grade in truths[volume.level].grades.items()}
            yield DiscExample(name, volume.level, slices, first, _admissible(known), marrow_changed=False), volume


def _disc_volumes(scan: Scan, spine: Spine) -> list[DiscVolume]:
    thick = with_averaged_slices(scan)
    return [cut_disc_volume(thick, disc) for disc in spine.discs]


def _cut(volume: DiscVolume, disc: Disc) -> CutDisc:
    context_from_ras = np.asarray(np.linalg.inv(volume.ras_from_context), dtype=np.float64)
    ends = np.stack([disc.upper.corners_ras_mm[[3, 2]], disc.lower.corners_ras_mm[[0, 1]]])
    return CutDisc(volume.level, *_packed(volume.context), mapped(context_from_ras, ends)[..., 1:])


def _packed(context: FloatArray) -> tuple[NDArray[np.uint8], int]:
    present = np.nonzero(context.any(axis=(1, 2)))[0]
    first, last = int(present[0]), int(present[-1])
    return np.rint(context[first : last + 1] * 255).astype(np.uint8), first


def _admissible(grades: GradeSets) -> NDArray[np.bool_]:
    out = np.zeros((len(Task), MOST_GRADES), dtype=bool)
    for row, task in enumerate(Task):
        for grade in grades.get(task, frozenset()):
            out[row, task.grades.index(grade)] = True
    return out
