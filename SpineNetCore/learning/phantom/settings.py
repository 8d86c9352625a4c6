"""What a phantom may look like: every range that the simulator draws from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SpineNetCore.anatomy import Task

Range = tuple[float, float]


@dataclass(frozen=True)
class Prevalence:
    """How often each grade occurs, over the six lumbar discs together.

    pfirrmann: (5,) probabilities. narrowing: (5, 4) probabilities given the Pfirrmann grade, so that a bright disc is
    never a collapsed one. The others: probability of grade 1. ours: the conditional table, chosen to give the paper's
    Table 1 on the whole.
    """

    pfirrmann: tuple[float, ...] = (0.32, 0.15, 0.23, 0.20, 0.10)
    narrowing: tuple[tuple[float, ...], ...] = (
        (1.0, 0.0, 0.0, 0.0),
        (1.0, 0.0, 0.0, 0.0),
        (0.46, 0.36, 0.18, 0.0),
        (0.12, 0.19, 0.53, 0.16),
        (0.0, 0.0, 0.32, 0.68),
    )
    upper_endplate: float = 0.09
    lower_endplate: float = 0.09
    upper_marrow: float = 0.15
    lower_marrow: float = 0.15

    def of(self, task: Task) -> tuple[float, ...]:
        """The share of each of a task's grades."""
        if task is Task.PFIRRMANN:
            return self.pfirrmann
        if task is Task.NARROWING:
            return tuple((np.asarray(self.pfirrmann) @ np.asarray(self.narrowing)).tolist())
        abnormal = float(getattr(self, task.value))
        return (1 - abnormal, abnormal)


PAPER_PREVALENCE = Prevalence()
BALANCED_PREVALENCE = Prevalence(
    pfirrmann=(0.2, 0.2, 0.2, 0.2, 0.2),
    narrowing=(
        (1.0, 0.0, 0.0, 0.0),
        (1.0, 0.0, 0.0, 0.0),
        (0.4, 0.4, 0.2, 0.0),
        (0.25, 0.25, 0.3, 0.2),
        (0.0, 0.1, 0.3, 0.6),
    ),
    upper_endplate=0.5,
    lower_endplate=0.5,
    upper_marrow=0.5,
    lower_marrow=0.5,
)
"""As even, and as independent of each other, as the grades' meaning allows: no Pfirrmann 1 or 2 is narrowed, so that
narrowing 1 keeps more than half."""


@dataclass(frozen=True)
class PhantomSettings:
    """Ranges that a phantom is drawn from, millimetres and degrees.

    slices: fewest and most. slice_thickness_mm: lowest, median, highest (the paper's section 5). contrast: 0 paints
    textbook T2, 1 any contrast at all, T1 among them. noise: Rician sigma as a fraction of marrow. coil_shading: 0
    none, 1 that of a spine coil. cut_off_probability: of a field of view that ends above S1.
    sacral_disc_probability: of a whole disc between S1 and S2, as in transitional anatomy. balanced: draw grades about
    evenly, at every level alike and none by another, but narrowing by Pfirrmann, instead of by `prevalence`.
    """

    prevalence: Prevalence = PAPER_PREVALENCE
    balanced: bool = False
    slices: tuple[int, int] = (1, 19)
    few_slices_probability: float = 0.06
    slice_thickness_mm: tuple[float, float, float] = (2.6, 4.0, 6.0)
    slice_gap_fraction: Range = (0.0, 0.25)
    in_plane_mm: Range = (0.35, 1.1)
    height_mm: Range = (245.0, 345.0)
    width_fraction: Range = (0.55, 1.0)
    cut_off_probability: float = 0.06
    stature: Range = (0.82, 1.18)
    sacral_slope_deg: Range = (20.0, 58.0)
    lordosis_factor: Range = (0.55, 1.35)
    scoliosis_mm: Range = (0.0, 10.0)
    slice_tilt_deg: Range = (-3.0, 3.0)
    obliquity_deg: Range = (-8.0, 8.0)
    olisthesis_probability: float = 0.05
    olisthesis_mm: Range = (3.0, 9.0)
    sacral_disc_probability: float = 0.0
    contrast: float = 0.1
    noise: Range = (0.02, 0.16)
    coil_shading: Range = (0.1, 1.0)
    blur_mm: Range = (0.3, 0.8)
    ghosting: Range = (0.0, 0.05)

    @property
    def grade_prevalence(self) -> Prevalence:
        """The prevalence in force."""
        return BALANCED_PREVALENCE if self.balanced else self.prevalence

    @classmethod
    def for_detector(cls) -> PhantomSettings:
        """Widely randomised contrast, resolution and artefacts, so that what is learned carries to real scans."""
        return cls(
            slices=(1, 7),
            contrast=0.6,
            noise=(0.02, 0.3),
            coil_shading=(0.0, 1.4),
            blur_mm=(0.3, 1.4),
            ghosting=(0.0, 0.1),
            cut_off_probability=0.12,
            scoliosis_mm=(0.0, 14.0),
            slice_tilt_deg=(-7.0, 7.0),
            olisthesis_mm=(3.0, 18.0),
            sacral_disc_probability=0.4,
        )


def drawn(rng: np.random.Generator, limits: Range) -> float:
    """A number drawn evenly between two limits."""
    return float(rng.uniform(*limits))


def drawn_normal(rng: np.random.Generator, mean: float, deviation: float, limits: Range) -> float:
    """A normal number, held between limits."""
    return float(np.clip(rng.normal(mean, deviation), *limits))


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Whether something of that probability happens."""
    return bool(rng.random() < probability)
