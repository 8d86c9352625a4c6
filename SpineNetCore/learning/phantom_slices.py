"""Slices of phantoms as examples for the detector: here even S1's lower corners are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.detection import scaled_intensities
from SpineNetCore.learning.phantom import Phantom, PhantomLabel
from SpineNetCore.learning.slice_examples import SliceExample
from SpineNetCore.scan import mapped
from SpineNetCore.vertebra_network import Tissue

_BODY_MARGIN = 1.25
"""A body's pixels lie within its corners, seen from its centre, or little beyond: its rims and lateral slices. ours."""

_SAME_TISSUE = {
    PhantomLabel.BODY: Tissue.BODY,
    PhantomLabel.S1: Tissue.SACRUM,
    PhantomLabel.DISC: Tissue.DISC,
    PhantomLabel.CANAL: Tissue.CANAL,
}


def examples_from_phantom(phantom: Phantom) -> list[SliceExample]:
    """Every slice of a phantom on which at least three bodies show."""
    images = scaled_intensities(phantom.scan.voxels)
    corners = _in_plane(phantom, np.stack([v.corners_ras_mm for v in phantom.vertebrae]))
    discs = _in_plane(phantom, np.stack([disc.centre_ras_mm for disc in phantom.discs]))
    is_lowest = np.array([disc.level == "L5-S1" for disc in phantom.discs])
    spacing = np.array(phantom.scan.spacing_mm[1:])
    examples = []
    for image, labels in zip(images, phantom.labels, strict=True):
        tissue = np.zeros(labels.shape, dtype=np.uint8)
        for theirs, ours in _SAME_TISSUE.items():
            tissue[labels == theirs] = ours
        disc_pixels = np.argwhere(tissue == Tissue.DISC)
        if len(disc_pixels):
            lowest = is_lowest[_nearest(disc_pixels * spacing, discs * spacing)[0]]
            tissue[tuple(disc_pixels[lowest].T)] = Tissue.LOWEST_DISC
        body = _bodies(tissue, corners * spacing, spacing)
        if len(np.unique(body)) > 3:
            examples.append(SliceExample(image, tissue, body, corners, (float(spacing[0]), float(spacing[1]))))
    return examples


def _in_plane(phantom: Phantom, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return mapped(phantom.scan.ijk_from_ras, points)[..., 1:]


def _bodies(
    tissue: NDArray[np.uint8], corners_mm: NDArray[np.float64], spacing: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """1 + the index of the body that a pixel belongs to; 0 outside all, where the picture cuts a body off."""
    body = np.zeros(tissue.shape, dtype=np.uint8)
    pixels = np.argwhere((tissue == Tissue.BODY) | (tissue == Tissue.SACRUM))
    if len(pixels):
        nearest, _ = _nearest(pixels * spacing, corners_mm.mean(axis=1))
        is_within = _within(pixels * spacing, corners_mm[nearest])
        body[tuple(pixels.T)] = np.where(is_within, nearest + 1, 0)
    return body


def _within(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each point (P, 2) lies within its own quadrilateral (P, 4, 2), widened by `_BODY_MARGIN`."""
    centre = corners.mean(axis=1, keepdims=True)
    wide = centre + _BODY_MARGIN * (corners - centre)
    side, here = np.roll(wide, -1, axis=1) - wide, points[:, None] - wide
    turn = side[..., 1] * here[..., 0] - side[..., 0] * here[..., 1]
    return np.asarray((turn >= 0).all(axis=1))


def _nearest(points: NDArray[np.float64], places: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    distance = np.linalg.norm(points[:, None] - places[None], axis=2)
    return distance.argmin(axis=1), distance.min(axis=1)
