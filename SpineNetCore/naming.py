"""Names for a column of vertebral bodies: the exact optimum over all ways to call them, by dynamic programming.

What may go wrong in a chain has a cost, a log-likelihood. ours: all are set by hand, never fitted to test patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from SpineNetCore.anatomy import VERTEBRA_LEVELS
from SpineNetCore.bodies import Body
from SpineNetCore.scan import unit

_L3 = VERTEBRA_LEVELS.index("L3")
_L5 = VERTEBRA_LEVELS.index("L5")
_S1 = VERTEBRA_LEVELS.index("S1")


_LEFT_OUT = 3.0
"""A body that the chain passes over, times its confidence."""

_MISSED = 4.0
"""A vertebra that the detector did not see."""

_UNSEEN_DISC = 2.0
"""Neighbours without a disc to be seen between them, at most: so little that two lost discs in a row never cost the
body between them its name.
"""

_NO_SACRUM = 2.0
"""A chain that ends above S1."""

_GAP_MM, _GAP_SIGMA_MM = (1.0, 16.0), 4.0
"""Usual room between neighbouring endplates, across them, and how far gaps and slips may stray."""

_SLIP_FREE_MM = 14.0
"""How far a body may have slipped along the one below, about half its depth."""

_ANGLE_FREE_DEG, _ANGLE_SIGMA_DEG = 30.0, 12.0
"""Neighbours may lean this far towards each other at no cost; beyond, it grows with the square."""

_OFF_CENTRE = 0.15
"""Per squared level between L3 and the middle of the picture, where scans of the lumbar spine are centred."""


@dataclass(frozen=True)
class Naming:
    """levels: of each body, None for a body left out.

    shifts: probability of every reading of the chain, by how many levels towards the feet it moves these names; 0 is
    this one, the likeliest.
    """

    levels: tuple[str | None, ...]
    shifts: Mapping[int, float]

    @property
    def confidence(self) -> float:
        """Probability of these names against all others of the same bodies."""
        return self.shifts[0]

    @property
    def runner_up(self) -> int:
        """The likeliest other reading, as a key of `shifts`."""
        return max(self.shifts.keys() - {0}, key=self.shifts.__getitem__)


@dataclass(frozen=True)
class _Candidate:
    corners_mm: NDArray[np.float64]
    centre_row_mm: float
    confidence: float
    log_levels: NDArray[np.float64]
    disc_below: float


@dataclass(frozen=True)
class _Chain:
    score: float
    places: tuple[tuple[int, int], ...]


def name_bodies(bodies: list[Body], slice_mm: float, middle_row_mm: float) -> Naming:
    """Name bodies, given from the head downwards, so that the whole chain is likeliest; needs at least one body.

    middle_row_mm: the middle of the picture, from its first row. Evidence: the look of the sacrum and of the L5-S1
    disc, discs between neighbours, their gaps, slips and angles, and where scans are centred.
    """
    candidates = [_candidate(body, slice_mm) for body in bodies]
    evidence = np.stack([c.log_levels for c in candidates]) + _centring(candidates, middle_row_mm)
    lattice = _Lattice(evidence, _step_costs(candidates), np.array([c.confidence for c in candidates]))
    best = _best_chain(lattice)
    anchor, chosen = best.places[len(best.places) // 2]
    readings = [_best_chain(lattice.held_at(anchor, level)) for level in range(len(VERTEBRA_LEVELS))]
    levels: list[str | None] = [None] * len(bodies)
    for place, level in best.places:
        levels[place] = VERTEBRA_LEVELS[level]
    chances = softmax([reading.score for reading in readings])
    return Naming(tuple(levels), {level - chosen: float(chance) for level, chance in enumerate(chances)})


def _candidate(body: Body, slice_mm: float) -> _Candidate:
    corners = body.corners_mm(slice_mm)
    sacrum = body.mean(lambda d: d.sacrum)
    above, below = body.mean(lambda d: d.lowest_disc_above), body.mean(lambda d: d.lowest_disc_below)
    log_levels = np.full(len(VERTEBRA_LEVELS), _log(1 - sacrum) + _log(1 - below))
    log_levels[_L5] = _log(1 - sacrum) + _log(below)
    log_levels[_S1] = _log(sacrum) + _log(above) + _log(1 - below)
    centre_row = float(corners[:, 0].mean())
    confidence, disc_below = body.mean(lambda d: d.confidence), body.mean(lambda d: d.disc_below)
    return _Candidate(corners, centre_row, confidence, log_levels, disc_below)


def _log(probability: float) -> float:
    return float(np.log(np.clip(probability, 0.02, 0.98)))


def _centring(candidates: list[_Candidate], middle_row_mm: float) -> NDArray[np.float64]:
    """(bodies, levels) cost of having L3 far from the middle of the picture, shared by all bodies of the chain."""
    steps = np.diff([c.centre_row_mm for c in candidates])
    step_mm = float(np.median(steps)) if len(steps) else 35.0
    levels_off = np.array([(c.centre_row_mm - middle_row_mm) / max(step_mm, 20.0) for c in candidates])
    expected = levels_off[:, None] - (np.arange(len(VERTEBRA_LEVELS)) - _L3)[None]
    return np.asarray(-_OFF_CENTRE * expected**2 / len(candidates))


@dataclass(frozen=True)
class _Lattice:
    """What the optimum is sought over: evidence (bodies, levels); steps (2, bodies, bodies), the cost of going from one
    body to another one or two levels down; confidence (bodies,), by which leaving a body out costs more.
    """

    evidence: NDArray[np.float64]
    steps: NDArray[np.float64]
    confidence: NDArray[np.float64]

    def held_at(self, body: int, level: int) -> _Lattice:
        """The same with one body called by that level, come what may."""
        evidence, confidence = self.evidence.copy(), self.confidence.copy()
        evidence[body, np.arange(evidence.shape[1]) != level] = -np.inf
        confidence[body] = np.inf
        return _Lattice(evidence, self.steps, confidence)


def _best_chain(lattice: _Lattice) -> _Chain:
    """The likeliest chain; every state is (body, level), every step goes down one level, or two over a missed one."""
    bodies, levels = lattice.evidence.shape
    skipped = _LEFT_OUT * lattice.confidence
    best: dict[tuple[int, int], _Chain] = {}
    for i in range(bodies):
        for level in range(levels):
            chains = [_Chain(-float(skipped[:i].sum()), ())]
            for j in range(i):
                over = float(skipped[j + 1 : i].sum())
                for step in (1, 2):
                    before = best.get((j, level - step))
                    if before is not None:
                        chains.append(_Chain(before.score - float(lattice.steps[step - 1, j, i]) - over, before.places))
            chain = max(chains, key=lambda c: c.score)
            best[i, level] = _Chain(chain.score + float(lattice.evidence[i, level]), (*chain.places, (i, level)))
    ends = [
        _Chain(c.score - float(skipped[i + 1 :].sum()) - (level != _S1) * _NO_SACRUM, c.places)
        for (i, level), c in best.items()
    ]
    return max(ends, key=lambda c: c.score)


def _step_costs(candidates: list[_Candidate]) -> NDArray[np.float64]:
    costs = np.full((2, len(candidates), len(candidates)), np.inf)
    for (j, upper), (i, lower) in combinations(enumerate(candidates), 2):
        for step in (1, 2):
            costs[step - 1, j, i] = _step_cost(upper, lower, step)
    return costs


def _step_cost(upper: _Candidate, lower: _Candidate, step: int) -> float:
    """How unlikely it is that two bodies are neighbours, or next but one."""
    room = lower.corners_mm[[0, 1]].mean(axis=0) - upper.corners_mm[[3, 2]].mean(axis=0)
    ends = unit(upper.corners_mm[2] - upper.corners_mm[3]), unit(lower.corners_mm[1] - lower.corners_mm[0])
    angle = abs(float(np.rad2deg(_angle(ends[1]) - _angle(ends[0]))))
    back = unit(ends[0] + ends[1])
    body_mm = float(np.linalg.norm(upper.corners_mm[3] - upper.corners_mm[0])) + 10.0
    gap = float(room @ np.array([back[1], -back[0]])) - (step - 1) * body_mm
    low, high = _GAP_MM
    stray = max(low - gap, gap - high, 0.0) / _GAP_SIGMA_MM
    slip = max(abs(float(room @ back)) - step * _SLIP_FREE_MM, 0.0) / _GAP_SIGMA_MM
    bend = max(angle - _ANGLE_FREE_DEG, 0.0) / _ANGLE_SIGMA_DEG
    unseen = _MISSED if step == 2 else min(-_log(upper.disc_below), _UNSEEN_DISC)
    return 0.5 * (stray**2 + slip**2 + bend**2) + unseen


def _angle(vector: NDArray[np.float64]) -> float:
    return float(np.arctan2(vector[0], vector[1]))
