"""The disc volume: what the graders look at, cut around a disc, upright, and in one intensity scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import Affine, Disc, FloatArray, Vertebra
from SpineNetCore.scan import Scan, mapped

DISC_SHAPE = (9, 112, 224)
"""Slices, rows and columns of a disc volume (section 4)."""

CONTEXT_SHAPE = (13, 192, 320)
"""Slices, rows and columns of the context, whose centre is the disc volume: shifted views see real tissue there."""

CROP_WIDTHS = 1.97
"""Antero-posterior extent of a disc volume in disc widths: about 40 % of each neighbouring body comes inside."""

BODY_MEDIAN = 0.5
"""Every slice is scaled so that the median of its pair of vertebral bodies lies here (section 4)."""

_OFFSET, _OFFSET_OF_TISSUE = 0.02, 0.25
"""A darkest voxel above this share of the 99.5th percentile is an offset, and is taken off; the latter where no air is
seen, as a scan may show tissue alone. ours: at most 0.01 on 202 SPIDER scans and 12 phantoms.
"""

_EVEN_AIR = 0.01
"""Air is seen where the darkest twentieth of the voxels lie within this share of the range. ours: slabs of SPIDER cut
down to tissue have 0.015 to 0.028.
"""

_BODY_CORE = 0.8


@dataclass(frozen=True)
class DiscVolume:
    """A disc and its surroundings on the scan's own slices, the disc horizontal and centred.

    context: float32 `CONTEXT_SHAPE` [slice, row, column] in [0, 1]; rows towards the feet, columns towards the back;
    0 where the scan has no slice or tissue. ras_from_context: (4, 4) from its indices to RAS millimetres.
    """

    level: str
    context: FloatArray
    ras_from_context: Affine

    @property
    def ras_from_disc(self) -> Affine:
        """(4, 4) from indices of the 9 x 112 x 224 disc volume to RAS millimetres."""
        context_from_disc = np.eye(4)
        context_from_disc[:3, 3] = context_margin()
        return self.ras_from_context @ context_from_disc

    @property
    def voxels(self) -> FloatArray:
        """The disc volume itself, `DISC_SHAPE`."""
        return self.context[tuple(slice(m, m + n) for m, n in zip(context_margin(), DISC_SHAPE, strict=True))]


def cut_disc_volume(scan: Scan, disc: Disc) -> DiscVolume:
    """Cut a disc out of a scan whose slices are already about 4 mm thick (see `with_averaged_slices`).

    The slice nearest to the disc's centre comes to the middle; pixels are square and interpolated linearly within
    slices, never across them. ours: intensities start where the scan's do, see `_black`.
    """
    ras_from_context = _frame(scan, disc)
    ijk_from_context = scan.ijk_from_ras @ ras_from_context
    sampled = sampled_slices(scan.voxels, ijk_from_context, CONTEXT_SHAPE)
    bodies = _bodies_mask(disc, np.asarray(np.linalg.inv(ras_from_context), dtype=np.float64))
    return DiscVolume(disc.level, _normalised(sampled - _black(scan), bodies), ras_from_context)


def sampled_slices(voxels: FloatArray, ijk_from_frame: Affine, shape: tuple[int, int, int]) -> FloatArray:
    """Voxels [slice, row, column] on another frame of parallel slices, `shape`; NaN outside the scan.

    Each slice takes the nearest of the scan's, linear within it.
    """
    in_plane = ijk_from_frame[1:3, 1:3]
    out = np.full(shape, np.nan, dtype=np.float32)
    for k in range(shape[0]):
        source, *offset = ijk_from_frame[:3, 0] * k + ijk_from_frame[:3, 3]
        if 0 <= round(float(source)) < voxels.shape[0]:
            image = voxels[round(float(source))]
            ndimage.affine_transform(
                image, in_plane, offset, shape[1:], output=out[k], order=1, mode="constant", cval=np.nan
            )
    return out


def context_margin() -> tuple[int, int, int]:
    """Slices, rows and columns from the context's first voxel to the disc volume's."""
    slices, rows, columns = ((c - d) // 2 for c, d in zip(CONTEXT_SHAPE, DISC_SHAPE, strict=True))
    return slices, rows, columns


def _black(scan: Scan) -> np.float32:
    """The intensity of nothing: 0, unless the file's darkest voxels lie below (SPIDER: -1000) or well above it."""
    darkest, dark, bright = np.percentile(scan.voxels[:, ::4, ::4], (0.1, 5.0, 99.5))
    shows_air = dark - darkest < _EVEN_AIR * (bright - darkest)
    is_offset = darkest > (_OFFSET if shows_air else _OFFSET_OF_TISSUE) * bright
    return np.float32(darkest if darkest < 0 or is_offset else 0.0)


def _frame(scan: Scan, disc: Disc) -> Affine:
    centre_slice = round(float(mapped(scan.ijk_from_ras, disc.centre_ras_mm)[0]))
    centre_slice = min(max(centre_slice, 0), scan.voxels.shape[0] - 1)
    step = scan.ras_from_ijk[:3, 0]
    off_slice = (centre_slice - float(mapped(scan.ijk_from_ras, disc.centre_ras_mm)[0])) * step
    pixel_mm = CROP_WIDTHS * disc.width_mm / DISC_SHAPE[2]
    frame = np.eye(4)
    frame[:3, :3] = np.column_stack([step, disc.inferior * pixel_mm, disc.posterior * pixel_mm])
    middle = (np.array(CONTEXT_SHAPE) - 1) / 2
    frame[:3, 3] = disc.centre_ras_mm + off_slice - frame[:3, :3] @ middle
    return frame


def _bodies_mask(disc: Disc, context_from_ras: Affine) -> NDArray[np.bool_]:
    """(rows, columns) of the context inside the cores of the two neighbouring bodies."""
    return np.asarray(_core(disc.upper, context_from_ras) | _core(disc.lower, context_from_ras))


def _core(vertebra: Vertebra, context_from_ras: Affine) -> NDArray[np.bool_]:
    corners = mapped(context_from_ras, vertebra.corners_ras_mm)[:, 1:]
    corners = corners.mean(axis=0) + _BODY_CORE * (corners - corners.mean(axis=0))
    rows, columns = np.indices(CONTEXT_SHAPE[1:])
    inside = np.ones(CONTEXT_SHAPE[1:], dtype=bool)
    for (row_a, column_a), (row_b, column_b) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        inside &= (column_b - column_a) * (rows - row_a) - (row_b - row_a) * (columns - column_a) >= 0
    return inside


def _normalised(sampled: FloatArray, bodies: NDArray[np.bool_]) -> FloatArray:
    """Scale each slice by its bodies; a slice whose bodies hold no signal takes the median of the other slices."""
    in_scan = np.isfinite(sampled)
    medians = np.array(
        [np.median(s[seen]) if seen.any() else 0.0 for s, seen in zip(sampled, in_scan & bodies, strict=True)]
    )
    usable = medians > 0.05 * medians.max()
    medians[~usable] = np.median(medians[usable]) if usable.any() else 1.0
    tissue = np.where(in_scan, sampled, 0)
    return np.asarray(np.clip(BODY_MEDIAN * tissue / medians[:, None, None], 0, 1), dtype=np.float32)
