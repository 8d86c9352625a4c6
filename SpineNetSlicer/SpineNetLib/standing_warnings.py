"""The warnings of an analysis as long as they hold, and as a reader of the panel needs them: with its remedies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from SpineNetLib.results import Findings

_OPTION = re.compile(r"--shift-levels (-?\d+)|--lowest-level")
"""The remedies of the command line for names in doubt."""


def standing_warnings(findings: Findings, moved: int) -> tuple[str, ...]:
    """Those that hold still; moved: by how many levels readers moved the names.

    Doubts about names that a reader has moved are left out: they speak of the names as the analysis gave them.
    """
    return tuple(warning for warning in findings.warnings if not (moved and warning in findings.naming_doubts))


def with_buttons(warnings: Sequence[str]) -> tuple[str, ...]:
    """The same with the panel's buttons instead of options."""
    return tuple(_OPTION.sub(_remedy, warning) for warning in warnings)


def _remedy(option: re.Match[str]) -> str:
    """Names farther off than the buttons move them are for the command line."""
    if option[1] is None:
        return "the command line's --lowest-level"
    steps = int(option[1])
    button = f"'All levels: One {'down' if steps > 0 else 'up'}'"
    return button if abs(steps) == 1 else f"{button}, pressed {abs(steps)} times,"
