from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from SpineNetCore.learning.bootstrap import bootstrapped
from SpineNetCore.learning.localisation.measures import DiscOutcome, Outcome
from SpineNetCore.learning.localisation.summary import summaries, summarised
from SpineNetCore.learning.localisation.table import outcomes_csv, table_text


def a_disc(level: str = "L4-L5", reported_as: tuple[str, ...] = ("L4-L5",), error_mm: float = 1.0) -> DiscOutcome:
    return DiscOutcome(level, reported_as, error_mm if reported_as else np.nan, 0.5 if reported_as else np.nan)


def a_scan(patient: str, *discs: DiscOutcome, **changes: object) -> Outcome:
    outcome = Outcome("Drawn", patient, "as is", 4.0, discs or (a_disc(),), confidence=0.9)
    return replace(outcome, **changes)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_shares_and_counts_are_those_counted_by_hand(rng: np.random.Generator) -> None:
    scans = [
        a_scan("1", a_disc(error_mm=1), a_disc("L5-S1", ("L5-S1",), 3)),
        a_scan("2", a_disc("L4-L5", ("L5-S1",), 2), a_disc("L5-S1", ()), false=("L3-L4",), warnings=("Unsure.",)),
        a_scan("3", a_disc("L4-L5", ("L3-L4",), 2), confidence=0.5, runner_up=(1, 0.3)),
        a_scan("4", a_disc("L4-L5", ()), refusal="No spine.", confidence=float("nan")),
    ]
    line = summarised(scans, "as is", rng)
    assert (line.scans, line.patients, line.discs) == (4, 4, 6)
    assert line.found.value == pytest.approx(4 / 6)
    assert line.named.value == pytest.approx(2 / 6)
    assert line.false.value == pytest.approx(1 / 4)
    assert line.centre_mm.value == pytest.approx(2)
    assert line.lateral_mm == pytest.approx(0.5)
    assert line.confidence == pytest.approx((0.9 + 0.9 + 0.5) / 3)
    assert (line.misnamed, line.unwarned, line.second_right) == (2, 1, 1)
    assert (line.warned, line.refused) == (1, 1)
    assert np.isnan(line.corner_mm.value)


def test_every_interval_contains_its_figure_and_is_wider_with_fewer_patients(rng: np.random.Generator) -> None:
    def scans(count: int) -> list[Outcome]:
        errors = np.random.default_rng(1).gamma(2, 1, (count, 6))
        return [
            a_scan(str(k), *(a_disc(error_mm=e) for e in row), *([a_disc("L5-S1", ())] if k % 3 else []))
            for k, row in enumerate(errors)
        ]

    few, many = summarised(scans(6), "as is", rng), summarised(scans(60), "as is", rng)
    for line in (few, many):
        for estimate in (line.found, line.named, line.false, line.centre_mm):
            assert estimate.low <= estimate.value <= estimate.high
    assert few.found.high - few.found.low > 2 * (many.found.high - many.found.low) > 0


def test_patients_are_drawn_whole(rng: np.random.Generator) -> None:
    """Ten scans of one patient say no more than one: two patients, one all found and one all missed, tell nothing."""
    scans = [a_scan("good")] * 10 + [a_scan("bad", a_disc("L4-L5", ()))] * 10
    found = bootstrapped(scans, lambda of: sum(o.found for o in of) / len(of), rng)
    assert (found.low, found.value, found.high) == (0, 0.5, 1)


def test_the_same_seed_gives_the_same_intervals() -> None:
    scans = [a_scan(str(k), a_disc(error_mm=k)) for k in range(9)]
    first, again = (summarised(scans, "as is", np.random.default_rng(5)) for _ in range(2))
    assert first.centre_mm == again.centre_mm


def test_lines_come_by_group_and_condition_and_scans_as_is_by_thickness_too(rng: np.random.Generator) -> None:
    scans = [
        a_scan("1", slice_mm=1.8),
        a_scan("1", condition="turned"),
        a_scan("2", slice_mm=6.0),
        a_scan("2", condition="turned"),
    ]
    lines = summaries(scans, rng)
    assert [line.condition.strip() for line in lines] == ["as is", "slices under 3.5 mm", "over 4.5 mm", "turned"]
    assert [line.scans for line in lines] == [2, 1, 1, 2]
    assert len(summaries(scans[:1], rng)) == 1


def test_the_table_is_aligned_and_leaves_out_what_was_not_measured(rng: np.random.Generator) -> None:
    scans = [a_scan("1"), a_scan("1", condition="turned by +20°"), a_scan("2", a_disc("L4-L5", ()))]
    with_corners = [a_scan("3", group="Other", corner_errors_mm=(1.0, 2.0))]
    first, second = table_text(summaries([*scans, *with_corners], rng)).split("\n\n")
    heading, *rows = first.splitlines()
    assert heading == "Drawn (2)"
    assert len({len(row) for row in rows}) == 1
    assert "corner mm" not in first
    assert "50.0 (0.0-100.0)" in first
    assert "1.50" in second and "(" not in second.splitlines()[2]


def test_the_csv_has_a_row_per_scan_and_condition_and_empty_cells_for_what_is_not_known() -> None:
    misnamed = a_scan(
        "1", a_disc("L4-L5", ("L3-L4",), 1.25), a_disc("L5-S1", ()), warnings=("Check, please.",), runner_up=(1, 0.25)
    )
    refused = a_scan("2", a_disc("L4-L5", ()), refusal="No spine.", confidence=float("nan"))
    first, second = csv.DictReader(io.StringIO(outcomes_csv([misnamed, refused])))
    assert (first["misnamed"], first["missed"], first["centre_error_mm"]) == ("L4-L5=L3-L4", "L5-S1", "1.250")
    assert (first["warnings"], first["runner_up_shift"]) == ("Check, please.", "+1")
    assert first["runner_up_probability"] == "0.2500"
    assert (second["refusal"], second["naming_confidence"], second["centre_error_mm"]) == ("No spine.", "", "")
