"""The command line's contract, on real files, through a process of its own where exit codes matter."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.command_line import main
from SpineNetCore.models import BUNDLED_MODELS

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = next((ROOT / "Resources" / "Samples").glob("*.nii.gz"))
QUICK = ["--views", "2", "--hotspot-views", "2"]


@pytest.fixture(scope="module")
def a_result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "sample"
    assert main(["analyse", str(SAMPLE), "--output", str(folder), *QUICK]) == 0
    return folder


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one sentence with which a request is refused."""
    assert main([str(argument) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_the_sample_has_all_six_discs_scored(a_result: Path) -> None:
    report = json.loads((a_result / "report.json").read_text(encoding="utf8"))
    assert [disc["level"] for disc in report["discs"]] == list(DISC_LEVELS)
    assert {disc["status"] for disc in report["discs"]} == {"scored"}
    assert {"T12", "L1", "L2", "L3", "L4", "L5", "S1"} <= {vertebra["level"] for vertebra in report["vertebrae"]}


def test_scores_are_chances_of_the_grade_they_name(a_result: Path) -> None:
    for disc in json.loads((a_result / "report.json").read_text(encoding="utf8"))["discs"]:
        for task in Task:
            score = disc["scores"][task.value]
            assert sum(score["probabilities"]) == pytest.approx(1, abs=1e-5)
            assert score["grade"] == task.grades[int(np.argmax(score["probabilities"]))]


def test_the_table_agrees_with_the_report(a_result: Path) -> None:
    report = json.loads((a_result / "report.json").read_text(encoding="utf8"))
    with (a_result / "scores.csv").open(encoding="utf8") as file:
        rows = list(csv.DictReader(file))
    for row, disc in zip(rows, report["discs"], strict=True):
        assert (row["level"], row["status"]) == (disc["level"], disc["status"])
        for task in Task:
            assert int(row[task.value]) == disc["scores"][task.value]["grade"]


def test_every_map_lies_on_the_scans_own_grid_inside_the_discs_boxes(a_result: Path) -> None:
    scan = sitk.ReadImage(str(SAMPLE))
    labels = sitk.ReadImage(str(a_result / "discs.nii.gz"))
    boxes = sitk.GetArrayFromImage(labels)
    assert set(np.unique(boxes)) == set(range(7))
    for task in Task:
        heat = sitk.ReadImage(str(a_result / "hotspots" / f"{task.value}.nii.gz"))
        for volume in (heat, labels):
            assert volume.GetSize() == scan.GetSize()
            assert volume.GetOrigin() == pytest.approx(scan.GetOrigin(), abs=1e-3)
            assert volume.GetDirection() == pytest.approx(scan.GetDirection(), abs=1e-5)
        values = sitk.GetArrayFromImage(heat)
        assert values.dtype == np.float32
        assert values.min() >= 0
        assert 0.9 < values.max() <= 1
        assert not values[boxes == 0].any()


def test_centres_of_discs_carry_their_own_label(a_result: Path) -> None:
    labels = sitk.ReadImage(str(a_result / "discs.nii.gz"))
    for number, disc in enumerate(reversed(json.loads((a_result / "report.json").read_text("utf8"))["discs"]), start=1):
        right, anterior, superior = disc["centre_ras_mm"]
        place = labels.TransformPhysicalPointToIndex((-right, -anterior, superior))
        assert labels[place] == number


def test_no_hotspots_writes_none(tmp_path: Path) -> None:
    assert main(["analyse", str(SAMPLE), "--output", str(tmp_path / "out"), "--no-hotspots", "--views", "1"]) == 0
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == [
        "discs.nii.gz",
        "report.html",
        "report.json",
        "scores.csv",
    ]


def test_the_same_request_gives_the_same_scores(tmp_path: Path, a_result: Path) -> None:
    assert main(["analyse", str(SAMPLE), "--output", str(tmp_path / "again"), *QUICK]) == 0
    assert (tmp_path / "again" / "scores.csv").read_text("utf-8") == (a_result / "scores.csv").read_text("utf-8")


def test_progress_is_one_json_object_a_line_and_ends_every_stage(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "SpineNetCore", "analyse", SAMPLE, "--output", tmp_path / "out", *QUICK]
    run = subprocess.run([*command, "--progress", "json"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    finished = [line["stage"] for line in lines if line["done"] == line["total"]]
    assert list(dict.fromkeys(finished)) == ["read", "localise", "cut", "score", "hotspots", "write"]


def test_a_person_is_told_of_doubts_and_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = sitk.ReadImage(str(SAMPLE))
    sitk.WriteImage(whole[:, :430, :], str(tmp_path / "no_sacrum.nii.gz"))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    options = ["--no-hotspots", "--views", "1", "--levels", "L3-L4"]
    assert main(["analyse", str(tmp_path / "no_sacrum.nii.gz"), "--output", str(tmp_path / "out"), *options]) == 0
    said = capsys.readouterr().err
    assert "The sacrum was not found" in said
    assert said.endswith(f"The page is '{tmp_path / 'out' / 'report.html'}'.\n")


def test_a_one_slice_scan_is_graded(tmp_path: Path) -> None:
    whole = sitk.ReadImage(str(SAMPLE))
    through = int(np.argmax(whole.GetSpacing()))
    size = list(whole.GetSize())
    index = [0, 0, 0]
    index[through], size[through] = size[through] // 2, 1
    sitk.WriteImage(sitk.RegionOfInterest(whole, size, index), tmp_path / "one.nii.gz")
    assert main(["analyse", str(tmp_path / "one.nii.gz"), "--output", str(tmp_path / "out"), *QUICK]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf8"))
    assert sum(disc["status"] == "scored" for disc in report["discs"]) >= 5


def test_levels_out_of_view_are_absent_with_a_reason_and_the_others_scored(tmp_path: Path) -> None:
    whole = sitk.ReadImage(str(SAMPLE))
    scan_rows = int(np.argmax(np.abs(np.array(whole.GetDirection()).reshape(3, 3)[2])))
    goes_up = np.array(whole.GetDirection()).reshape(3, 3)[2, scan_rows] > 0
    keep = int(whole.GetSize()[scan_rows] * 0.6)
    size, index = list(whole.GetSize()), [0, 0, 0]
    size[scan_rows] = keep
    index[scan_rows] = 0 if goes_up else whole.GetSize()[scan_rows] - keep
    sitk.WriteImage(sitk.RegionOfInterest(whole, size, index), tmp_path / "low.nii.gz")
    assert main(["analyse", str(tmp_path / "low.nii.gz"), "--output", str(tmp_path / "out"), *QUICK]) == 0
    discs = {d["level"]: d for d in json.loads((tmp_path / "out" / "report.json").read_text("utf8"))["discs"]}
    assert discs["L5-S1"]["status"] == discs["L4-L5"]["status"] == "scored"
    assert discs["T12-L1"]["status"] == "not scored"
    assert "T12" in discs["T12-L1"]["reason"]


def test_version_and_help_answer(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, answer in ((["--version"], "SpineNetCore 0."), (["--help"], "not a medical device")):
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
        assert answer in capsys.readouterr().out


def test_noise_without_a_spine_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).normal(100, 20, (5, 200, 180)).astype(np.float32)
    path = tmp_path / "noise.nii.gz"
    image = sitk.GetImageFromArray(noise)
    image.SetSpacing((1.0, 1.0, 4.0))
    image.SetDirection((0, 0, 1, 1, 0, 0, 0, -1, 0))
    sitk.WriteImage(image, path)
    said = refusal(capsys, "analyse", path, "--output", tmp_path / "out")
    assert "No lumbar spine was found" in said
    assert "noise" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        (["missing.nii.gz", "--output", "out"], "missing.nii.gz"),
        ([SAMPLE, "--output", "out", "--models", "nowhere"], "nowhere"),
        ([SAMPLE, "--output", SAMPLE], SAMPLE.name),
        ([SAMPLE, "--output", "/proc/forbidden"], "/proc/forbidden"),
    ],
)
def test_a_bad_request_is_refused_in_one_sentence_that_quotes_it(
    arguments: list[object],
    quoted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert quoted in refusal(capsys, "analyse", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_not_utf_8_are_refused_wherever_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Z\xe4hn"))
    folder.mkdir()
    shutil.copy(SAMPLE, folder / "scan.nii.gz")
    (tmp_path / "link.nii.gz").symlink_to(folder / "scan.nii.gz")
    told = r"Z\xe4hn"
    assert told in refusal(capsys, "analyse", SAMPLE, "--output", folder / "out")
    assert told in refusal(
        capsys, "analyse", SAMPLE, "--output", tmp_path / "out", "--vertebrae", folder / "scan.nii.gz"
    )
    assert told in refusal(capsys, "analyse", tmp_path / "link.nii.gz", "--output", tmp_path / "out")
    monkeypatch.chdir(folder)
    assert told in refusal(capsys, "analyse", SAMPLE, "--output", "out")
    assert [path.name for path in folder.iterdir()] == ["scan.nii.gz"]


def test_cuda_where_there_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "cuda" in refusal(capsys, "analyse", SAMPLE, "--output", tmp_path / "out", "--device", "cuda")


def test_a_truncated_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = tmp_path / "models"
    shutil.copytree(BUNDLED_MODELS, models)
    grader = models / "grader.safetensors"
    grader.write_bytes(grader.read_bytes()[:100_000])
    assert "grader.safetensors" in refusal(capsys, "analyse", SAMPLE, "--output", tmp_path / "out", "--models", models)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("views", ["0", "55", "many"])
def test_a_number_of_views_that_cannot_be_is_refused(views: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["analyse", str(SAMPLE), "--output", "out", "--views", views])
    assert f"'{views}' is not a whole number from 1 to 54" in capsys.readouterr().err


def test_an_axial_series_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volume = np.random.default_rng(1).random((20, 128, 128)).astype(np.float32)
    image = sitk.GetImageFromArray(volume)
    image.SetSpacing((1.0, 1.0, 5.0))
    sitk.WriteImage(image, tmp_path / "axial.nii.gz")
    said = refusal(capsys, "analyse", tmp_path / "axial.nii.gz", "--output", tmp_path / "out")
    assert "sagittal" in said
