"""What the grader learns from: discs cut out of scans, with every grade that their labels admit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE, DiscVolume, cut_disc_volume
from SpineNetCore.errors import InputError
from SpineNetCore.learning import spider
from SpineNetCore.learning.phantom import Phantom
from SpineNetCore.learning.self_labelling import read_picture
from SpineNetCore.localisation import NAMED_BY_READER, Spine, discs_between, find_spine
from SpineNetCore.scan import Scan, with_averaged_slices
from SpineNetCore.vertebra_network import VertebraNetwork

MOST_GRADES = max(len(task.grades) for task in Task)

GradeSets = Mapping[Task, frozenset[int]]


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


def spider_examples(folder: Path, detector: VertebraNetwork, kept_out: bool) -> Iterator[DiscExample]:
    """Graded discs of SPIDER's pictures and slabs, found by the detector; of the kept-out patients or of the others.

    Pictures whose spine is not read with confidence give none: their stated spacing is only approximate.
    """
    grades, marrow = spider.gradings(folder), spider.marrow_changed(folder)
    for patient, scan, spine in _read_spines(folder, detector, kept_out):
        for volume in _disc_volumes(scan, spine):
            key = (patient, volume.level)
            if key in grades:
                slices, first = _packed(volume.context)
                yield DiscExample(str(patient), volume.level, slices, first, _admissible(grades[key]), marrow[key])


def phantom_examples(phantom: Phantom, name: str) -> Iterator[DiscExample]:
    """Graded discs of a phantom, cut where its own truth says."""
    discs = discs_between(phantom.vertebrae, phantom.scan)
    return _labelled_by_truth(phantom, name, Spine(phantom.vertebrae, discs, NAMED_BY_READER, ()))


def found_phantom_examples(phantom: Phantom, name: str, detector: VertebraNetwork) -> Iterator[DiscExample]:
    """Graded discs of a phantom, cut where the detector finds them; none when it finds no spine."""
    spine = _found_spine(phantom.scan, detector)
    return _labelled_by_truth(phantom, name, spine) if spine is not None else iter(())


def save_examples(examples: list[DiscExample], path: Path) -> None:
    """Keep at least one example in one file; written whole or not at all."""
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        slices=np.concatenate([e.slices for e in examples]),
        counts=[len(e.slices) for e in examples],
        firsts=[e.first for e in examples],
        admissible=np.stack([e.admissible for e in examples]),
        marrow_changed=[e.marrow_changed for e in examples],
        patients=[e.patient for e in examples],
        levels=[e.level for e in examples],
    )
    partial.replace(path)


def load_examples(path: Path) -> list[DiscExample]:
    """Undo `save_examples`."""
    with np.load(path) as file:
        slices = np.split(file["slices"], np.cumsum(file["counts"])[:-1])
        columns = (file[name].tolist() for name in ("patients", "levels"))
        rows = zip(*columns, slices, file["firsts"].tolist(), file["admissible"], file["marrow_changed"], strict=True)
        return [DiscExample(p, level, s, f, a, bool(m)) for p, level, s, f, a, m in rows]


def _read_spines(folder: Path, detector: VertebraNetwork, kept_out: bool) -> Iterator[tuple[int, Scan, Spine]]:
    counts = spider.disc_counts(folder)
    for picture in spider.pictures(folder):
        if spider.is_kept_out(picture.patient) == kept_out:
            reading = read_picture(picture, counts[picture.patient], detector)
            if reading is not None:
                yield picture.patient, reading.scan, reading.spine
    for slab in spider.slabs(folder):
        if spider.is_kept_out(slab.patient) == kept_out:
            spine = _found_spine(slab.scan, detector)
            if spine is not None:
                yield slab.patient, slab.scan, spine


def _found_spine(scan: Scan, detector: VertebraNetwork) -> Spine | None:
    """A scan on which no spine is recognised teaches nothing."""
    try:
        return find_spine(scan, detector, torch.device("cpu"))
    except InputError:
        return None


def _labelled_by_truth(phantom: Phantom, name: str, spine: Spine) -> Iterator[DiscExample]:
    truths = {disc.level: disc for disc in phantom.discs}
    for volume in _disc_volumes(phantom.scan, spine):
        if volume.level in truths:
            slices, first = _packed(volume.context)
            known = {task: frozenset({grade}) for task, grade in truths[volume.level].grades.items()}
            yield DiscExample(name, volume.level, slices, first, _admissible(known), marrow_changed=False)


def _disc_volumes(scan: Scan, spine: Spine) -> list[DiscVolume]:
    thick = with_averaged_slices(scan)
    return [cut_disc_volume(thick, disc) for disc in spine.discs]


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
