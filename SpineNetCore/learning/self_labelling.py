"""Pictures without masks become examples: the detector's own answers, named by a reader's L5-S1 or surely."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.detection import (
    VOTE_REACH_MM,
    at_working_resolution,
    bodies_on_slice,
    read_slice,
    scaled_intensities,
)
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.spider import Picture
from SpineNetCore.learning.slice_examples import UNKNOWN, SliceExample
from SpineNetCore.localisation import Spine, find_spine
from SpineNetCore.naming_override import LevelAt, NamingOverride
from SpineNetCore.scan import Scan, mapped
from SpineNetCore.vertebra_network import PIXEL_MM, Tissue, VertebraNetwork

_SURE = 0.7
_SURE_NAMING = 0.95
_SPACING_FACTORS = (1.0, 0.85, 0.7, 0.55, 1.2, 1.45, 1.8)
_DISC_REACH_MM = 22.0
_NEAR_SPACINGS = 0.4
"""How far the middle of L5-S1 may lie from the reader's, in distances to the next disc. ours."""


@dataclass(frozen=True)
class ReadPicture:
    """A picture as a scan of credible spacing, and the spine found on it."""

    scan: Scan
    spine: Spine


def read_picture(picture: Picture, discs_in_view: int, network: VertebraNetwork) -> ReadPicture | None:
    """Find the spine on a picture; None unless its chain is as long as the table says, and sure or named by a reader.

    discs_in_view: what the overview table counts; one less is accepted, for a disc at the picture's edge, and one more
    where a reader has named L5-S1: elsewhere that may be a chain read one level too low.
    Spacing is only approximate where a picture was resampled, so others are tried when the stated one gives no answer.
    """
    for factor in _SPACING_FACTORS:
        scan = replace(picture, spacing_mm=picture.spacing_mm * factor).scan
        try:
            spine = find_spine(scan, network, torch.device("cpu"), override=_named_by_reader(picture, scan))
        except InputError:
            continue
        more = len(spine.vertebrae) - 1 - discs_in_view
        is_long_enough = more in ((-1, 0) if picture.lowest_disc is None else (-1, 0, 1))
        if is_long_enough and spine.vertebrae[-1].level == "S1" and _is_trusted(picture, scan, spine):
            return ReadPicture(scan, spine)
    return None


def _named_by_reader(picture: Picture, scan: Scan) -> NamingOverride | None:
    if picture.lowest_disc is None:
        return None
    x, y, z = mapped(scan.ras_from_ijk, np.array([0.0, *picture.lowest_disc])).tolist()
    return NamingOverride(LevelAt("L5-S1", (x, y, z)))


def _is_trusted(picture: Picture, scan: Scan, spine: Spine) -> bool:
    """Whether L5-S1 lies where the reader saw it, at any spacing tried; without a reader, whether names are sure."""
    if picture.lowest_disc is None:
        return spine.naming_confidence >= _SURE_NAMING and not spine.warnings
    if len(spine.vertebrae) < 3:
        return False
    above, lowest = _disc_places(scan, spine)[-2:]
    away = np.linalg.norm(np.array(picture.lowest_disc) * scan.spacing_mm[1:] - lowest)
    return bool(away < _NEAR_SPACINGS * np.linalg.norm(lowest - above))


def self_labelled(reading: ReadPicture, network: VertebraNetwork) -> SliceExample:
    """The network's own answers on a picture that was read, at `PIXEL_MM` a pixel; what is doubtful stays unknown."""
    scan, spine = reading.scan, reading.spine
    image = at_working_resolution(scaled_intensities(scan.voxels)[0], scan.spacing_mm[1:])
    tissue, corners = read_slice(image, network, torch.device("cpu"))
    labels = tissue.argmax(axis=0).astype(np.uint8)
    labels[tissue.max(axis=0) < _SURE] = UNKNOWN
    vertebrae = _vertebra_places(scan, spine)
    _keep_chain_discs(labels, _disc_places(scan, spine), vertebrae[-1])
    known, body = _chain_bodies(labels, tissue, corners, vertebrae)
    return SliceExample(image, labels, body, known, (PIXEL_MM, PIXEL_MM))


def _in_plane_mm(scan: Scan, point: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(mapped(scan.ijk_from_ras, point)[..., 1:] * np.array(scan.spacing_mm[1:]))


def _disc_places(scan: Scan, spine: Spine) -> NDArray[np.float64]:
    """(D, 2) millimetres of the middles between all neighbouring bodies, the lowest last."""
    pairs = pairwise(vertebra.corners_ras_mm for vertebra in spine.vertebrae)
    middles = [np.concatenate([upper[2:], lower[:2]]).mean(axis=0) for upper, lower in pairs]
    return _in_plane_mm(scan, np.array(middles))


def _vertebra_places(scan: Scan, spine: Spine) -> NDArray[np.float64]:
    return _in_plane_mm(scan, np.array([v.centre_ras_mm for v in spine.vertebrae]))


def _keep_chain_discs(labels: NDArray[np.uint8], places: NDArray[np.float64], s1: NDArray[np.float64]) -> None:
    """Give every disc pixel the kind its place in the chain asks for; pixels far from all are unknown, or, beyond S1's
    middle `s1`, no disc.
    """
    pixels = np.argwhere((labels == Tissue.DISC) | (labels == Tissue.LOWEST_DISC))
    distance = np.linalg.norm(pixels[:, None] * PIXEL_MM - places[None], axis=2)
    is_lowest = distance.argmin(axis=1) == len(places) - 1
    kinds = np.where(is_lowest, Tissue.LOWEST_DISC, Tissue.DISC)
    in_sacrum = is_lowest & ((pixels * PIXEL_MM - s1) @ (s1 - places[-1]) > 0)
    elsewhere = np.where(in_sacrum, Tissue.BACKGROUND, UNKNOWN)
    labels[tuple(pixels.T)] = np.where(distance.min(axis=1) < _DISC_REACH_MM, kinds, elsewhere)


def _chain_bodies(
    labels: NDArray[np.uint8], tissue: FloatArray, corners: NDArray[np.float64], places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Corners (B, 4, 2) in pixels of the chain's bodies, and which pixels vote for which; others become unknown."""
    is_body = (labels == Tissue.BODY) | (labels == Tissue.SACRUM)
    centres = corners.mean(axis=0)
    body = np.zeros(labels.shape, dtype=np.uint8)
    known: list[NDArray[np.float64]] = []
    for detection in bodies_on_slice(tissue, corners):
        distance = np.linalg.norm(places - detection.centre_mm, axis=1)
        if distance.min() < VOTE_REACH_MM:
            is_sacrum = distance.argmin() == len(places) - 1
            members = is_body & (np.linalg.norm(centres - detection.centre_mm[:, None, None], axis=0) < VOTE_REACH_MM)
            known.append(detection.corners_mm / PIXEL_MM)
            body[members] = len(known)
            labels[members] = Tissue.SACRUM if is_sacrum else Tissue.BODY
            if is_sacrum:
                known[-1][2:] = np.nan  # a teacher taught by SPIDER has never seen where S1 ends
    labels[is_body & (body == 0)] = UNKNOWN
    return np.array(known).reshape(-1, 4, 2), body
