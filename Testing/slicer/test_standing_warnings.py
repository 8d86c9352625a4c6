"""What the panel makes of the doubts that the core writes down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_making import a_report
from spine_making import LUMBAR, a_body, a_column

from SpineNetCore.naming import Naming
from SpineNetCore.naming_doubts import naming_doubts
from SpineNetCore.report_json import json_text
from SpineNetLib.results import Findings, read_findings
from SpineNetLib.standing_warnings import standing_warnings, with_buttons


def doubts_about(shift: int, levels: tuple[str, ...] = LUMBAR) -> tuple[str, ...]:
    chain = [(a_body(shape), shape.level) for shape in a_column(levels)]
    return naming_doubts(chain, Naming(levels, {0: 0.6, shift: 0.4}))


@pytest.mark.parametrize(
    ("shift", "remedy"),
    [
        (-1, "'All levels: One up' moves them."),
        (1, "'All levels: One down' moves them."),
        (2, "'All levels: One down', pressed 2 times, moves them."),
        (-3, "the command line's --lowest-level sets them."),
    ],
)
def test_names_in_doubt_are_put_right_by_what_the_panel_has(shift, remedy):
    (warning,) = with_buttons(doubts_about(shift))
    assert warning.endswith(f"Check them on the picture; {remedy}")
    assert "--shift-levels" not in warning


def findings_with(doubts: tuple[str, ...], *others: str) -> Findings:
    report = replace(a_report(), warnings=(*doubts, *others), naming_doubts=doubts)
    return read_findings(json_text(report), "report")


def test_all_doubts_about_names_are_over_once_they_were_moved_and_other_warnings_stay():
    doubts = doubts_about(1, LUMBAR[:-1])
    assert len(doubts) == 2
    findings = findings_with(doubts, "The contrast looks like T1.")
    assert standing_warnings(findings, moved=0) == (*doubts, "The contrast looks like T1.")
    assert standing_warnings(findings, moved=1) == ("The contrast looks like T1.",)
