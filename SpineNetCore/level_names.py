"""Levels of discs as people spell them."""

from __future__ import annotations

import re
from itertools import pairwise

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS, disc_level
from SpineNetCore.errors import InputError

_SPELLING = re.compile(
    r"(?:disc|ivd)?[\s_:]*(TH|T|D|L)(\d{1,2})\s*[-/_\u2013\s]?\s*(TH|T|D|L|S)?(\d{1,2})?", re.IGNORECASE
)
_KNOWN = {disc_level(upper, lower) for upper, lower in pairwise(VERTEBRA_LEVELS)}


def disc_named(text: str) -> str | None:
    """The level that a name such as `L4-L5`, `l4/5`, `Th12/L1` or `L5 S1` means; None where it means none."""
    spelt = _SPELLING.fullmatch(text.strip())
    if spelt is None:
        return None
    letter, number, lower_letter, lower_number = spelt.groups()
    upper = _letter(letter) + number
    lower = _letter(lower_letter or letter) + (lower_number or ("1" if lower_letter in ("S", "s") else ""))
    level = disc_level(upper, lower)
    return level if level in _KNOWN else None


def chosen_levels(text: str) -> tuple[str, ...]:
    """The graded discs that a list such as `L4-L5,L5-S1` names, from the head downwards.

    Raises InputError for a name that is none of the six.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if disc_named(name) not in DISC_LEVELS:
            raise InputError(f"'{name}' is no graded disc: choose from {', '.join(DISC_LEVELS)}, with commas between.")
    asked = {disc_named(name) for name in names}
    return tuple(level for level in DISC_LEVELS if level in asked)


def _letter(prefix: str) -> str:
    """T for every spelling of thoracic."""
    return "T" if prefix.upper() in ("TH", "T", "D") else prefix.upper()
