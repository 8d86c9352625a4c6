"""Views of a disc: 54 fixed ones to score it, random ones to train on and to find its hotspots, each with its undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from SpineNetCore.disc_volume import DISC_SHAPE, context_margin
from SpineNetCore.errors import InputError
from SpineNetCore.tensors import tensor_of

MOST_VIEWS = 54
"""All that the paper looks through."""

_MARGIN = context_margin()


@dataclass(frozen=True)
class FixedView:
    """A disc volume's window moved over its context by whole voxels, its slices perhaps in reverse."""

    row_shift: int = 0
    column_shift: int = 0
    slice_shift: int = 0
    is_flipped: bool = False

    def cut(self, contexts: Tensor) -> Tensor:
        """(..., 13, 192, 320) to what this view sees of it, (..., 9, 112, 224)."""
        shifts = (self.slice_shift, self.row_shift, self.column_shift)
        slices, rows, columns = (
            slice(margin + shift, margin + shift + size)
            for margin, shift, size in zip(_MARGIN, shifts, DISC_SHAPE, strict=True)
        )
        window = contexts[..., slices, rows, columns]
        return window.flip(-3) if self.is_flipped else window


def fixed_views(count: int = MOST_VIEWS) -> tuple[FixedView, ...]:
    """The paper's 54 views (section 4), or the first `count` of them.

    ours: the order, always the same: the centre and its reverse, then the view farthest from those taken and its
    opposite, and so on, so that a few views lie evenly about the disc. Raises InputError for a count beyond 1 to 54.
    """
    if not 1 <= count <= MOST_VIEWS:
        raise InputError(f"A disc cannot be scored through {count} views: ask for 1 to {MOST_VIEWS}.")
    rest = [FixedView(*choice) for choice in product((0, -16, 16), (0, -16, 16), (0, -1, 1), (False, True))]
    chosen: list[FixedView] = []
    while rest and len(chosen) < count:
        farthest = max(rest, key=lambda view: min((_distance(view, other) for other in chosen), default=0))
        for view in (farthest, _opposite(farthest)):
            rest.remove(view)
            chosen.append(view)
    return tuple(chosen[:count])


@dataclass(frozen=True)
class View:
    """One drawn look at a disc: where the window lies on the context and what becomes of its intensities.

    The disc is turned by `angle_deg` and enlarged by `scale` about the window's centre, which lies `row_shift` and
    `column_shift` pixels and `slice_shift` slices from the disc's; `intensity` is added; slices may be in reverse.
    """

    angle_deg: float = 0.0
    row_shift: float = 0.0
    column_shift: float = 0.0
    slice_shift: int = 0
    scale: float = 1.0
    intensity: float = 0.0
    is_flipped: bool = False


@dataclass(frozen=True)
class RandomViewRanges:
    """How far a drawn view may stray to either side; the defaults are the paper's (section 4, data augmentation)."""

    angle_deg: float = 15.0
    rows: float = 24.0
    columns: float = 32.0
    slices: int = 2
    scale: float = 0.1
    intensity: float = 0.1
    flips: bool = True

    def ramped(self, fraction: float) -> RandomViewRanges:
        """The same ranges narrowed to a fraction in [0, 1], flips unchanged. ours: training widens them by degrees."""
        return replace(
            self,
            angle_deg=fraction * self.angle_deg,
            rows=fraction * self.rows,
            columns=fraction * self.columns,
            slices=round(fraction * self.slices),
            scale=fraction * self.scale,
            intensity=fraction * self.intensity,
        )


def draw_view(rng: np.random.Generator, ranges: RandomViewRanges) -> View:
    """A view drawn evenly from the ranges."""
    return View(
        angle_deg=rng.uniform(-ranges.angle_deg, ranges.angle_deg),
        row_shift=rng.uniform(-ranges.rows, ranges.rows),
        column_shift=rng.uniform(-ranges.columns, ranges.columns),
        slice_shift=int(rng.integers(-ranges.slices, ranges.slices + 1)),
        scale=rng.uniform(1 - ranges.scale, 1 + ranges.scale),
        intensity=rng.uniform(-ranges.intensity, ranges.intensity),
        is_flipped=ranges.flips and bool(rng.integers(2)),
    )


def look(contexts: Tensor, views: Sequence[View]) -> Tensor:
    """(N, 13, 192, 320) in [0, 1] to what each context's own view sees of it, (N, 9, 112, 224) in [0, 1].

    Beyond the context all is zero. A slice without tissue stays zero whatever the view's intensity.
    """
    rows = torch.arange(len(views), device=contexts.device)[:, None]
    shown = tensor_of(np.stack([slices_in_view(view) for view in views])).to(contexts.device)
    return brightened(through_windows(contexts[rows, shown], views), views)


def slices_in_view(view: View) -> NDArray[np.int64]:
    """(9,) slices of the context that the view's window shows, in its order."""
    slices = np.arange(DISC_SHAPE[0]) + _MARGIN[0] + view.slice_shift
    return slices[::-1] if view.is_flipped else slices


def through_windows(slices: Tensor, views: Sequence[View]) -> Tensor:
    """(N, 9, 192, 320) slices in view to what the views' windows show of them in plane, (N, 9, 112, 224)."""
    context_from_view, shift = _in_plane(views, slices)
    return _warped(slices, context_from_view, shift)


def brightened(seen: Tensor, views: Sequence[View]) -> Tensor:
    """(N, 9, 112, 224) with each view's intensity added in slices with tissue, within [0, 1]."""
    is_tissue = seen.amax(dim=(-2, -1), keepdim=True) > 0
    return (seen + _numbers([view.intensity for view in views], seen)[:, None, None, None] * is_tissue).clamp(0, 1)


def undo(maps: Tensor, views: Sequence[View]) -> tuple[Tensor, Tensor]:
    """Maps on the views' windows, (N, 9, 112, 224) or (N, T, 9, 112, 224), back to the disc's own frame, same shape.

    Also returns `seen`, (N, 9, 112, 224) in [0, 1]: how much of each voxel of the disc the view saw. Both are zero
    where it saw nothing, so that a sum of maps over a sum of `seen` is an even mean. Intensity is not undone.
    """
    context_from_view, shift = _in_plane(views, maps)
    view_from_context = torch.linalg.inv(context_from_view)
    origin = -(view_from_context @ shift[:, :, None])[:, :, 0]
    plane = _warped(maps.new_ones(len(views), 1, *maps.shape[-2:]), view_from_context, origin)
    warped = _warped(maps.flatten(1, -3), view_from_context, origin).reshape(maps.shape)
    places, is_seen = _window_slices(views, maps)  # (N, 9) each
    restored = torch.stack([one.index_select(-3, place) for one, place in zip(warped, places, strict=True)])
    restored *= is_seen.reshape(len(views), *(1 for _ in maps.shape[1:-3]), -1, 1, 1)
    return restored, plane * is_seen[:, :, None, None]


def _distance(view: FixedView, other: FixedView) -> float:
    """Between two views, counting a step along any of their four choices as one."""
    steps = (
        (view.row_shift - other.row_shift) / 16,
        (view.column_shift - other.column_shift) / 16,
        view.slice_shift - other.slice_shift,
        view.is_flipped - other.is_flipped,
    )
    return sum(step**2 for step in steps)


def _opposite(view: FixedView) -> FixedView:
    return FixedView(-view.row_shift, -view.column_shift, -view.slice_shift, not view.is_flipped)


def _window_slices(views: Sequence[View], like: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 9) places in each view's window where the disc's slices are, and whether they are there at all."""
    last = DISC_SHAPE[0] - 1
    unflipped = np.stack([np.arange(last + 1) - view.slice_shift for view in views])
    places = np.where([[view.is_flipped] for view in views], last - unflipped, unflipped)
    is_seen = tensor_of((places >= 0) & (places <= last)).to(like)
    return tensor_of(places.clip(0, last)).to(like.device), is_seen


def _in_plane(views: Sequence[View], like: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 2, 2) and (N, 2): window pixels (column, row) from its centre to pixels of the context from its centre."""
    angles = np.radians([view.angle_deg for view in views])
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)
    scales = np.array([view.scale for view in views])[:, None, None]
    shifts = np.array([(view.column_shift, view.row_shift) for view in views])
    return _numbers(turns / scales, like), _numbers(shifts, like)


def _warped(maps: Tensor, source_from_window: Tensor, origin: Tensor) -> Tensor:
    """Sample (N, C, rows, columns), zero beyond its border, at the windows' (112, 224) pixels."""
    window_size = origin.new_tensor([DISC_SHAPE[2], DISC_SHAPE[1]])
    source_size = origin.new_tensor([maps.shape[-1], maps.shape[-2]])
    matrix = source_from_window * window_size[None, None, :] / source_size[None, :, None]
    theta = torch.cat([matrix, (2 * origin / source_size)[:, :, None]], dim=2)  # (N, 2, 3), both ends in [-1, 1]
    grid = functional.affine_grid(theta, [len(maps), 1, DISC_SHAPE[1], DISC_SHAPE[2]], align_corners=False)
    return functional.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _numbers(values: object, like: Tensor) -> Tensor:
    return tensor_of(np.asarray(values)).to(like)
