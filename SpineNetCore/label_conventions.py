"""What the values of a label map mean, by the program or data set that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from SpineNetCore.errors import InputError

_COLUMN = (
    *(f"C{k}" for k in range(1, 8)),
    *(f"T{k}" for k in range(1, 14)),
    *(f"L{k}" for k in range(1, 7)),
    "S1",
)
"""Every vertebra that a convention may name, supernumerary ones included, from the head downwards."""

_USUAL = tuple(level for level in _COLUMN if level not in ("T13", "L6"))
_FROM_L5 = tuple(reversed(_USUAL[:-1]))
_DISCS_FROM_L5 = ("L5-S1", *(f"{upper}-{lower}" for lower, upper in pairwise(_FROM_L5)))


@dataclass(frozen=True)
class Convention:
    """vertebrae, discs: the level of each value; a sacrum counts as S1. canal: the spinal canal or what fills it.

    others: values for anything else. name: what `--labels` calls it.
    """

    name: str
    vertebrae: Mapping[int, str]
    discs: Mapping[int, str]
    canal: frozenset[int]
    others: frozenset[int]

    def knows(self, values: frozenset[int]) -> bool:
        """Whether every one of the values means something."""
        return values <= {*self.vertebrae, *self.discs, *self.canal, *self.others}

    def fits(self, heights_mm: Mapping[int, float]) -> bool:
        """Whether values, each with its height in the patient, name two vertebrae, one lumbar, in the right order."""
        named: dict[str, list[float]] = {}
        for value, height in heights_mm.items():
            if value in self.vertebrae:
                named.setdefault(self.vertebrae[value], []).append(height)
        column = [sum(named[level]) / len(named[level]) for level in _COLUMN if level in named]
        is_ordered = all(upper > lower for upper, lower in pairwise(column))
        return (
            len(column) > 1
            and is_ordered
            and any(level in named for level in ("T12", "L1", "L2", "L3", "L4", "L5", "S1"))
        )


def told_convention(heights_mm: Mapping[int, float], name: str | None, source: str) -> Convention:
    """The one convention that the values of a label map follow.

    heights_mm: of each value present, the mean height of its voxels. name: of the convention, None to tell it from the
    values. Raises InputError that lists the values where none fits, or more than one.
    """
    values = frozenset(heights_mm)
    known = [c for c in CONVENTIONS if c.name == name or (name is None and c.knows(values))]
    fitting = [convention for convention in known if convention.fits(heights_mm)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting and name is None:
        names = " or ".join(sorted({convention.name for convention in fitting}))
        raise InputError(f"{source} holds {_listed(values)}, which may be {names}: say which with --labels.")
    if name is not None:
        raise InputError(
            f"{source} holds {_listed(values)}: {name} knows no lumbar vertebrae in that order; check --labels."
        )
    raise InputError(
        f"{source} holds {_listed(values)}, no two lumbar vertebrae by any convention: give labels of TotalSpineSeg, "
        f"TotalSegmentator, SPINEPS or SPIDER, and name it with --labels {'|'.join(LABEL_NAMES)} if they are."
    )


def _listed(values: frozenset[int]) -> str:
    first = sorted(values)[:20]
    return f"the values {', '.join(str(value) for value in first)}{' ...' * (len(values) > len(first))}"


def _counted(first: int, names: tuple[str, ...]) -> dict[int, str]:
    return {first + k: name for k, name in enumerate(names)}


def _pairs(first: int, upper: str, count: int) -> dict[int, str]:
    """Discs counted downwards from the one below `upper`."""
    start = _USUAL.index(upper)
    return {first + k: f"{_USUAL[start + k]}-{_USUAL[start + k + 1]}" for k in range(count)}


_TOTALSPINESEG = Convention(
    "totalspineseg",
    vertebrae=_counted(11, _USUAL[:7]) | _counted(21, _USUAL[7:19]) | _counted(41, _COLUMN[20:26]) | {50: "S1"},
    discs=_pairs(71, "C7", 1) | _pairs(72, "T1", 11) | _pairs(91, "T12", 5) | {100: "L5-S1"},
    canal=frozenset({1, 2}),
    others=frozenset(range(63, 72)),
)
_TOTALSEGMENTATOR = Convention(
    "totalsegmentator",
    vertebrae={25: "S1", 26: "S1"} | _counted(27, _FROM_L5),
    discs={},
    canal=frozenset({79}),
    others=frozenset(range(1, 118)),
)
_TOTALSEGMENTATOR_MR = Convention(
    "totalsegmentator", vertebrae={1: "S1"} | _counted(2, _FROM_L5), discs={}, canal=frozenset(), others=frozenset()
)
_SPINEPS_VERTEBRAE = _counted(1, _USUAL[:19]) | _counted(20, _COLUMN[20:27]) | {28: "T13"}
_SPINEPS = Convention(
    "spineps",
    vertebrae=_SPINEPS_VERTEBRAE,
    discs=_pairs(101, "C1", 24),
    canal=frozenset({60, 61}),
    others=frozenset({125, 126, 128, *(200 + value for value in _SPINEPS_VERTEBRAE)}),
)
SPIDER_LABELS = "spider"
"""Name of the values of SPIDER's masks."""

_SPIDER = Convention(
    SPIDER_LABELS,
    vertebrae=_counted(1, _FROM_L5) | _counted(101, _FROM_L5),
    discs=_counted(201, _DISCS_FROM_L5),
    canal=frozenset({100}),
    others=frozenset(),
)

CONVENTIONS = (_TOTALSPINESEG, _TOTALSEGMENTATOR, _TOTALSEGMENTATOR_MR, _SPINEPS, _SPIDER)
"""TotalSpineSeg's second step; TotalSegmentator 2 with its tasks `total` and `vertebrae_mr`; the instance mask of
SPINEPS, in which 100 more is the disc below and 200 more an endplate; the masks of the SPIDER data set, in which 100
more is a vertebra partly in view."""

LABEL_NAMES = tuple(dict.fromkeys(convention.name for convention in CONVENTIONS))
"""What `--labels` takes."""
