"""Names of files: what a place is called, and which names cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

from SpineNetCore.errors import InputError


def named(path: Path) -> Path:
    """The path itself, links included; one that ends in '.' or '..' is resolved, to end in the folder's name."""
    return path.resolve() if path.name in ("", "..") else path


def check_file_name(name: str | Path) -> None:
    """Raise InputError where a name, or anything else from the command line, is not text in UTF-8.

    SimpleITK ends the whole program over any other, and no report can hold it.
    """
    try:
        str(name).encode()
    except UnicodeEncodeError as error:
        told = os.fsencode(name).decode(errors="backslashreplace")
        raise InputError(f"'{told}' is not written in UTF-8: rename the file or its folder.") from error
