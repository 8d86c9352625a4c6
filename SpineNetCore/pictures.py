"""Slices and heat maps as small PNG pictures with square pixels."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.scan import Scan, mapped

Pixels = NDArray[np.uint8]

HEAT_COLOURS = ((0.0, (87, 16, 110)), (0.35, (188, 55, 84)), (0.7, (249, 142, 9)), (1.0, (252, 255, 164)))
"""ours: the upper part of the `inferno` scale, which rises evenly in lightness and colour-blind readers see too."""
HEAT_OPACITY = 0.8
HEAT_OPAQUE_FROM = 0.4


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a picture lie in a slice: fractional `rows` and `columns`, both (height, width)."""

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]

    @property
    def height(self) -> int:
        return int(self.rows.shape[0])

    @property
    def width(self) -> int:
        return int(self.rows.shape[1])


@dataclass(frozen=True)
class Window:
    """The intensities shown as black and as white."""

    low: float
    high: float


def scan_window(scan: Scan, spine: NDArray[np.bool_]) -> Window:
    """From the scan's dark end to the body's bright end, with `spine` [slice, row, column] no darker than a quarter.

    ours: the ends are the 1st and the 99.5th percentile, the body is all above 3 % of the range, and the fluid may burn
    out where it would leave the bones black.
    """
    sample, inside = scan.voxels[:, ::3, ::3], spine[:, ::3, ::3]
    low, bright = (float(value) for value in np.percentile(sample, (1, 99)))
    high = float(np.percentile(sample[sample >= low + 0.03 * (bright - low)], 99.5))
    above_low = float(np.median(sample[inside])) - low if inside.any() else 0.0
    if above_low > 0:
        high = min(high, low + 4 * above_low)
    return Window(low, high) if high > low else Window(low, low + 1)


def whole_slice(scan: Scan, most_pixels: int) -> Grid:
    """A whole slice on square pixels, at most so many along its longer side."""
    _, row_count, column_count = scan.voxels.shape
    _, row_mm, column_mm = scan.spacing_mm
    size_mm = np.array([row_count * row_mm, column_count * column_mm])
    pixel_mm = max(min(row_mm, column_mm), float(size_mm.max()) / most_pixels)
    height, width = np.maximum(np.rint(size_mm / pixel_mm).astype(int), 1)
    rows = (np.arange(height) + 0.5) * row_count / height - 0.5
    columns = (np.arange(width) + 0.5) * column_count / width - 0.5
    return Grid(*np.meshgrid(rows, columns, indexing="ij"))


def picture_places(points_ras_mm: NDArray[np.float64], scan: Scan, grid: Grid) -> NDArray[np.float64]:
    """(..., 2) x and y of points on the `grid` of a whole slice; a voxel's centre lies half a voxel in."""
    indices = mapped(scan.ijk_from_ras, points_ras_mm)[..., [2, 1]]
    _, row_count, column_count = scan.voxels.shape
    return np.asarray((indices + 0.5) * (grid.width / column_count, grid.height / row_count))


def grey_picture(image: FloatArray, grid: Grid, window: Window) -> str:
    """A slice [row, column] on `grid` as a greyscale PNG's data URI; black outside the slice."""
    values = ndimage.map_coordinates(image, (grid.rows, grid.columns), order=3, mode="grid-constant", cval=window.low)
    grey = np.clip((values - window.low) / (window.high - window.low), 0, 1)
    return data_uri(png(np.rint(grey * 255).astype(np.uint8)))


def heat_picture(heat: FloatArray, grid: Grid) -> str:
    """A heat map in [0, 1], [row, column], on `grid` as a PNG's data URI; clear where it is zero."""
    values = ndimage.map_coordinates(heat, (grid.rows, grid.columns), order=1, mode="grid-constant", cval=0.0)
    return data_uri(png(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8), heat_palette()))


def heat_palette() -> Pixels:
    """(256, 4) red, green, blue and opacity from heat 0 to heat 1."""
    heat = np.linspace(0, 1, 256)
    stops = [stop for stop, _ in HEAT_COLOURS]
    channels = [np.interp(heat, stops, [colour[channel] for _, colour in HEAT_COLOURS]) for channel in range(3)]
    opacity = 255 * HEAT_OPACITY * np.clip(heat / HEAT_OPAQUE_FROM, 0, 1)
    return np.rint(np.stack([*channels, opacity], axis=1)).astype(np.uint8)


def data_uri(picture: bytes) -> str:
    """A PNG as text that stands in for a file name in HTML."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"


def png(pixels: Pixels, palette: Pixels | None = None) -> bytes:
    """Encode [row, column] as an 8-bit PNG: greys, or with `palette` (n, 4) indices into red, green, blue, opacity."""
    height, width = pixels.shape
    # Neighbouring rows of a photograph are alike, so their differences pack better; those of palette indices do not.
    line_filter = 2 if palette is None else 0
    rows = np.diff(pixels, axis=0, prepend=np.zeros((1, width), np.uint8)) if palette is None else pixels
    lines = np.concatenate([np.full((height, 1), line_filter, np.uint8), rows], axis=1)
    colour_type = 0 if palette is None else 3
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0))]
    if palette is not None:
        chunks += [(b"PLTE", palette[:, :3].tobytes()), (b"tRNS", palette[:, 3].tobytes())]
    chunks += [(b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
