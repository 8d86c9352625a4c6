"""Names of files that reports can tell and SimpleITK takes, which over any other ends the whole program."""

from __future__ import annotations

import os
from pathlib import Path

from SpineNetCore.errors import InputError


def check_file_name(name: str | Path) -> None:
    """Raise InputError where a name, or anything else from the command line, is not text in UTF-8."""
    try:
        str(name).encode()
    except UnicodeEncodeError as error:
        told = os.fsencode(name).decode(errors="backslashreplace")
        raise InputError(f"'{told}' is not written in UTF-8: rename the file or its folder.") from error
