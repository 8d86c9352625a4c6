"""What a scanner makes of the signal: coil shading, ghosts, limited resolution and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from SpineNetCore.anatomy import FloatArray
from SpineNetCore.learning.phantom.field_of_view import FieldOfView
from SpineNetCore.learning.phantom.settings import PhantomSettings, chance, drawn

_BAND_SOFTNESS_MM = 8.0


@dataclass(frozen=True)
class Scanner:
    """One scanner with its protocol, drawn once a scan.

    shading: (rows, columns) coil sensitivity, 1 about the spine. blurred: (rows, columns // 2 + 1) share of every
    spatial frequency that is acquired, with the blur of the signal's decay. noise: complex (rows, columns) of unit
    strength. ghost: strength, shift in pixels, axis.
    """

    shading: FloatArray
    blurred: FloatArray
    noise: NDArray[np.complex64]
    noise_sigma: float
    ghost: tuple[float, int, int]
    full_scale: float


def draw_scanner(
    rng: np.random.Generator, settings: PhantomSettings, view: FieldOfView, marrow: float, spine_mm: float
) -> Scanner:
    """Draw a scanner; marrow: its signal, spine_mm: the posterior place of the bodies' middle."""
    passed = _acquired(rng, view)
    sigma = drawn(rng, settings.blur_mm) / view.pixel_mm
    blur = np.exp(-2 * (np.pi * sigma * _frequency(view)) ** 2)
    axis = int(rng.integers(0, 2))
    return Scanner(
        shading=_draw_shading(rng, settings, view, spine_mm),
        blurred=np.asarray(passed * blur, dtype=np.float32),
        noise=_draw_noise(rng, view, passed),
        noise_sigma=marrow * settings.noise[0] * float((settings.noise[1] / settings.noise[0]) ** rng.random()),
        ghost=(
            drawn(rng, settings.ghosting) * float(rng.random()),
            (view.rows, view.columns)[axis] // int(rng.integers(2, 5)),
            axis,
        ),
        full_scale=float(np.exp(drawn(rng, (np.log(200.0), np.log(2000.0))))),
    )


def acquired(rng: np.random.Generator, scanner: Scanner, signal: FloatArray) -> FloatArray:
    """One slice [row, column] as its magnitude image, signal 1 becoming `full_scale`, in whole numbers."""
    strength, shift, axis = scanner.ghost
    shaded = signal * scanner.shading
    shaded += np.float32(strength) * np.roll(shaded, shift, axis)
    image = fft.irfft2(fft.rfft2(shaded) * scanner.blurred, s=shaded.shape)
    moved = np.roll(scanner.noise, rng.integers(0, signal.shape[0], 2).tolist(), (0, 1))
    sigma = np.float32(scanner.noise_sigma)
    magnitude = np.hypot(image + sigma * moved.real, sigma * moved.imag)
    return np.asarray(np.rint(magnitude * np.float32(scanner.full_scale)), dtype=np.float32)


def _frequency(view: FieldOfView) -> FloatArray:
    """Cycles a pixel."""
    rows, columns = np.fft.fftfreq(view.rows)[:, None], np.fft.rfftfreq(view.columns)[None, :]
    return np.asarray(np.hypot(rows, columns), dtype=np.float32)


def _acquired(rng: np.random.Generator, view: FieldOfView) -> FloatArray:
    """Share of each frequency inside the sampled rectangle, as interpolation by zero filling leaves it."""
    limits = 0.5 * np.clip(view.pixel_mm / rng.uniform(0.55, 1.1, 2), 0.35, 1.0)
    rows, columns = np.abs(np.fft.fftfreq(view.rows))[:, None], np.fft.rfftfreq(view.columns)[None, :]
    softness = drawn(rng, (0.01, 0.08))
    along, across = (
        np.clip(0.5 + (limit - k) / softness, 0, 1) for limit, k in ((limits[0], rows), (limits[1], columns))
    )
    return np.asarray(along * across, dtype=np.float32)


def _draw_noise(rng: np.random.Generator, view: FieldOfView, passed: FloatArray) -> NDArray[np.complex64]:
    parts = []
    for _ in range(2):
        white = rng.standard_normal((view.rows, view.columns), dtype=np.float32)
        coloured = fft.irfft2(fft.rfft2(white) * passed, s=white.shape)
        parts.append(coloured / coloured.std())
    return np.asarray(parts[0] + 1j * parts[1], dtype=np.complex64)


def _draw_shading(
    rng: np.random.Generator, settings: PhantomSettings, view: FieldOfView, spine_mm: float
) -> FloatArray:
    """Bright near the coil behind the back, dark ahead and at both ends; often a saturation band ahead of the spine."""
    strength = drawn(rng, settings.coil_shading)
    posterior = view.posterior_mm[None, :] - np.float32(spine_mm)
    inferior = np.linspace(-1, 1, view.rows, dtype=np.float32)[:, None]
    fall = np.exp(np.clip(posterior, -200, 80) * np.float32(strength / drawn(rng, (45.0, 90.0))))
    ends = 1 - np.float32(0.35 * strength) * (inferior - np.float32(drawn(rng, (-0.3, 0.3)))) ** 4
    wobble = np.exp(np.float32(0.12 * strength) * _slow_noise(rng, view))
    return np.asarray(fall * np.maximum(ends, 0.1) * wobble * _saturation(rng, view, spine_mm), dtype=np.float32)


def _slow_noise(rng: np.random.Generator, view: FieldOfView) -> FloatArray:
    """A sum of a few slow waves over the picture."""
    y = np.linspace(0, 1, view.rows, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, view.columns, dtype=np.float32)[None, :]
    waves = [
        np.cos(np.float32(2 * np.pi) * (np.float32(a) * y + np.float32(b) * x + np.float32(c)))
        for a, b, c in rng.uniform((-1.2, -1.2, 0), (1.2, 1.2, 1), (4, 3))
    ]
    return np.asarray(np.sum(waves, axis=0), dtype=np.float32)


def _saturation(rng: np.random.Generator, view: FieldOfView, spine_mm: float) -> FloatArray:
    if not chance(rng, 0.4):
        return np.ones((1, 1), dtype=np.float32)
    slope = np.float32(drawn(rng, (-0.25, 0.25)))
    middle = np.float32(view.inferior_mm.mean())
    edge = np.float32(spine_mm - drawn(rng, (32.0, 65.0))) + slope * (view.inferior_mm[:, None] - middle)
    left = drawn(rng, (0.05, 0.4))
    kept = np.clip(0.5 + (view.posterior_mm[None, :] - edge) / np.float32(_BAND_SOFTNESS_MM), 0, 1)
    return np.asarray(left + (1 - left) * kept, dtype=np.float32)
