"""Where every vertebral body of one patient lies in the sagittal plane, built from the sacrum upwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.phantom.grades import Grades
from SpineNetCore.learning.phantom.settings import PhantomSettings, chance, drawn, drawn_normal
from SpineNetCore.learning.phantom.shapes import Plane


@dataclass(frozen=True)
class _Norm:
    """A level's usual size, ours from anatomy: body depth, height, lateral half-width, wedge (anterior taller,
    degrees), height and wedge of the disc below."""

    level: str
    depth_mm: float
    height_mm: float
    half_width_mm: float
    wedge_deg: float
    disc_mm: float
    disc_wedge_deg: float


_MOBILE = (
    _Norm("T6", 25.5, 18.5, 13.5, -3.0, 4.5, -1.0),
    _Norm("T7", 26.5, 19.0, 14.0, -3.0, 4.7, -1.0),
    _Norm("T8", 27.5, 19.7, 14.5, -3.0, 5.0, -0.5),
    _Norm("T9", 28.5, 20.5, 15.2, -3.0, 5.3, -0.5),
    _Norm("T10", 29.3, 21.5, 16.2, -3.0, 5.7, 0.0),
    _Norm("T11", 30.2, 22.8, 18.0, -4.0, 7.2, 0.0),
    _Norm("T12", 31.0, 24.5, 20.0, -4.0, 8.8, 1.0),
    _Norm("L1", 32.0, 26.0, 21.3, -3.0, 11.2, 3.5),
    _Norm("L2", 33.0, 27.0, 22.5, -0.5, 12.3, 5.5),
    _Norm("L3", 34.0, 27.3, 23.7, 1.0, 13.8, 7.5),
    _Norm("L4", 34.5, 27.0, 24.8, 2.5, 14.6, 10.5),
    _Norm("L5", 34.5, 26.5, 26.0, 8.0, 14.0, 14.0),
)
_LORDOTIC = ("L1", "L2", "L3", "L4", "L5")
_HEIGHT_LEFT = {1: (0.93, 1.06), 2: (0.68, 0.86), 3: (0.42, 0.63), 4: (0.12, 0.36)}
"""Height left at each grade of narrowing, kept clear of the borders that a reader would argue about."""

_SACRAL_DEPTHS = (31.0, 22.5, 17.0, 12.5, 9.5, 6.5)
_SACRAL_HEIGHTS = (29.0, 24.0, 20.0, 17.0, 14.0)
_SACRAL_HALF_WIDTHS = (26.0, 22.0, 18.0, 14.0, 10.0)
_SACRAL_TURNS = (7.0, -2.0, -9.0, -14.0, -16.0)
_LEAST_BORDER = 0.3


@dataclass(frozen=True)
class Link:
    """One body in place, with the disc below it.

    corners: (4, 2). bows_mm: superior, inferior. disc_mm and normal_disc_mm: height of the disc below, as it is and as
    it should be. is_fused: with the body below, but for a remnant of the disc.
    """

    level: str
    corners: Plane
    half_width_mm: float
    bows_mm: tuple[float, float]
    disc_mm: float
    normal_disc_mm: float
    is_fused: bool = False


@dataclass(frozen=True)
class _Build:
    """What the whole patient shares."""

    size: float
    depth: float
    disc: float
    lordosis: float
    slope_deg: float


def draw_chain(rng: np.random.Generator, settings: PhantomSettings, grades: Mapping[str, Grades]) -> tuple[Link, ...]:
    """Bodies from T6 down to S5; the middle of the upper endplate of S1 is (0, 0)."""
    build = _draw_build(rng, settings)
    sacrum = _draw_sacrum(rng, settings, build)
    links = (*_draw_mobile(rng, settings, build, grades), *sacrum)
    return _laid_down(links, drawn_normal(rng, 3.0, 3.5, (-6.0, 12.0)))


def stature_of(links: tuple[Link, ...]) -> float:
    """Size of the patient against the norm of 1."""
    return links[0].half_width_mm / _MOBILE[0].half_width_mm


def _draw_build(rng: np.random.Generator, settings: PhantomSettings) -> _Build:
    size = drawn_normal(rng, 1.0, 0.075, settings.stature)
    slope = drawn_normal(rng, 38.0, 8.0, settings.sacral_slope_deg)
    return _Build(
        size=size,
        depth=size * drawn_normal(rng, 1.0, 0.06, (0.85, 1.15)),
        disc=size * drawn_normal(rng, 1.0, 0.09, (0.78, 1.22)),
        lordosis=drawn_normal(rng, (slope + 2.0) / 41.0, 0.15, settings.lordosis_factor),
        slope_deg=slope,
    )


def _laid_down(links: tuple[Link, ...], lean_deg: float) -> tuple[Link, ...]:
    """Turn the whole spine about S1 as a table straightens it: T12 above S1, a little further back by `lean_deg`."""
    back, down = next(link for link in links if link.level == "T12").corners.mean(axis=0)
    turn = np.radians(lean_deg) - np.arctan2(back, -down)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return tuple(replace(link, corners=link.corners @ rotation.T) for link in links)


@dataclass(frozen=True)
class _SacralGap:
    """What lies between S1 and S2: a remnant of a disc, or a whole one; depth_factor: how deep the bodies are there,
    against their norm.

    ours: narrower than the largest seen on SPIDER, which its readers call now S1-S2, now L5-S1.
    """

    disc_mm: float
    depth_factor: float
    is_remnant: bool


def _draw_sacral_gap(rng: np.random.Generator, settings: PhantomSettings) -> _SacralGap:
    # nothing is drawn where none may be whole, so that phantoms of such settings stay as they were
    if settings.sacral_disc_probability > 0 and chance(rng, settings.sacral_disc_probability):
        return _SacralGap(drawn(rng, (2.0, 7.0)), drawn(rng, (0.8, 1.0)), is_remnant=False)
    return _SacralGap(drawn(rng, (1.2, 5.0)), 1.0, is_remnant=True)


def _draw_sacrum(rng: np.random.Generator, settings: PhantomSettings, build: _Build) -> tuple[Link, ...]:
    angle, start = build.slope_deg, np.zeros(2)
    bend = drawn(rng, (0.5, 1.4))
    first = _draw_sacral_gap(rng, settings)
    depths = [build.depth * depth for depth in _SACRAL_DEPTHS]
    depths[1] *= first.depth_factor
    links = []
    for k, height in enumerate(_SACRAL_HEIGHTS):
        height_mm = height * build.size * drawn(rng, (0.93, 1.07))
        lower_angle = angle + bend * _SACRAL_TURNS[k]
        end = start - height_mm * _up((angle + lower_angle) / 2)
        lower_depth = depths[k + 1] * (1.04 if k == 0 else 1.0)
        corners = _corners((start, angle, depths[k]), (end, lower_angle, lower_depth))
        gap = (first.disc_mm if k == 0 else drawn(rng, (0.6, 1.6))) * build.size
        links.append(
            Link(
                f"S{k + 1}",
                corners,
                _SACRAL_HALF_WIDTHS[k] * build.size,
                (0.6 if k == 0 else 0.2, 0.2),
                gap,
                gap,
                is_fused=k > 0 or first.is_remnant,
            )
        )
        start, angle = end - gap * _up(lower_angle), lower_angle
    return tuple(links)


def _draw_mobile(
    rng: np.random.Generator, settings: PhantomSettings, build: _Build, grades: Mapping[str, Grades]
) -> tuple[Link, ...]:
    """Climb from S1: disc, body, disc, body."""
    angle, place = build.slope_deg, np.zeros(2)
    bow_below = drawn(rng, (0.3, 1.2))
    links: list[Link] = []
    for index in range(len(_MOBILE) - 1, -1, -1):
        norm = _MOBILE[index]
        below = _MOBILE[index + 1].level if index + 1 < len(_MOBILE) else "S1"
        grade = grades.get(f"{norm.level}-{below}")
        normal = norm.disc_mm * build.disc * drawn(rng, (0.96, 1.04))
        height = normal * drawn(rng, _HEIGHT_LEFT[grade[Task.NARROWING] if grade else 1])
        bows = _draw_bow(rng) * build.size, _draw_bow(rng) * build.size
        bow, bow_below = _fitting_bows(bows[1], bow_below, height)
        if links:
            links[-1] = replace(links[-1], bows_mm=(bow_below, links[-1].bows_mm[1]))
        depth = norm.depth_mm * build.depth * drawn(rng, (0.97, 1.03))
        gap = height - bow - bow_below
        wedge = _disc_wedge(rng, norm, build, gap / depth)
        slip = _slip_mm(rng, settings, norm.level)
        place = place + gap * _up(angle - wedge / 2) - slip * _back(angle)
        angle -= wedge
        body_wedge = norm.wedge_deg + drawn_normal(rng, 0.0, 1.5, (-4.0, 4.0)) + _collapse_deg(rng, norm.level)
        top_angle = angle - body_wedge
        height_mm = norm.height_mm * build.size * drawn(rng, (0.95, 1.05))
        top = place + height_mm * _up((angle + top_angle) / 2)
        corners = _corners((top, top_angle, depth * drawn(rng, (0.95, 1.0))), (place, angle, depth))
        links.append(Link(norm.level, corners, norm.half_width_mm * build.size, (bows[0], bow), height, normal))
        place, angle, bow_below = top, top_angle, bows[0]
    return tuple(reversed(links))


def _draw_bow(rng: np.random.Generator) -> float:
    """Depth of an endplate's natural hollow: mostly shallow, now and then as deep as a small defect, but smooth."""
    return 0.5 + 2.3 * float(rng.beta(1.8, 3.2))


def _fitting_bows(upper: float, lower: float, height_mm: float) -> tuple[float, float]:
    """Bows that leave a narrowed disc some height at its rim."""
    room = (1 - _LEAST_BORDER) * height_mm
    share = min(1.0, room / (upper + lower))
    return upper * share, lower * share


def _disc_wedge(rng: np.random.Generator, norm: _Norm, build: _Build, slenderness: float) -> float:
    """Degrees by which a disc opens forwards, no more than its rim allows."""
    factor = build.lordosis if norm.level in _LORDOTIC else 1.0
    wanted = norm.disc_wedge_deg * factor + drawn_normal(rng, 0.0, 1.5, (-4.0, 4.0))
    most = float(np.degrees(np.arctan(2 * 0.72 * slenderness)))
    return float(np.clip(wanted, -most, most))


def _slip_mm(rng: np.random.Generator, settings: PhantomSettings, level: str) -> float:
    """How far a body has slipped forwards on the one below."""
    if level in ("L3", "L4", "L5") and chance(rng, settings.olisthesis_probability):
        return drawn(rng, settings.olisthesis_mm)
    return drawn_normal(rng, 0.0, 0.5, (-1.5, 1.5))


def _collapse_deg(rng: np.random.Generator, level: str) -> float:
    """Extra wedge of an old, unlabelled compression."""
    often = 0.04 if level in ("T11", "T12", "L1") else 0.01
    return -drawn(rng, (5.0, 14.0)) if chance(rng, often) else 0.0


def _corners(superior: tuple[Plane, float, float], inferior: tuple[Plane, float, float]) -> Plane:
    """AS, PS, PI, AI from the middle, angle in degrees and depth of both endplates."""
    (top, top_angle, top_depth), (bottom, bottom_angle, bottom_depth) = superior, inferior
    above, below = _back(top_angle) * top_depth / 2, _back(bottom_angle) * bottom_depth / 2
    return np.stack([top - above, top + above, bottom + below, bottom - below])


def _back(angle_deg: float) -> Plane:
    """Along an endplate, towards the back; a positive angle lifts the back."""
    angle = np.radians(angle_deg)
    return np.array([np.cos(angle), -np.sin(angle)])


def _up(angle_deg: float) -> Plane:
    """Out of an upper endplate."""
    angle = np.radians(angle_deg)
    return np.array([-np.sin(angle), -np.cos(angle)])
