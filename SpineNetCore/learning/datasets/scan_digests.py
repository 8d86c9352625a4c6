"""Scans told apart by what is in their files, wherever these lie and whatever they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from SpineNetCore.image_files import read_image

_HEADERS = frozenset({".mhd", ".nhdr"})
"""Endings of files that say in which other files the voxels are."""


def contents_digest(paths: Iterable[Path], facts: str = "") -> str:
    """SHA-256, in hexadecimal digits, of facts and of all that files, or files in folders, hold."""
    digest = hashlib.sha256(facts.encode())
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                with file.open("rb") as opened:
                    digest.update(hashlib.file_digest(opened, "sha256").digest())
            if file == path and path.suffix.lower() in _HEADERS:
                digest.update(read_image(file).voxels.tobytes())
    return digest.hexdigest()
