"""What a file's edges, or all around the patient, were filled up with, far below any tissue."""

from __future__ import annotations

import numpy as np

from SpineNetCore.anatomy import FloatArray

_FAR_BELOW = 0.25
"""ours: share of the range, least value to 99.5th percentile, in which no tissue lies where the least is a filling."""

_MOST_BETWEEN = 0.01
"""ours: share of the voxels that may lie there all the same, blends of filling and picture."""


def without_filling(voxels: FloatArray) -> FloatArray:
    """Raise a filling, which would set the scale, to where the darkest hundredth of the rest ends; float32, any shape.

    ours: the least value is one where next to no voxel comes near it, as in a picture that starts at 0 and whose
    border was filled up with -1000, or with a lone cold voxel. Voxels without one are given back as they are.
    """
    least, bright = float(voxels.min()), float(np.percentile(voxels, 99.5))
    is_low = voxels < least + _FAR_BELOW * (bright - least)
    if not is_low.any() or np.mean(is_low & (voxels > least)) > _MOST_BETWEEN:
        return voxels
    return np.maximum(voxels, np.float32(np.percentile(voxels[~is_low], 1)))
