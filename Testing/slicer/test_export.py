from __future__ import annotations

import csv
import locale
from datetime import UTC, datetime

import pytest

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetLib.checking import correct_grade, move_levels
from SpineNetLib.comparison import compare, read_reference
from SpineNetLib.corrections import Signature
from SpineNetLib.export import export_scores
from SpineNetLib.tables import current_readings

NOON = Signature(datetime(2026, 3, 1, 12, tzinfo=UTC), "AB")


def table(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_export_says_what_the_command_line_says(an_analysis, a_result_folder, tmp_path):
    export_scores(an_analysis, tmp_path / "scores.csv")
    for ours, theirs in zip(table(tmp_path / "scores.csv"), table(a_result_folder / "scores.csv"), strict=True):
        assert {name: ours[name] for name in theirs} == theirs


def test_a_corrected_grade_is_exported_beside_the_automatic_one(an_analysis, tmp_path):
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    export_scores(an_analysis, tmp_path / "scores.csv")
    row = table(tmp_path / "scores.csv")[4]
    assert (row["pfirrmann"], row["pfirrmann_automatic"]) == ("2", "5")
    assert row["pfirrmann_corrected"] == "2026-03-01T12:00:00+00:00 AB"
    assert row["narrowing_corrected"] == ""


def test_moved_levels_say_what_the_analysis_called_them(an_analysis, tmp_path):
    move_levels(an_analysis, 1, NOON)
    export_scores(an_analysis, tmp_path / "scores.csv")
    assert [(row["level"], row["analysed_as"]) for row in table(tmp_path / "scores.csv")][-1] == ("L5-S1", "L4-L5")


def test_an_export_serves_as_a_reference(an_analysis, tmp_path):
    correct_grade(an_analysis, "L4-L5", Task.PFIRRMANN, 2, NOON)
    export_scores(an_analysis, tmp_path / "scores.csv")
    agreements = compare(current_readings(an_analysis), read_reference(tmp_path / "scores.csv"))
    assert [agreement.exact for agreement in agreements] == [1.0] * len(Task)


def test_numbers_have_a_point_whatever_the_country(an_analysis, tmp_path, monkeypatch):
    monkeypatch.setattr(locale, "localeconv", lambda: {"decimal_point": ",", "thousands_sep": "."})
    export_scores(an_analysis, tmp_path / "scores.csv")
    assert table(tmp_path / "scores.csv")[4]["pfirrmann_p5"] == "0.750000"


def test_an_export_that_fails_leaves_the_earlier_file(an_analysis, tmp_path):
    (tmp_path / "scores.csv").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        export_scores(an_analysis, tmp_path / "scores.csv")
    assert [path.name for path in tmp_path.glob("*scores*")] == ["scores.csv"]


def test_a_folder_that_is_not_there_is_told(an_analysis, tmp_path):
    with pytest.raises(InputError, match="choose another place"):
        export_scores(an_analysis, tmp_path / "nowhere" / "scores.csv")
