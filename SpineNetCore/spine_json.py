"""Vertebrae and discs out of an earlier `report.json`, as it was written or as a reader changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS, Disc, Point, Vertebra
from SpineNetCore.errors import InputError
from SpineNetCore.localisation import NAMED_BY_READER, Spine, discs_between
from SpineNetCore.scan import Scan, within_slices
from SpineNetCore.spine_checks import OUT_OF_PLACE_MM, check_bodies

NOT_LOOKED_FOR = "none were looked for on the scan."
"""How the remark on a spine from a file ends."""

_CHECK_BOTH = "check both, and that no discs are exchanged."

_USUAL_HALF_WIDTH_MM = 20.0
_LARGEST_TURN_COSINE = 0.94
"""A disc's frame may lean this far from the scan's slices, 20 degrees. ours: beyond, it belongs to another scan."""


def spine_from_report(content: dict[str, Any], path: Path, scan: Scan) -> Spine:
    """Take vertebrae and discs of a parsed `report.json` as they are.

    A disc whose centre is null is not there; one without geometry gets it from its vertebrae; without any `discs`, all
    lie midway between their vertebrae. What its `naming` and `warnings` doubt stays in doubt; without them a reader has
    given the names. Raises InputError where an entry is none, or a body cannot be the scan's.
    """
    vertebrae = tuple(_vertebra(_Entry(path, "vertebrae", entry)) for entry in _entries(content, "vertebrae", path))
    _check_levels([vertebra.level for vertebra in vertebrae], path)
    vertebrae = tuple(sorted(vertebrae, key=lambda vertebra: VERTEBRA_LEVELS.index(vertebra.level)))
    check_bodies(vertebrae, path, scan)
    midway = {disc.level: disc for disc in discs_between(vertebrae, scan)}
    placed = midway
    if "discs" in content:
        entries = [_Entry(path, "discs", entry) for entry in _entries(content, "discs", path)]
        _check_levels([entry.level(DISC_LEVELS) for entry in entries], path)
        given = {entry.level(DISC_LEVELS): entry for entry in entries if entry.content.get("centre_ras_mm") is not None}
        placed = {level: _disc(entry, midway.get(level), scan) for level, entry in given.items()}
    discs = tuple(placed[level] for level in DISC_LEVELS if level in placed)
    shifts = _shifts(content, path)
    earlier = tuple(_earlier_warnings(content, path, scan))
    of_names = tuple(doubt for doubt in _sentences(content.get("naming", {}), "doubts", path) if doubt in earlier)
    return Spine(vertebrae, discs, shifts, (*earlier, *_doubts(discs, midway)), of_names)


@dataclass(frozen=True)
class _Entry:
    """One vertebra or disc of the file, read by the names that the schema gives."""

    path: Path
    kind: str
    content: dict[str, Any]

    def level(self, known: tuple[str, ...]) -> str:
        level = self.content.get("level")
        if level not in known:
            raise self.wrong("level", f"one of {', '.join(known)}")
        return str(level)

    def numbers(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
        wanted = " x ".join(str(side) for side in shape) + " finite numbers"
        try:
            values = np.array(self.content.get(name), dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise self.wrong(name, wanted) from error
        if values.shape != shape or not np.isfinite(values).all():
            raise self.wrong(name, wanted)
        return values

    def number(self, name: str, lowest: float, highest: float) -> float:
        value = self.content.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise self.wrong(name, f"a number from {lowest:g} to {highest:g}")
        return float(value)

    def part(self, name: str) -> _Entry:
        content = self.content.get(name)
        if not isinstance(content, dict):
            raise self.wrong(name, "an object")
        return _Entry(self.path, self.kind, content | {"level": self.content.get("level")})

    def wrong(self, name: str, wanted: str) -> InputError:
        value = f"{self.content.get(name)!r}"
        return InputError(
            f"'{self.path}' has among its {self.kind} ({self.content.get('level')}) the {name} "
            f"{value[:60]}{'...' * (len(value) > 60)}: give {wanted}."
        )


def _entries(content: dict[str, Any], kind: str, path: Path) -> list[dict[str, Any]]:
    entries = content.get(kind)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"'{path}' has no list of {kind}: give a report.json as an analysis writes it.")
    return entries


def _shifts(content: dict[str, Any], path: Path) -> Mapping[int, float]:
    """How sure the file is of its names, and what else they may be."""
    if "naming" not in content:
        return NAMED_BY_READER
    naming = _Entry(path, "keys", content | {"level": "all levels"}).part("naming")
    others = [_Entry(path, "other namings", entry) for entry in _entries(naming.content, "alternatives", path)]
    shifts = {round(other.number("shift_levels", -20, 20)): other.number("probability", 0, 1) for other in others}
    return shifts | {0: naming.number("confidence", 0, 1)}


def _earlier_warnings(content: dict[str, Any], path: Path, scan: Scan) -> Iterator[str]:
    """The file's warnings, but for those of the scan and of reading such a file, which are given anew."""
    warnings = _sentences(content, "warnings", path)
    return (w for w in warnings if w not in scan.doubts and not w.endswith((NOT_LOOKED_FOR, _CHECK_BOTH)))


def _sentences(content: dict[str, Any], name: str, path: Path) -> tuple[str, ...]:
    sentences = content.get(name, [])
    if not isinstance(sentences, list) or not all(isinstance(sentence, str) for sentence in sentences):
        raise InputError(f"'{path}' has {name} that are no list of sentences: take them out.")
    return tuple(sentences)


def _check_levels(levels: list[str], path: Path) -> None:
    twice = sorted({level for level in levels if levels.count(level) > 1})
    if twice:
        raise InputError(f"'{path}' names {', '.join(twice)} more than once: keep one of each.")


def _vertebra(entry: _Entry) -> Vertebra:
    half_width = entry.number("half_width_mm", 0, 60) if "half_width_mm" in entry.content else _USUAL_HALF_WIDTH_MM
    return Vertebra(
        entry.level(VERTEBRA_LEVELS),
        entry.numbers("corners_ras_mm", (4, 3)),
        half_width,
        entry.number("confidence", 0, 1) if "confidence" in entry.content else 1.0,
    )


def _disc(entry: _Entry, between: Disc | None, scan: Scan) -> Disc:
    """`between`: the disc as its vertebrae have it, None when one of them is missing."""
    if between is None:
        raise InputError(
            f"'{entry.path}' has the disc {entry.content['level']} without both of its vertebrae: add them, or set "
            "the disc's centre to null."
        )
    centre = entry.numbers("centre_ras_mm", (3,))
    if entry.content.get("geometry") is None:
        return replace(between, centre_ras_mm=centre)
    geometry = entry.part("geometry")
    posterior, inferior = _on_slices(geometry, between.left)
    return Disc(
        between.upper,
        between.lower,
        centre,
        posterior,
        inferior,
        between.left,
        width_mm=geometry.number("width_mm", 10, 80),
        height_mm=geometry.number("height_mm", -20, 40),
    )


def _doubts(discs: tuple[Disc, ...], midway: dict[str, Disc]) -> Iterator[str]:
    for disc in discs:
        away_mm = float(np.linalg.norm(disc.centre_ras_mm - midway[disc.level].centre_ras_mm))
        if away_mm > OUT_OF_PLACE_MM:
            yield (
                f"{disc.level} was placed {away_mm:.0f} mm from midway between its vertebrae and graded there: "
                f"{_CHECK_BOTH}"
            )


def _on_slices(geometry: _Entry, left: Point) -> tuple[Point, Point]:
    """Posterior and inferior, square to the scan's own `left`: what rounding to a file took is put back."""
    axes = np.stack([geometry.numbers(f"{name}_ras", (3,)) for name in ("posterior", "inferior", "left")])
    posterior, inferior = within_slices(axes[0], left)
    is_orthonormal = np.allclose(axes @ axes.T, np.eye(3), atol=0.01)
    wrong = "inferior_ras" if axes[1] @ inferior < 0 else "left_ras"
    if not is_orthonormal or axes[2] @ left < _LARGEST_TURN_COSINE or wrong == "inferior_ras":
        raise geometry.wrong(wrong, "the posterior, inferior and left of a disc on this scan's own sagittal slices")
    return posterior, inferior
