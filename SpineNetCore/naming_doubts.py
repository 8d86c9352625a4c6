"""What a reader should be told of names that may be wrong, one sentence each, with the other reading."""

from __future__ import annotations

from collections.abc import Sequence

from SpineNetCore.anatomy import MOST_LEVELS_MOVED, VERTEBRA_LEVELS
from SpineNetCore.bodies import Body
from SpineNetCore.naming import Naming
from SpineNetCore.refusals import SURE

_DISC_BELOW_S1 = 0.1
"""Probability from which what lies below S1 looks like L5-S1 itself. ours: six of 194 SPIDER scans named down to S1
reach it, by detectors that have not seen them, of which two are named wrongly; all the others stay below 0.07.
"""

_LOWEST_DISC_ABOVE_L5 = 0.02
"""Probability from which the disc above L5 looks like L5-S1 itself. ours: one of the same scans reaches it and is named
wrongly; all the others stay below 0.009, three wrongly named ones among them.
"""


def naming_doubts(named: Sequence[tuple[Body, str]], naming: Naming) -> tuple[str, ...]:
    """Doubts about a chain of bodies from the head downwards, each with its name."""
    lowest, lowest_level = named[-1]
    doubts = []
    if lowest_level != "S1":
        doubts.append(f"The sacrum was not found: levels are counted from {lowest_level}, the lowest one seen.")
    if naming.confidence < SURE:
        doubts.append(_other_reading([level for _, level in named], naming))
    elif lowest_level == "S1" and _has_disc_below(lowest):
        doubts.append(_disc_in_the_sacrum(lowest))
    elif lowest_level == "S1" and len(named) > 1 and _lowest_disc_above(named[-2][0]) > _LOWEST_DISC_ABOVE_L5:
        doubts.append(_sacrum_above(named[-2][0]))
    return tuple(doubts)


def _lowest_disc_above(body: Body) -> float:
    return body.mean(lambda d: d.lowest_disc_above)


def _lowest_disc_below(body: Body) -> float:
    return body.mean(lambda d: d.lowest_disc_below)


def _has_disc_below(s1: Body) -> bool:
    """Out of the picture L5-S1 is no likelier than another disc: that is no sign of any."""
    chance = _lowest_disc_below(s1)
    return chance > _DISC_BELOW_S1 and chance > 0.75 * s1.mean(lambda d: d.disc_below)


def _disc_in_the_sacrum(s1: Body) -> str:
    return (
        f"A disc shows below the body named S1 (probability {_lowest_disc_below(s1):.2f}), as where anatomy is "
        "transitional: that body may be a lumbarised S1 (L6), or L5, all levels then lying 1 further towards the head. "
        "Check them on the picture; --shift-levels -1 moves them."
    )


def _sacrum_above(l5: Body) -> str:
    return (
        f"The disc above the body named L5 looks like L5-S1, too (probability {_lowest_disc_above(l5):.2f}), as "
        "where anatomy is transitional: that body may be a sacralised L5, or S1 with a disc below it, all levels then "
        "lying 1 further towards the feet. Check them on the picture; in the latter case --shift-levels 1 moves them."
    )


def _other_reading(levels: list[str], naming: Naming) -> str:
    shift = naming.runner_up
    names = {level: VERTEBRA_LEVELS.index(level) + shift for level in levels}
    examples = [(a, VERTEBRA_LEVELS[b]) for a, b in names.items() if 0 <= b < len(VERTEBRA_LEVELS)]
    example = f", {examples[-1][0]} being {examples[-1][1]}" if examples else ""
    way = "feet" if shift > 0 else "head"
    remedy = f"--shift-levels {shift} moves" if abs(shift) <= MOST_LEVELS_MOVED else "--lowest-level sets"
    return (
        f"The names of the levels are uncertain (probability {naming.confidence:.2f}): all may lie {abs(shift)} "
        f"further towards the {way}{example} ({naming.shifts[shift]:.2f}). Check them on the picture; "
        f"{remedy} them."
    )
