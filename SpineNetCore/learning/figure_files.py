"""Pages and tables of figures as files of a result folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from SpineNetCore.whole_results import ResultKind


def write_texts(kind: ResultKind, texts: Mapping[str, str], folder: Path) -> None:
    """Write files by name into a result folder, whole or not at all.

    Raises InputError where the folder cannot be written or is not ours.
    """
    kind.write(folder, partial(_write_files, texts))


def _write_files(texts: Mapping[str, str], folder: Path) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
