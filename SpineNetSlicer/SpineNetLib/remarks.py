"""What readers changed, a sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from SpineNetLib.corrections import (
    Correction,
    DiscMoved,
    GradeCorrection,
    Signature,
    last_corrections,
    levels_moved,
)


def remarks(log: Sequence[Correction]) -> tuple[str, ...]:
    """Of all that holds: levels moved, discs moved, and grades given by a reader."""
    moves = [f"The levels were moved by {levels_moved(log):+d}."] if levels_moved(log) else []
    moves += [_moved(entry) for entry in log if isinstance(entry, DiscMoved)]
    return (*moves, *(_given(entry) for entry in last_corrections(log).values()))


def _given(entry: GradeCorrection) -> str:
    instead = "" if entry.original is None else f" instead of {entry.original}"
    return f"{entry.disc} (as analysed): {entry.task.title} {entry.new}{instead} was given {_by(entry.signature)}."


def _moved(entry: DiscMoved) -> str:
    return f"{entry.disc} (as analysed) was moved to {entry.new.text} and graded again {_by(entry.signature)}."


def _by(signature: Signature) -> str:
    return f"by {signature.initials or 'a reader'} at {signature.time_text}"
