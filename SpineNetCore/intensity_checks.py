"""Whether a file's values can be those of an MR scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.errors import InputError

FEWEST_INTENSITIES = 32
"""Fewer different values than this make a label map. ours: an 8-bit picture has more, a spine fewer structures."""

_AIR_HU, _TISSUE_HU = (-1100.0, -900.0), (-200.0, 300.0)
"""Hounsfield units of air, and of fat, water, muscle and most cancellous bone."""

_LEAST_AIR, _MOST_TISSUE = 0.01, 0.35
"""Shares of all voxels, and of those above air, from which on values look like Hounsfield units. ours: of six MR scans
shifted to begin at -1000 up to a quarter of the latter lie there, of three CTs of trunks 0.68 to 0.90, of two cropped
to the heart or the lungs 0.53 and 0.45. A CT cropped within the body has no air to be known by.
"""


def check_intensities(voxels: FloatArray, source: Path) -> None:
    """Raise InputError where values are not finite, all the same, a label map's or a CT's."""
    check_finite(voxels, source)
    lowest, highest = voxels.min(), voxels.max()
    if lowest == highest:
        raise InputError(f"'{source}' shows nothing (every voxel is {float(lowest):g}): give a scan with contrast.")
    some = voxels.ravel()[:: voxels.size // 1_000_000 + 1]
    values = np.unique(some).size
    if values < FEWEST_INTENSITIES:
        raise InputError(
            f"'{source}' looks like a label map ({values} different values in {voxels.size} voxels): "
            "give the scan that it was drawn on."
        )
    air = _is_in(_AIR_HU, some)
    if np.mean(air & (some > lowest)) > _LEAST_AIR and np.mean(_is_in(_TISSUE_HU, some[~air])) > _MOST_TISSUE:
        raise InputError(
            f"'{source}' looks like a CT ({np.mean(air):.0%} of its voxels lie near -1000, as air does in Hounsfield "
            "units): give a sagittal T2-weighted MR series."
        )


def check_finite(voxels: NDArray[Any], source: Path) -> None:
    """Raise InputError that counts NaN and infinite voxels where there are any."""
    broken = voxels.size - int(np.count_nonzero(np.isfinite(voxels)))
    if broken:
        raise InputError(
            f"'{source}' holds {broken} of {voxels.size} voxels that are not finite numbers (NaN, infinite or "
            "beyond float32): export the scan again or replace them."
        )


def _is_in(values: tuple[float, float], voxels: FloatArray) -> NDArray[np.bool_]:
    return np.asarray((voxels > values[0]) & (voxels < values[1]))
