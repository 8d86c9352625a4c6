"""One true positive as pictures: its slice, the lesion's outline, and over it what each method shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
from scipy import ndimage

from SpineNetCore.anatomy import FloatArray, Task
from SpineNetCore.disc_volume import DISC_SHAPE
from SpineNetCore.learning.hotspot_scorecard.cases import LesionedDisc
from SpineNetCore.learning.lesions import Mask
from SpineNetCore.pictures import Grid, Pixels, Window, data_uri, grey_picture, heat_picture, png
from SpineNetCore.tensors import array_of, tensor_of
from SpineNetCore.views import FixedView

_ROWS, _COLUMNS = DISC_SHAPE[1:]
_GRID = Grid(*np.meshgrid(np.arange(_ROWS, dtype=float), np.arange(_COLUMNS, dtype=float), indexing="ij"))
_OUTLINE: Pixels = np.array([[0, 0, 0, 0], [110, 231, 135, 255]], dtype=np.uint8)


@dataclass(frozen=True)
class Example:
    """A true positive in pictures. pictures: SVG by title, the bare slice first, then a map of each method."""

    task: Task
    caption: str
    pictures: Mapping[str, str]


def example(disc: LesionedDisc, row: int, maps: Mapping[str, FloatArray]) -> Example:
    """Pictures of the slice that shows most of the lesion of the disc's score number `row`.

    maps: (9, 112, 224) by method. Each is scaled by its own 99.9th percentile over the whole volume.
    """
    lesion = disc.lesions[row]
    number = int(lesion.sum(axis=(1, 2)).argmax())
    score = disc.scores[row]
    caption = f"{disc.patient}, {disc.level}, {score.task.title}: {score.task.labels[score.grade]}"
    volume = array_of(FixedView().cut(tensor_of(disc.context)))
    grey = _image(grey_picture(volume[number], _GRID, Window(0, 1)))
    outline = _image(_outline(lesion[number]))
    pictures = {"slice with most of the lesion": _svg(f"{caption}, bare", grey)}
    for title, heat in maps.items():
        pictures[title] = _svg(f"{caption}, {title}", grey + _heat(heat, number) + outline + _peak(heat, number))
    return Example(score.task, caption, pictures)


def _heat(heat: FloatArray, number: int) -> str:
    bright = float(np.percentile(heat, 99.9))
    return _image(heat_picture(heat[number] / (bright if bright > 0 else 1.0), _GRID))


def _outline(lesion: Mask) -> str:
    return data_uri(png((ndimage.binary_dilation(lesion) & ~lesion).astype(np.uint8), _OUTLINE))


def _peak(heat: FloatArray, number: int) -> str:
    """A cross at the map's maximum, or words where it lies in another slice; of equal ones the nearest slice's."""
    peaks = np.argwhere(heat == heat.max())
    slice_number, y, x = peaks[np.abs(peaks[:, 0] - number).argmin()]
    if slice_number != number:
        off = int(slice_number) - number
        side, slices = "left" if off > 0 else "right", "slice" if abs(off) == 1 else "slices"
        return f'<text x="4" y="10" font-size="9">maximum {abs(off)} {slices} to the {side}</text>'
    return f'<path class="peak" d="M{x - 4} {y}h8M{x} {y - 4}v8"/>'


def _image(picture: str) -> str:
    return f'<image width="{_COLUMNS}" height="{_ROWS}" href="{picture}"/>'


def _svg(label: str, content: str) -> str:
    return f'<svg class="crop" viewBox="0 0 {_COLUMNS} {_ROWS}" role="img" aria-label="{escape(label)}">{content}</svg>'
