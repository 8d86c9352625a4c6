"""Where in a cut out disc a phantom's lesion is: what a grade's evidence is held against, and learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import Affine, Task
from SpineNetCore.disc_volume import CONTEXT_SHAPE, sampled_slices
from SpineNetCore.learning.datasets.array_files import read_arrays, write_arrays
from SpineNetCore.learning.disc_examples import OPPOSITES, DiscExample, arrays_of, cut_phantom, examples_in
from SpineNetCore.learning.phantom import DiscTruth, Phantom
from SpineNetCore.scan import Scan, with_averaged_slices

Mask = NDArray[np.bool_]

SMALLEST_LESION = 20
"""ours: a lesion of fewer voxels of a disc volume is not asked for: hardly a pixel of the scan shows it."""

SLACK_PX = 2
"""How far from a lesion, within its slice, still counts as in it, in pixels of the disc volume (about 0.3 mm each)."""

_SLACK = np.hypot(*np.mgrid[-SLACK_PX : SLACK_PX + 1, -SLACK_PX : SLACK_PX + 1])[None] <= SLACK_PX


@dataclass(frozen=True)
class Lesion:
    """What makes a phantom's disc abnormal by one binary task.

    voxels: uint32, places of its voxels in the flattened context.
    """

    disc: DiscExample
    task: Task
    voxels: NDArray[np.uint32]

    def mask(self) -> Mask:
        """The voxels on the whole context, bool (13, 192, 320)."""
        out = np.zeros(CONTEXT_SHAPE, dtype=bool)
        out.ravel()[self.voxels] = True
        return out

    def turned_over(self) -> Lesion:
        """The same with head and feet exchanged: it is then the other endplate's."""
        voxels = np.flatnonzero(self.mask()[:, ::-1]).astype(np.uint32)
        return Lesion(self.disc.turned_over(), OPPOSITES.get(self.task, self.task), voxels)


def with_slack(lesion: Mask) -> Mask:
    """A mask [slice, row, column] and what lies `SLACK_PX` around it in its slices."""
    out = np.zeros_like(lesion)
    for slices, rows, columns in ndimage.find_objects(lesion.astype(np.uint8)):  # one box, or none: quicker than all
        near = slices, _wider(rows), _wider(columns)
        out[near] = ndimage.binary_dilation(lesion[near], _SLACK)
    return out


def _wider(places: slice) -> slice:
    return slice(max(places.start - SLACK_PX, 0), places.stop + SLACK_PX)


def lesion_on(
    phantom: Phantom, truth: DiscTruth, task: Task, ras_from_frame: Affine, shape: tuple[int, int, int]
) -> Mask:
    """Voxels of a frame, `shape`, that a disc's lesion covers; see `on_frame`."""
    return on_frame(phantom.lesion_mask(truth, task), phantom.scan, ras_from_frame, shape)


def on_frame(mask: Mask, scan: Scan, ras_from_frame: Affine, shape: tuple[int, int, int]) -> Mask:
    """Voxels of a frame, bool of `shape`, that a mask on a scan's voxels covers at least half of.

    mask: bool [slice, row, column]. The frame's slices are as far apart as `with_averaged_slices` leaves the scan's.
    """
    shares = with_averaged_slices(replace(scan, voxels=mask.astype(np.float32)))
    return np.asarray(sampled_slices(shares.voxels, shares.ijk_from_ras @ ras_from_frame, shape) >= 0.5)


def phantom_lesions(phantom: Phantom, name: str) -> Iterator[Lesion]:
    """Every lesion of a phantom that a binary task grades, on its disc cut where the phantom's own truth says."""
    truths = {truth.level: truth for truth in phantom.discs}
    for disc, volume in cut_phantom(phantom, name):
        truth = truths[disc.level]
        for task in Task:
            if task.is_binary and truth.grades[task] > task.grades[0]:
                voxels = np.flatnonzero(lesion_on(phantom, truth, task, volume.ras_from_context, CONTEXT_SHAPE))
                if len(voxels) >= SMALLEST_LESION:
                    yield Lesion(disc, task, voxels.astype(np.uint32))


def save_lesions(lesions: list[Lesion], path: Path) -> None:
    """Keep at least one lesion in one file, a disc with several of them once; written whole or not at all."""
    discs = list({id(lesion.disc): lesion.disc for lesion in lesions}.values())
    places = {id(disc): place for place, disc in enumerate(discs)}
    write_arrays(
        path,
        places=np.array([places[id(lesion.disc)] for lesion in lesions]),
        tasks=np.array([lesion.task.value for lesion in lesions]),
        voxels=np.concatenate([lesion.voxels for lesion in lesions]),
        sizes=np.array([len(lesion.voxels) for lesion in lesions]),
        **arrays_of(discs),
    )


def load_lesions(path: Path) -> list[Lesion] | None:
    """Undo `save_lesions`; None where there is no such file, or, which is said, where it is broken."""
    kept = read_arrays(path)
    if kept is None:
        return None
    discs = examples_in(kept)
    voxels = np.split(kept["voxels"], np.cumsum(kept["sizes"])[:-1])
    rows = zip(kept["places"].tolist(), kept["tasks"].tolist(), voxels, strict=True)
    return [Lesion(discs[place], Task(task), some) for place, task, some in rows]
