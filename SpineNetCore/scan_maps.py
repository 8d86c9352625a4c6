"""From the discs' own frames back onto the voxels of the scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import FloatArray, disc_label
from SpineNetCore.disc_volume import DISC_SHAPE, DiscVolume
from SpineNetCore.scan import Scan

Window = tuple[slice, slice, slice]


def maps_on_scan(scan: Scan, volumes: Sequence[DiscVolume], maps: FloatArray) -> FloatArray:
    """One map of all discs on the scan's voxels, float32 [slice, row, column]; 0 outside the discs' boxes.

    maps: (D, 9, 112, 224), one per volume. Linear within slices; a thin slice takes the map of the thick slice it was
    averaged into. Where boxes overlap the larger value stands.
    """
    out = np.zeros(scan.voxels.shape, dtype=np.float32)
    for volume, disc_map in zip(volumes, maps, strict=True):
        window, places = _places(scan, volume)
        inside = _is_inside(places)
        places[0] = np.rint(places[0])
        values = ndimage.map_coordinates(disc_map, places, order=1, mode="nearest") * inside
        out[window] = np.maximum(out[window], values)
    return out


def disc_labels(scan: Scan, volumes: Sequence[DiscVolume]) -> NDArray[np.uint8]:
    """Label map [slice, row, column] of the voxels inside each disc volume's box, values of `disc_label`.

    Where boxes overlap, a voxel goes to the disc whose mid-height it is nearer to.
    """
    out = np.zeros(scan.voxels.shape, dtype=np.uint8)
    nearest = np.full(scan.voxels.shape, np.inf, dtype=np.float32)
    for volume in volumes:
        window, places = _places(scan, volume)
        row_mm = float(np.linalg.norm(volume.ras_from_disc[:3, 1]))
        distance = np.abs(places[1] - (DISC_SHAPE[1] - 1) / 2) * row_mm
        taken = _is_inside(places) & (distance < nearest[window])
        out[window][taken] = disc_label(volume.level)
        nearest[window][taken] = distance[taken]
    return out


def _places(scan: Scan, volume: DiscVolume) -> tuple[Window, NDArray[np.float64]]:
    """The part of the scan around a disc volume, and where its voxels lie in the volume, (3, slices, rows, columns)."""
    ijk_from_disc = scan.ijk_from_ras @ volume.ras_from_disc
    half = np.array(DISC_SHAPE) / 2
    middle = ijk_from_disc[:3, :3] @ (half - 0.5) + ijk_from_disc[:3, 3]
    reach = np.abs(ijk_from_disc[:3, :3]) @ half + 1
    starts = np.clip(np.floor(middle - reach), 0, scan.voxels.shape).astype(int)
    stops = np.clip(np.ceil(middle + reach) + 1, 0, scan.voxels.shape).astype(int)
    window = (slice(starts[0], stops[0]), slice(starts[1], stops[1]), slice(starts[2], stops[2]))
    disc_from_ijk = np.linalg.inv(ijk_from_disc)
    ijk = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(starts, stops, strict=True)), indexing="ij"))
    places = np.tensordot(disc_from_ijk[:3, :3], ijk, axes=1) + disc_from_ijk[:3, 3, None, None, None]
    return window, places


def _is_inside(places: NDArray[np.float64]) -> NDArray[np.bool_]:
    upper = np.array(DISC_SHAPE)[:, None, None, None] - 0.5
    return np.asarray(((places >= -0.5) & (places < upper)).all(axis=0))
