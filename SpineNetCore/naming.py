"""Names for a column of vertebral bodies: the exact optimum over all ways to call them, by dynamic programming."""

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


@dataclass(frozen=True)
class ChainWeights:
    """Log-likelihood costs of what may go wrong in a chain; ours, set by hand and never fitted to test patients.

    left_out: a body that the chain passes over, times its confidence. missed: a vertebra the detector did not see.
    unseen_disc: at most, neighbours without a disc to be seen between them; so little that two lost discs in a row
    never cost the body between them its name. no_sacrum: a chain that ends above S1. gap_mm: usual room between
    neighbouring endplates, across them. slip_free_mm: how far a body may have slipped along the one below, about half
    its depth. gap_sigma_mm, angle_free_deg, angle_sigma_deg: how far gaps, slips and angles between neighbours may
    stray. off_centre: per squared level between L3 and the middle of the picture, where scans of the lumbar spine
    are centred.
    """

    left_out: float = 3.0
    missed: float = 4.0
    unseen_disc: float = 2.0
    no_sacrum: float = 2.0
    gap_mm: tuple[float, float] = (1.0, 16.0)
    gap_sigma_mm: float = 4.0
    slip_free_mm: float = 14.0
    angle_free_deg: float = 30.0
    angle_sigma_deg: float = 12.0
    off_centre: float = 0.15


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


def name_bodies(
    bodies: list[Body], slice_mm: float, middle_row_mm: float, weights: ChainWeights | None = None
) -> Naming:
    """Name bodies, given from the head downwards, so that the whole chain is likeliest; needs at least one body.

    middle_row_mm: the middle of the picture, from its first row. Evidence: the look of the sacrum and of the L5-S1
    disc, discs between neighbours, their gaps, slips and angles, and where scans are centred.
    """
    weights = weights or ChainWeights()
    candidates = [_candidate(body, slice_mm) for body in bodies]
    evidence = np.stack([c.log_levels for c in candidates]) + _centring(candidates, middle_row_mm, weights)
    lattice = _Lattice(evidence, _step_costs(candidates, weights), np.array([c.confidence for c in candidates]))
    best = _best_chain(lattice, weights)
    anchor, chosen = best.places[len(best.places) // 2]
    readings = [_best_chain(lattice.held_at(anchor, level), weights) for level in range(len(VERTEBRA_LEVELS))]
    levels: list[str | None] = [None] * len(bodies)
    for place, level in best.places:
        levels[place] = VERTEBRA_LEVELS[level]
    chances = softmax([reading.score for reading in readings])
    return Naming(tuple(levels), {level - chosen: float(chance) for level, chance in enumerate(chances)})


def _candidate(body: Body, slice_mm: float) -> _Candidate:
    corners = body.corners_mm(slice_mm)
    sacrum, above, below = (body.mean(q) for q in ("sacrum", "lowest_disc_above", "lowest_disc_below"))
    log_levels = np.full(len(VERTEBRA_LEVELS), _log(1 - sacrum) + _log(1 - below))
    log_levels[_L5] = _log(1 - sacrum) + _log(below)
    log_levels[_S1] = _log(sacrum) + _log(above)
    centre_row = float(corners[:, 0].mean())
    return _Candidate(corners, centre_row, body.mean("confidence"), log_levels, body.mean("disc_below"))


def _log(probability: float) -> float:
    return float(np.log(np.clip(probability, 0.02, 0.98)))


def _centring(candidates: list[_Candidate], middle_row_mm: float, weights: ChainWeights) -> NDArray[np.float64]:
    """(bodies, levels) cost of having L3 far from the middle of the picture, shared by all bodies of the chain."""
    steps = np.diff([c.centre_row_mm for c in candidates])
    step_mm = float(np.median(steps)) if len(steps) else 35.0
    levels_off = np.array([(c.centre_row_mm - middle_row_mm) / max(step_mm, 20.0) for c in candidates])
    expected = levels_off[:, None] - (np.arange(len(VERTEBRA_LEVELS)) - _L3)[None]
    return np.asarray(-weights.off_centre * expected**2 / len(candidates))


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


def _best_chain(lattice: _Lattice, weights: ChainWeights) -> _Chain:
    """The likeliest chain; every state is (body, level), every step goes down one level, or two over a missed one."""
    bodies, levels = lattice.evidence.shape
    skipped = weights.left_out * lattice.confidence
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
        _Chain(c.score - float(skipped[i + 1 :].sum()) - (level != _S1) * weights.no_sacrum, c.places)
        for (i, level), c in best.items()
    ]
    return max(ends, key=lambda c: c.score)


def _step_costs(candidates: list[_Candidate], weights: ChainWeights) -> NDArray[np.float64]:
    costs = np.full((2, len(candidates), len(candidates)), np.inf)
    for (j, upper), (i, lower) in combinations(enumerate(candidates), 2):
        for step in (1, 2):
            costs[step - 1, j, i] = _step_cost(upper, lower, step, weights)
    return costs


def _step_cost(upper: _Candidate, lower: _Candidate, step: int, weights: ChainWeights) -> float:
    """How unlikely it is that two bodies are neighbours, or next but one."""
    room = lower.corners_mm[[0, 1]].mean(axis=0) - upper.corners_mm[[3, 2]].mean(axis=0)
    ends = unit(upper.corners_mm[2] - upper.corners_mm[3]), unit(lower.corners_mm[1] - lower.corners_mm[0])
    angle = abs(float(np.rad2deg(_angle(ends[1]) - _angle(ends[0]))))
    back = unit(ends[0] + ends[1])
    body_mm = float(np.linalg.norm(upper.corners_mm[3] - upper.corners_mm[0])) + 10.0
    gap = float(room @ np.array([back[1], -back[0]])) - (step - 1) * body_mm
    low, high = weights.gap_mm
    stray = max(low - gap, gap - high, 0.0) / weights.gap_sigma_mm
    slip = max(abs(float(room @ back)) - step * weights.slip_free_mm, 0.0) / weights.gap_sigma_mm
    bend = max(angle - weights.angle_free_deg, 0.0) / weights.angle_sigma_deg
    unseen = weights.missed if step == 2 else min(-_log(upper.disc_below), weights.unseen_disc)
    return 0.5 * (stray**2 + slip**2 + bend**2) + unseen


def _angle(vector: NDArray[np.float64]) -> float:
    return float(np.arctan2(vector[0], vector[1]))
