"""A disc's centre, moved from midway between straight endplates into the disc itself, which may be domed or thin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from SpineNetCore.anatomy import Disc
from SpineNetCore.detection import Reading
from SpineNetCore.scan import Scan, mapped
from SpineNetCore.vertebra_network import PIXEL_MM

_STEP_MM = 0.25
_BEYOND_ENDPLATES_MM = 3.0
_BAND = 0.08
_LEAST_DISC_MM = 1.5


def centred(disc: Disc, reading: Reading, scan: Scan) -> Disc:
    """The disc with its centre at mid-height of the disc tissue around its axis, where the detector sees any.

    ours: only up and down, on the slice nearest to the centre, within the endplates and 3 mm beyond.
    """
    reach = disc.height_mm / 2 + _BEYOND_ENDPLATES_MM
    offsets_mm = np.arange(-reach, reach + _STEP_MM / 2, _STEP_MM)
    across_mm = np.linspace(-_BAND, _BAND, 5) * disc.width_mm
    points = disc.centre_ras_mm + offsets_mm[:, None, None] * disc.inferior + across_mm[None, :, None] * disc.posterior
    places = (
        mapped(scan.ijk_from_ras, points) * np.array([1.0, *scan.spacing_mm[1:]]) / np.array([1, PIXEL_MM, PIXEL_MM])
    )
    places[..., 0] = np.clip(np.rint(places[..., 0]), 0, scan.voxels.shape[0] - 1)
    chance = ndimage.map_coordinates(reading.disc_chance, places.transpose(2, 0, 1), order=1).mean(axis=1)
    if chance.sum() * _STEP_MM < _LEAST_DISC_MM:
        return disc
    shift_mm = float(np.average(offsets_mm, weights=chance))
    return replace(disc, centre_ras_mm=disc.centre_ras_mm + shift_mm * disc.inferior)
