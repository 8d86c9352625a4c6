"""One map against one lesion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import DISC_SHAPE
from SpineNetCore.learning.lesions import Mask, with_slack


@dataclass(frozen=True)
class Localisation:
    """How well a map shows a lesion; every figure rises as it does.

    points: the map's maximum lies in the lesion, `SLACK_PX` allowed (the pointing game); of several equal maxima, the
    share that does. points_in_plane: it does once slices are disregarded. energy_ratio: share of the map's sum inside
    the lesion over the lesion's share of the volume, chance being 1. iou: of the lesion with as many of the map's
    highest voxels. precision: average precision of the map as a classifier of voxels (AUPRC). side: share of the sum in
    the half, above or below mid-disc, that the endplate is in. points_to_side: the maximum lies in that half. Both are
    NaN for tasks without a side.
    """

    points: float
    points_in_plane: float
    energy_ratio: float
    iou: float
    precision: float
    side: float
    points_to_side: float


def localisation(heat: FloatArray, lesion: Mask, in_scan: NDArray[np.bool_], task: Task) -> Localisation:
    """Measure a map, (9, 112, 224) and nowhere negative, against a lesion of the same shape that is not empty.

    in_scan: (9,) slices that the scan has; the others count neither as area nor as voxels to be told apart. A map that
    is zero everywhere shows nothing: all its figures are 0.
    """
    if not heat.any():
        side = 0.0 if task.is_binary else np.nan
        return Localisation(0.0, 0.0, 0.0, 0.0, 0.0, side, side)
    peaks = heat == heat.max()
    lesion_in_plane = with_slack(np.any(lesion, axis=0, keepdims=True))
    share = float(heat[lesion].sum(dtype=np.float64) / heat.sum(dtype=np.float64))
    return Localisation(
        points=float(with_slack(lesion)[peaks].mean()),
        points_in_plane=float(np.broadcast_to(lesion_in_plane, heat.shape)[peaks].mean()),
        energy_ratio=share / float(lesion[in_scan].mean()),
        iou=_area_matched_iou(heat, lesion),
        precision=_average_precision(heat[in_scan].ravel(), lesion[in_scan].ravel()),
        side=_side_share(heat, task),
        points_to_side=_side_share(peaks, task),
    )


def alikeness(heat: FloatArray, other: FloatArray, in_scan: NDArray[np.bool_]) -> float:
    """Pearson correlation of two maps over the voxels of the scan; 0 where one of them tells no voxel from another."""
    return _correlation(heat[in_scan].ravel(), other[in_scan].ravel())


def rank_alikeness(heat: FloatArray, other: FloatArray, in_scan: NDArray[np.bool_]) -> float:
    """Spearman correlation, as Adebayo et al. 2018 compare maps; 0 where one of them tells no voxel from another.

    Every other row and column is ranked: maps are blurred by more than that, and ranking takes long.
    """
    return _correlation(*(stats.rankdata(one[in_scan, ::2, ::2].ravel()) for one in (heat, other)))


def _area_matched_iou(heat: FloatArray, lesion: Mask) -> float:
    size = int(lesion.sum())
    highest = np.argpartition(heat.ravel(), -size)[-size:]
    both = int(lesion.ravel()[highest].sum())
    return both / (2 * size - both)


def _average_precision(heat: FloatArray, is_lesion: Mask) -> float:
    """Mean precision at each voxel of the lesion, from the highest downwards; equal voxels are let in together."""
    order = np.argsort(-heat, kind="stable")
    falling, hits = heat[order], np.cumsum(is_lesion[order])
    last_equal = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
    hits = hits[last_equal]
    gained = np.diff(hits, prepend=0)
    return float((hits / (last_equal + 1) * gained).sum() / hits[-1])


def _side_share(heat: FloatArray | Mask, task: Task) -> float:
    if not task.is_binary:
        return np.nan
    middle = DISC_SHAPE[1] // 2
    half = heat[:, :middle] if task in (Task.UPPER_ENDPLATE, Task.UPPER_MARROW) else heat[:, middle:]
    return float(half.sum(dtype=np.float64) / heat.sum(dtype=np.float64))


def _correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
