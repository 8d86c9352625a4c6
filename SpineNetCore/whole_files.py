"""Files that are there whole or not at all, whenever the writing is cut short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SpineNetCore.errors import InputError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, which takes its place when the block ends well.

    Raises InputError where the disk is full or the folder closed; what `path` held before is then still there.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be written ({error.strerror or error}): make room or choose another folder, then run the "
            "same command again; what was finished before is kept."
        ) from error
    finally:
        if partial.exists():
            partial.unlink()
