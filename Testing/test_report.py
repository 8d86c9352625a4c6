from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import nibabel
import numpy as np
import pytest
from report_making import REASON, UNSCORED, a_report, with_disc

from SpineNetCore import RESEARCH_USE_NOTICE, report, whole_results
from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.errors import InputError
from SpineNetCore.report import REPORT, write_report

SCHEMA = json.loads((Path(report.__file__).parent / "report.schema.json").read_text("utf-8"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def written_json(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text("utf-8"))


def table(folder: Path) -> list[list[str]]:
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def a_result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parent") / "result"
    write_report(a_report(), folder)
    return folder


def test_a_result_holds_every_file_of_the_contract_and_nothing_else(a_result):
    hotspots = {f"hotspots/{task.value}.nii.gz" for task in Task}
    assert contents(a_result).keys() == {"report.json", "scores.csv", "discs.nii.gz", "report.html", *hotspots}
    assert [path.name for path in a_result.parent.iterdir()] == ["result"]


def test_the_json_follows_its_schema(a_result):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(written_json(a_result), SCHEMA, jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content["discs"].reverse(),
        lambda content: content["discs"][1].update(reason="none"),
        lambda content: content["discs"][0].update(reason=None),
        lambda content: content["discs"][1]["scores"].pop("upper_marrow"),
        lambda content: content["discs"][1]["scores"]["narrowing"].update(grade=5),
        lambda content: content["discs"][1]["scores"]["pfirrmann"]["probabilities"].pop(),
        lambda content: content["vertebrae"][0]["corners_ras_mm"].pop(),
    ],
)
def test_the_schema_refuses_what_breaks_the_contract(a_result, spoil):
    content = written_json(a_result)
    spoil(content)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, SCHEMA, jsonschema.Draft202012Validator)


def test_the_json_says_what_the_report_says(a_result):
    truth, content = a_report(), written_json(a_result)
    assert content["notice"] == RESEARCH_USE_NOTICE
    assert content["scan"]["file"] == "anna & co.nii.gz"
    assert content["scan"]["shape"] == [5, 140, 40]
    np.testing.assert_allclose(content["scan"]["spacing_mm"], (4, 1.5, 2.5), atol=1e-4)
    np.testing.assert_allclose(content["scan"]["ras_from_ijk"], truth.scan.ras_from_ijk)
    assert content["models"]["grader"]["digest"] == "0123456789ab"
    assert content["timings_s"] == {"read": 0.25, "score": 1.5}
    assert content["settings"] == {
        "views": 54,
        "hotspot_views": 8,
        "device": "cpu",
        "levels": list(DISC_LEVELS),
        "vertebrae_file": None,
        "lowest_level": None,
        "shift_levels": 0,
    }
    assert content["warnings"] == ["Only 5 slices & no more."]
    for vertebra, entry in zip(truth.vertebrae, content["vertebrae"], strict=True):
        assert entry["level"] == vertebra.level
        np.testing.assert_allclose(entry["corners_ras_mm"], vertebra.corners_ras_mm, atol=1e-4)
        np.testing.assert_allclose(entry["centre_ras_mm"], vertebra.centre_ras_mm, atol=1e-4)


def test_a_scored_disc_has_grades_and_an_unscored_one_a_reason(a_result):
    discs = {disc["level"]: disc for disc in written_json(a_result)["discs"]}
    assert tuple(discs) == DISC_LEVELS
    assert (discs[UNSCORED]["status"], discs[UNSCORED]["reason"]) == ("not scored", REASON)
    assert (discs[UNSCORED]["centre_ras_mm"], discs[UNSCORED]["scores"]) == (None, {})
    assert (discs["L4-L5"]["status"], discs["L4-L5"]["reason"]) == ("scored", None)
    narrowing = discs["L4-L5"]["scores"]["narrowing"]
    assert (narrowing["grade"], narrowing["label"], narrowing["uncertainty"]) == (4, "severe", 0.0625)
    assert narrowing["probabilities"] == pytest.approx([0.25 / 3, 0.25 / 3, 0.25 / 3, 0.75], abs=1e-6)


def test_a_number_that_is_not_finite_is_never_written(tmp_path):
    ill = a_report()
    score = replace(ill.discs[2].scores[0], uncertainty=float("nan"))
    ill = with_disc(ill, replace(ill.discs[2], scores=(score, *ill.discs[2].scores[1:])))
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_report(ill, tmp_path / "result")
    assert not list(tmp_path.iterdir())


def test_the_spread_of_a_single_view_is_left_open_everywhere(tmp_path):
    report = a_report()
    lone = tuple(replace(score, uncertainty=None) for score in report.discs[4].scores)
    write_report(with_disc(report, replace(report.discs[4], scores=lone)), tmp_path / "result")
    content = written_json(tmp_path / "result")
    jsonschema.validate(content, SCHEMA, jsonschema.Draft202012Validator)
    assert content["discs"][4]["scores"]["narrowing"]["uncertainty"] is None
    header, *rows = table(tmp_path / "result")
    assert dict(zip(header, rows[4], strict=True))["narrowing_uncertainty"] == ""
    page = (tmp_path / "result" / "report.html").read_text("utf-8")
    assert page.count('<span class="number">75 %</span>') == len(Task)


def test_the_table_has_the_columns_of_the_contract_first(a_result):
    header = table(a_result)[0]
    assert ",".join(header[:25]) == (
        "level,status,pfirrmann,pfirrmann_p1,pfirrmann_p2,pfirrmann_p3,pfirrmann_p4,pfirrmann_p5,"
        "narrowing,narrowing_p1,narrowing_p2,narrowing_p3,narrowing_p4,"
        "upper_endplate,upper_endplate_p0,upper_endplate_p1,lower_endplate,lower_endplate_p0,lower_endplate_p1,"
        "upper_marrow,upper_marrow_p0,upper_marrow_p1,lower_marrow,lower_marrow_p0,lower_marrow_p1"
    )
    assert header[25:] == [*(f"{task.value}_uncertainty" for task in Task), "reason"]


def test_the_table_has_a_row_per_disc_and_empty_cells_for_an_unscored_one(a_result):
    header, *rows = table(a_result)
    assert [row[0] for row in rows] == list(DISC_LEVELS)
    assert rows[0] == [UNSCORED, "not scored", *[""] * (len(header) - 3), REASON]
    scored = dict(zip(header, rows[4], strict=True))
    assert (scored["status"], scored["pfirrmann"], scored["lower_marrow"], scored["reason"]) == ("scored", "5", "1", "")
    assert float(scored["pfirrmann_p5"]) == 0.75
    assert float(scored["upper_endplate_p0"]) == 0.25
    assert float(scored["narrowing_uncertainty"]) == 0.0625


def test_the_volumes_lie_on_the_grid_of_the_scans_file(a_result):
    truth = a_report()
    expected = {"discs.nii.gz": truth.disc_labels}
    expected |= {f"hotspots/{task.value}.nii.gz": heat for task, heat in truth.hotspots.items()}
    for name, array in expected.items():
        volume = nibabel.load(a_result / name)
        np.testing.assert_allclose(volume.affine, truth.scan.file_grid.ras_from_file_ijk, atol=1e-4)
        assert volume.get_data_dtype() == array.dtype
        np.testing.assert_array_equal(np.asarray(volume.dataobj), truth.scan.file_grid.file_from_standard(array))


def test_without_hotspots_there_is_no_folder_of_hotspots(tmp_path):
    write_report(a_report(), tmp_path)
    write_report(a_report(hotspots=False), tmp_path)
    assert contents(tmp_path).keys() == {"report.json", "scores.csv", "discs.nii.gz", "report.html"}


def test_a_report_always_speaks_of_the_six_discs():
    with pytest.raises(ValueError, match="T12-L1"):
        replace(a_report(), discs=a_report().discs[1:])


@pytest.fixture
def a_breakdown(monkeypatch):
    """The last file fails, when all the others are written."""

    def fail(_):
        raise RuntimeError("broken page")

    return lambda: monkeypatch.setattr(report, "page_html", fail)


def test_a_breakdown_leaves_nothing_behind(tmp_path, a_breakdown):
    a_breakdown()
    with pytest.raises(RuntimeError, match="broken page"):
        write_report(a_report(), tmp_path / "new" / "result")
    assert not list(tmp_path.iterdir())


def test_a_breakdown_keeps_the_earlier_result(tmp_path, a_breakdown):
    write_report(a_report(), tmp_path)
    earlier = contents(tmp_path)
    a_breakdown()
    with pytest.raises(RuntimeError, match="broken page"):
        write_report(a_report(hotspots=False), tmp_path)
    assert contents(tmp_path) == earlier


@pytest.mark.parametrize("stuck", ["report.json", "scores.csv", "hotspots", "report.html"])
def test_a_file_that_cannot_be_moved_brings_the_earlier_result_back(tmp_path, monkeypatch, stuck):
    write_report(a_report(), tmp_path)
    earlier = contents(tmp_path)
    rename = Path.rename

    def refuse_the_new_one(source, target):
        if source.name == stuck and Path(target).parent == tmp_path and source.parent.name != "earlier":
            raise PermissionError(13, "in use")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new_one)
    with pytest.raises(InputError, match=r"in use.*choose another folder"):
        write_report(replace(a_report(), warnings=("new",)), tmp_path)
    assert contents(tmp_path) == earlier


def test_a_new_result_replaces_the_earlier_one_and_spares_other_files(tmp_path):
    write_report(a_report(), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    write_report(replace(a_report(), warnings=("second run",)), tmp_path)
    assert written_json(tmp_path)["warnings"] == ["second run"]
    assert (tmp_path / "notes.txt").read_text("utf-8") == "mine"
    assert not list(tmp_path.glob(".*"))


def test_a_result_can_go_into_an_empty_folder_and_below_folders_still_to_be_made(tmp_path):
    for folder in (tmp_path / "empty", tmp_path / "a" / "b" / "c"):
        if folder.name == "empty":
            folder.mkdir()
        REPORT.check(folder)
        write_report(a_report(hotspots=False), folder)
        assert (folder / "report.json").is_file()


def test_checking_the_output_changes_nothing(tmp_path):
    REPORT.check(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())


def test_what_an_interrupted_run_left_behind_does_not_block_the_next(tmp_path):
    (tmp_path / ".spinenet-0123").mkdir()
    REPORT.check(tmp_path)


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "desktop.ini"])
def test_what_a_file_manager_left_behind_does_not_block_it(name, tmp_path):
    (tmp_path / name).write_text("icons")
    REPORT.check(tmp_path)


def test_a_place_on_a_drive_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda _: False)
    with pytest.raises(InputError, match=r"No such file or directory.*choose a folder"):
        REPORT.check(tmp_path / "absent" / "result")


def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "patient.dcm").write_text("keep me")
    for act in (REPORT.check, lambda folder: write_report(a_report(), folder)):
        with pytest.raises(InputError, match=r"patient\.dcm.*choose an empty or a new folder"):
            act(tmp_path)
    assert contents(tmp_path) == {"patient.dcm": b"keep me"}


def test_a_report_of_another_program_is_left_alone(tmp_path):
    (tmp_path / "report.json").write_text('{"tool": "coverage"}')
    (tmp_path / "hotspots").mkdir()
    (tmp_path / "hotspots" / "mine.txt").write_text("keep me")
    for act in (REPORT.check, lambda folder: write_report(a_report(), folder)):
        with pytest.raises(InputError, match="choose an empty or a new folder"):
            act(tmp_path)
    assert (tmp_path / "hotspots" / "mine.txt").read_text() == "keep me"


def test_a_run_waits_while_another_moves_its_files(tmp_path, monkeypatch):
    write_report(a_report(), tmp_path)
    lock = tmp_path / ".spinenet-lock"
    lock.mkdir()
    waited = []

    def the_other_ends(_seconds):
        assert not waited
        waited.append(contents(tmp_path))
        lock.rmdir()

    monkeypatch.setattr(whole_results.time, "sleep", the_other_ends)
    before = contents(tmp_path)
    write_report(a_report(hotspots=False), tmp_path)
    assert len(waited) == 1
    assert waited[0].keys() >= before.keys()
    assert not (tmp_path / "hotspots").exists()
    assert not lock.exists()


def test_a_run_that_was_killed_while_it_moved_does_not_block_the_next(tmp_path, monkeypatch):
    write_report(a_report(), tmp_path)
    (tmp_path / ".spinenet-lock").mkdir()
    monkeypatch.setattr(whole_results, "_LONGEST_MOVE_S", 0.1)
    write_report(a_report(hotspots=False), tmp_path)
    assert not list(tmp_path.glob(".spinenet*"))


def test_a_file_is_no_output_folder(tmp_path):
    (tmp_path / "result").write_text("a file")
    with pytest.raises(InputError, match=r"result' is a file"):
        REPORT.check(tmp_path / "result")
    with pytest.raises(InputError, match="choose a folder you may write to"):
        REPORT.check(tmp_path / "result" / "inside")


def test_a_place_that_may_not_be_written_is_refused_early(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=r"result' \(Permission denied\): choose a folder"):
        REPORT.check(tmp_path / "result")
