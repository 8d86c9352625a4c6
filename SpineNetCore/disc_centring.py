"""A disc's centre, moved from midway between four corners into the disc itself, which may be domed, thin or wedged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from SpineNetCore.anatomy import Disc, Point
from SpineNetCore.detection import Reading
from SpineNetCore.scan import Scan, mapped
from SpineNetCore.vertebra_network import PIXEL_MM

_STEP_MM = 0.25
_BEYOND_ENDPLATES_MM = 3.0
BAND = 0.08
"""How far to either side of its axis a disc's tissue is averaged, in disc widths. ours."""
_LEAST_DISC_MM = 1.5
_REACH, _HEIGHT_BAND, _MOST = 0.75, 0.4, 0.2


def centred(disc: Disc, reading: Reading, scan: Scan) -> Disc:
    """The disc with its centre in the middle of the disc tissue around it, where the detector sees any.

    ours: at mid-height around its axis, within the endplates and 3 mm beyond; then from front to back, at the centroid
    of the tissue between the endplates, at most a fifth of its width away; all on the slice nearest to the centre.
    """
    reach = disc.height_mm / 2 + _BEYOND_ENDPLATES_MM
    upright = _moved(disc, disc.inferior, reach, (disc.posterior, BAND * disc.width_mm), (reading, scan))
    if upright is disc:
        return disc
    reach, band = _REACH * disc.width_mm, _HEIGHT_BAND * disc.height_mm
    level = _moved(upright, disc.posterior, reach, (disc.inferior, band), (reading, scan))
    shift_mm = float((level.centre_ras_mm - upright.centre_ras_mm) @ disc.posterior)
    most_mm = _MOST * disc.width_mm
    return replace(upright, centre_ras_mm=upright.centre_ras_mm + np.clip(shift_mm, -most_mm, most_mm) * disc.posterior)


def along_disc(disc: Disc, along: Point, reach_mm: float, band: tuple[Point, float]) -> tuple[Point, Point]:
    """Steps `along` a direction through the disc's centre, (n,) in mm, and (n, 5, 3) RAS points across each of them.

    band: direction across, and how far to either side.
    """
    across, half_mm = band
    offsets_mm = np.arange(-reach_mm, reach_mm + _STEP_MM / 2, _STEP_MM)
    across_mm = np.linspace(-half_mm, half_mm, 5)
    return offsets_mm, disc.centre_ras_mm + offsets_mm[:, None, None] * along + across_mm[None, :, None] * across


def _moved(disc: Disc, along: Point, reach_mm: float, band: tuple[Point, float], seen: tuple[Reading, Scan]) -> Disc:
    """The disc moved `along` to the centroid of the tissue within reach, averaged over a band."""
    reading, scan = seen
    offsets_mm, points = along_disc(disc, along, reach_mm, band)
    places = (
        mapped(scan.ijk_from_ras, points) * np.array([1.0, *scan.spacing_mm[1:]]) / np.array([1, PIXEL_MM, PIXEL_MM])
    )
    places[..., 0] = np.clip(np.rint(places[..., 0]), 0, scan.voxels.shape[0] - 1)
    chance = ndimage.map_coordinates(reading.disc_chance, places.transpose(2, 0, 1), order=1).mean(axis=1)
    if chance.sum() * _STEP_MM < _LEAST_DISC_MM:
        return disc
    shift_mm = float(np.average(offsets_mm, weights=chance))
    return replace(disc, centre_ras_mm=disc.centre_ras_mm + shift_mm * along)
