"""Vertebral bodies on every sagittal slice: the detector's maps, and the votes its pixels cast for corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.progress import Count, uncounted
from SpineNetCore.scan import Scan
from SpineNetCore.tensors import array_of, tensor_of
from SpineNetCore.vertebra_network import CORNER_UNIT_MM, PIXEL_MM, Tissue, VertebraNetwork

InPlane = NDArray[np.float64]

_SMALLEST_BODY_MM2 = 150.0
_UNSEEN_DISC: FloatArray = np.eye(len(Tissue), dtype=np.float32)[[Tissue.DISC, Tissue.LOWEST_DISC]].mean(axis=0)
_GRAIN: FloatArray = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
"""Leaves noise, and nothing of slopes and straight edges (Immerkaer 1996)."""
_SIGMA_OF_GRAIN = 1.4826 / 6
"""White noise's standard deviation, in the median of what `_GRAIN` makes of it, signs aside."""

VOTE_REACH_MM = 8.0


@dataclass(frozen=True)
class BodyDetection:
    """One body on one slice.

    corners_mm: (4, 2) row and column millimetres from the first pixel's centre; anterior-superior, posterior-superior,
    posterior-inferior, anterior-inferior. area_mm2: of the pixels that voted. confidence, sacrum, lowest_disc_above,
    lowest_disc_below, disc_below: mean probabilities over the body, of being a body at all, of being S1, and of L5-S1
    (or any disc) lying right above or below.
    """

    slice_index: int
    corners_mm: InPlane
    area_mm2: float
    confidence: float
    sacrum: float
    lowest_disc_above: float
    lowest_disc_below: float
    disc_below: float

    @property
    def centre_mm(self) -> InPlane:
        return np.asarray(self.corners_mm.mean(axis=0))

    @property
    def height_mm(self) -> float:
        return float(np.linalg.norm(self.corners_mm[[3, 2]].mean(axis=0) - self.corners_mm[[0, 1]].mean(axis=0)))


@dataclass(frozen=True)
class Reading:
    """What the detector read off a scan.

    disc_chance: probability of disc, [slice, row, column] at `PIXEL_MM`. canal_brightness: median of the canal over
    that of the bodies, None where either is hardly seen. canal_share: area of the canal over that of the bodies, on the
    slice that shows most of it among those that show the bodies well. noise: its standard deviation at `PIXEL_MM` in
    the bodies, over their median, None where they are hardly seen.
    """

    bodies: tuple[BodyDetection, ...]
    disc_chance: FloatArray
    canal_brightness: float | None
    canal_share: float
    noise: float | None


def read_scan_slices(
    scan: Scan, network: VertebraNetwork, device: torch.device, progress: Count = uncounted
) -> Reading:
    """Every vertebral body on every slice of a scan, S1 included (ours: a U-Net whose pixels vote)."""
    images = scaled_intensities(scan.voxels)
    bodies: list[BodyDetection] = []
    disc_chance = []
    canal, body, grain = [], [], []
    for k, image in enumerate(images):
        small = at_working_resolution(image, scan.spacing_mm[1:])
        tissue, corners = read_slice(small, network, device)
        canal.append(small[tissue[Tissue.CANAL] > 0.5])
        body.append(small[tissue[Tissue.BODY] > 0.5])
        grain.append(_SIGMA_OF_GRAIN * np.abs(ndimage.convolve(small, _GRAIN))[tissue[Tissue.BODY] > 0.5])
        bodies += bodies_on_slice(tissue, corners, k)
        disc_chance.append(tissue[Tissue.DISC] + tissue[Tissue.LOWEST_DISC])
        progress(k + 1, len(images))
    return Reading(
        tuple(bodies),
        np.stack(disc_chance),
        _relative(np.concatenate(canal), np.concatenate(body)),
        _canal_share([len(one) for one in canal], [len(one) for one in body]),
        _relative(np.concatenate(grain), np.concatenate(body)),
    )


def _relative(values: FloatArray, body: FloatArray) -> float | None:
    """Median of some pixels over that of the bodies' pixels."""
    if min(len(values), len(body)) * PIXEL_MM**2 < _SMALLEST_BODY_MM2:
        return None
    marrow = float(np.median(body))
    return float(np.median(values)) / marrow if marrow > 0 else None


def _canal_share(canal_areas: list[int], body_areas: list[int]) -> float:
    """Slices with less than half the largest area of bodies may show a piece of canal beside next to none."""
    largest = max(body_areas)
    shares = [c / b for c, b in zip(canal_areas, body_areas, strict=True) if b and b >= largest / 2]
    return max(shares, default=0.0)


def scaled_intensities(voxels: FloatArray) -> FloatArray:
    """Scale a scan so that its 1st percentile is 0 and its 99.5th is 1, clipped."""
    low, high = np.percentile(voxels, (1.0, 99.5))
    return np.asarray(
        np.clip((voxels - low) / max(float(high - low), np.finfo(np.float32).tiny), 0, 1), dtype=np.float32
    )


def at_working_resolution(image: FloatArray, spacing_mm: tuple[float, float]) -> FloatArray:
    """A slice [row, column] at `PIXEL_MM` a pixel, its first pixel staying where it is."""
    step = PIXEL_MM / np.array(spacing_mm)
    shape = tuple(int((size - 1) / s) + 1 for size, s in zip(image.shape, step, strict=True))
    smooth = ndimage.gaussian_filter(image, 0.35 * step)
    scaled = ndimage.affine_transform(smooth, step, output_shape=shape, order=1, mode="nearest")
    return np.asarray(scaled, dtype=np.float32)


def read_slice(image: FloatArray, network: VertebraNetwork, device: torch.device) -> tuple[FloatArray, InPlane]:
    """Tissue probabilities (6, H, W) at `PIXEL_MM` a pixel, and corners (4, 2, H, W) in millimetres from the first."""
    height, width = image.shape
    padding = [(0, -size % network.stride) for size in image.shape]
    padded = tensor_of(np.pad(image, padding))[None, None].to(device, memory_format=torch.channels_last)
    with torch.inference_mode():
        maps = network(padded)
    tissue = array_of(maps.tissue[0, :, :height, :width].float().softmax(dim=0))
    offsets = array_of(maps.corners[0, :, :height, :width].float()).reshape(4, 2, height, width)
    return tissue, offsets * CORNER_UNIT_MM + np.indices((height, width)) * PIXEL_MM


def bodies_on_slice(tissue: FloatArray, corners: InPlane, slice_index: int = 0) -> list[BodyDetection]:
    """The bodies whose pixels agree on a centre, from the maps of `read_slice`."""
    chance = tissue[Tissue.BODY] + tissue[Tissue.SACRUM]
    pixels = chance > 0.5
    if not pixels.any():
        return []
    weights, votes = chance[pixels], corners[:, :, pixels]
    centres = votes.mean(axis=0).T
    peaks = _peaks(centres, weights, chance.shape)
    distance = np.linalg.norm(centres[:, None] - peaks[None], axis=2)
    nearest = np.where(distance.min(axis=1) < VOTE_REACH_MM, distance.argmin(axis=1), -1)
    voters = (nearest == peak for peak in range(len(peaks)))
    large = [members for members in voters if members.sum() * PIXEL_MM**2 > _SMALLEST_BODY_MM2]
    return [_body(tissue, votes[:, :, members], pixels, members, slice_index) for members in large]


def _peaks(centres: InPlane, weights: FloatArray, shape: tuple[int, ...]) -> InPlane:
    """(P, 2) row and column millimetres of the places that many pixels call their body's centre."""
    bins = [np.arange(size + 1) * PIXEL_MM - PIXEL_MM / 2 for size in shape]
    histogram = np.histogram2d(centres[:, 0], centres[:, 1], bins=bins, weights=weights)[0]
    density = ndimage.gaussian_filter(histogram, 2.0 / PIXEL_MM)
    is_peak = (density == ndimage.maximum_filter(density, round(13 / PIXEL_MM))) & (density > 0.8)
    plateaus, count = ndimage.label(is_peak, np.ones((3, 3)))  # a centre between two pixels peaks on both
    if count == 0:
        return np.asarray(centres.mean(axis=0, keepdims=True))
    return np.array(ndimage.center_of_mass(is_peak, plateaus, range(1, count + 1))) * PIXEL_MM


def _body(
    tissue: FloatArray, votes: InPlane, pixels: NDArray[np.bool_], members: NDArray[np.bool_], slice_index: int
) -> BodyDetection:
    own = tissue[:, pixels][:, members].mean(axis=1)
    corners = np.median(votes, axis=2)
    above, below = _gap_tissue(tissue, corners, upwards=True), _gap_tissue(tissue, corners, upwards=False)
    return BodyDetection(
        slice_index,
        corners,
        float(members.sum()) * PIXEL_MM**2,
        confidence=float(own[Tissue.BODY] + own[Tissue.SACRUM]),
        sacrum=float(own[Tissue.SACRUM] / (own[Tissue.BODY] + own[Tissue.SACRUM])),
        lowest_disc_above=float(above[Tissue.LOWEST_DISC]),
        lowest_disc_below=float(below[Tissue.LOWEST_DISC]),
        disc_below=float(below[Tissue.DISC] + below[Tissue.LOWEST_DISC]),
    )


def _gap_tissue(tissue: FloatArray, corners: InPlane, upwards: bool) -> FloatArray:
    """(6,) mean tissue on the line, 1 to 8 mm off the endplate, that holds most disc.

    Out of the picture nothing is known: L5-S1 and any other disc are then as likely as each other.
    """
    front, rear = (corners[0], corners[1]) if upwards else (corners[3], corners[2])
    down = corners[[3, 2]].mean(axis=0) - corners[[0, 1]].mean(axis=0)
    away = (-down if upwards else down) / max(float(np.linalg.norm(down)), 1e-6)
    along = np.linspace(0.25, 0.75, 9)[:, None]
    lines = [front + along * (rear - front) + away * reach for reach in np.arange(1.0, 8.5, 1.0)]
    if _is_inside(np.concatenate(lines) / PIXEL_MM, tissue.shape[1:]).mean() < 0.5:
        return _UNSEEN_DISC
    samples = np.stack([_sampled(tissue, line / PIXEL_MM).mean(axis=1) for line in lines])
    best = (samples[:, Tissue.DISC] + samples[:, Tissue.LOWEST_DISC]).argmax()
    return np.asarray(samples[best])


def _sampled(maps: FloatArray, points: InPlane) -> FloatArray:
    """(C, H, W) at (P, 2) pixels, nearest; 0 outside."""
    rows, columns = np.clip(np.rint(points).astype(int), 0, np.array(maps.shape[1:]) - 1).T
    return np.asarray(maps[:, rows, columns] * _is_inside(points, maps.shape[1:]))


def _is_inside(points: InPlane, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    places = np.rint(points).astype(int)
    return np.asarray(((places >= 0) & (places < shape)).all(axis=1))
