"""Label maps of phantoms, in the values of any convention, for the tests of what is read from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SpineNetCore.file_volume import RAS_FROM_LPS
from SpineNetCore.image_files import write_image
from SpineNetCore.label_conventions import CONVENTIONS, Convention
from SpineNetCore.learning.phantom import Phantom, PhantomLabel, PhantomSettings, simulate
from SpineNetCore.scan import mapped

TOTALSPINESEG, TOTALSEGMENTATOR, TOTALSEGMENTATOR_MR, SPINEPS, SPIDER = CONVENTIONS
_REACH_MM = 38.0
"""How far a vertebra's voxels lie from its centre at most."""

UPRIGHT = PhantomSettings(
    slices=(7, 9),
    few_slices_probability=0,
    in_plane_mm=(0.9, 0.9),
    height_mm=(300.0, 330.0),
    width_fraction=(0.7, 0.8),
    cut_off_probability=0,
    scoliosis_mm=(0.0, 2.0),
)


def a_phantom(seed: int = 1) -> Phantom:
    return simulate(np.random.default_rng(seed), UPRIGHT)


def instance_labels(phantom: Phantom, convention: Convention) -> np.ndarray:
    """int32 [slice, row, column] on the phantom's voxels, whole vertebrae with their posterior elements."""
    out = np.zeros(phantom.labels.shape, np.int32)
    bones = [PhantomLabel.BODY, PhantomLabel.POSTERIOR_ELEMENTS]
    upper = [vertebra for vertebra in phantom.vertebrae if vertebra.level != "S1"]
    _paint(out, phantom, bones, convention.vertebrae, {v.level: v.centre_ras_mm for v in upper})
    sacrum = {v.level: v.centre_ras_mm for v in phantom.vertebrae if v.level == "S1"}
    reach = 200.0 if 26 not in convention.vertebrae else _REACH_MM
    kinds = [PhantomLabel.S1, PhantomLabel.LOWER_SACRUM]
    _paint(out, phantom, kinds, convention.vertebrae, sacrum, reach_mm=reach)
    discs = {disc.level: disc.centre_ras_mm for disc in phantom.discs}
    _paint(out, phantom, [PhantomLabel.DISC], convention.discs, discs)
    out[phantom.labels == PhantomLabel.CANAL] = min(convention.canal, default=0)
    return out


def written(labels: np.ndarray, phantom: Phantom, path: Path) -> Path:
    """As a file on the phantom's own grid."""
    write_image(labels.astype(np.uint8), RAS_FROM_LPS @ phantom.scan.ras_from_ijk, path)
    return path


def on_another_grid(path: Path, target: Path) -> Path:
    """The label map of a file, resampled to oblique voxels of 1.1 mm in an order of their own."""
    image = sitk.ReadImage(str(path))
    turn = sitk.Euler3DTransform(image.TransformContinuousIndexToPhysicalPoint([s / 2 for s in image.GetSize()]))
    turn.SetRotation(0.15, -0.1, 0.2)
    grid = sitk.Image([310, 290, 330], sitk.sitkUInt8)
    grid.SetSpacing([1.1, 1.1, 1.1])
    grid.SetDirection(turn.GetMatrix())
    middle = grid.TransformContinuousIndexToPhysicalPoint([155, 145, 165])
    grid.SetOrigin(np.array(turn.GetCenter()) - middle)
    sitk.WriteImage(sitk.Resample(image, grid, sitk.Transform(), sitk.sitkNearestNeighbor), str(target))
    return target


def _paint(out, phantom, kinds, names, centres, *, reach_mm=_REACH_MM) -> None:
    values = {level: min(v for v, name in names.items() if name == level) for level in set(names.values())}
    levels = [level for level in centres if level in values]
    if not levels:
        return
    voxels = np.argwhere(np.isin(phantom.labels, kinds))
    places = mapped(phantom.scan.ras_from_ijk, voxels.astype(float))
    top = max(phantom.vertebrae[0].corners_ras_mm[:, 2])
    distances = np.stack([np.linalg.norm(places - centres[level], axis=1) for level in levels])
    nearest = distances.argmin(axis=0)
    near = (distances.min(axis=0) < reach_mm) & (places[:, 2] < top)  # what is higher belongs to one cut off
    out[tuple(voxels[near].T)] = np.array([values[level] for level in levels])[nearest[near]]
