"""A reader's own choice of discs on the command line, on the sample: what is graded, where, and that it is said."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import SimpleITK as sitk
from spine_making import inside

from SpineNetCore import pipeline
from SpineNetCore.command_line import main
from SpineNetCore.scan import mapped
from SpineNetCore.scan_files import read_scan

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = next((ROOT / "Resources" / "Samples").glob("*.nii.gz"))
SCHEMA = json.loads((ROOT / "SpineNetCore" / "report.schema.json").read_text("utf-8"))
QUICK = ["--views", "1", "--no-hotspots"]


@pytest.fixture(scope="module")
def detected(tmp_path_factory):
    """The folder of an ordinary analysis."""
    folder = tmp_path_factory.mktemp("results") / "detected"
    assert main(["analyse", str(SAMPLE), "--output", str(folder), *QUICK]) == 0
    return folder


@pytest.fixture
def no_detector(monkeypatch):
    def refuse(*_):
        raise AssertionError("the detector was called")

    monkeypatch.setattr(pipeline, "find_spine", refuse)


def analysed(folder, *options):
    """What report.json says after an analysis of the sample, checked against its schema."""
    assert main(["analyse", str(SAMPLE), "--output", str(folder), *QUICK, *map(str, options)]) == 0
    content = json.loads((folder / "report.json").read_text("utf-8"))
    jsonschema.validate(content, SCHEMA, jsonschema.Draft202012Validator)
    return content


def graded(content):
    return [disc["level"] for disc in content["discs"] if disc["status"] == "scored"]


def probabilities(disc):
    return np.concatenate([score["probabilities"] for score in disc["scores"].values()])


def test_an_earlier_report_stands_in_for_the_detector_and_gives_the_same_grades(detected, no_detector, tmp_path):
    earlier = json.loads((detected / "report.json").read_text("utf-8"))
    again = analysed(tmp_path / "again", "--vertebrae", detected / "report.json")

    for vertebra, before in zip(again["vertebrae"], earlier["vertebrae"], strict=True):
        assert vertebra["corners_ras_mm"] == before["corners_ras_mm"]
    assert graded(again) == graded(earlier)
    for disc, before in zip(again["discs"], earlier["discs"], strict=True):
        assert disc["centre_ras_mm"] == before["centre_ras_mm"]
        np.testing.assert_allclose(probabilities(disc), probabilities(before), atol=0.01)
    assert again["settings"]["vertebrae_file"] == "report.json"
    assert earlier["settings"]["vertebrae_file"] is None
    assert set(again["models"]) == {"grader"}
    assert any("report.json" in warning for warning in again["warnings"])


def test_only_the_levels_asked_for_are_graded_and_drawn(detected, no_detector, tmp_path):
    options = ["--vertebrae", detected / "report.json", "--levels", "L5/S1,L3-L4"]
    content = analysed(tmp_path / "some", *options)

    assert graded(content) == ["L3-L4", "L5-S1"]
    assert {d["reason"] for d in content["discs"] if d["status"] == "not scored"} == {"Not asked for."}
    assert content["settings"]["levels"] == ["L3-L4", "L5-S1"]
    assert all(disc["centre_ras_mm"] is not None for disc in content["discs"])
    assert "Not asked for." in (tmp_path / "some" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "quoted"), [(["--levels", "L4-L5,L6"], "'L6'"), (["--vertebrae", "nowhere.json"], "'nowhere.json'")]
)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_is_written(options, quoted, tmp_path, capsys):
    assert main(["analyse", str(SAMPLE), "--output", str(tmp_path / "out"), *QUICK, *options]) == 2
    said = capsys.readouterr().err
    assert quoted in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_point_in_each_disc_stands_in_for_the_detector(detected, no_detector, tmp_path):
    earlier = json.loads((detected / "report.json").read_text("utf-8"))
    points = [{"label": disc["level"], "position": disc["centre_ras_mm"]} for disc in earlier["discs"][2:]]
    path = tmp_path / "discs.mrk.json"
    path.write_text(json.dumps({"markups": [{"coordinateSystem": "RAS", "controlPoints": points}]}))
    content = analysed(tmp_path / "marked", "--vertebrae", path)

    assert graded(content) == ["L2-L3", "L3-L4", "L4-L5", "L5-S1"]
    assert content["discs"][0]["reason"] == "T12 and L1 not found: not in 'discs.mrk.json'."
    apart = [
        abs(disc["scores"]["pfirrmann"]["grade"] - before["scores"]["pfirrmann"]["grade"])
        for disc, before in zip(content["discs"][2:], earlier["discs"][2:], strict=True)
    ]
    assert max(apart) <= 1


def test_a_label_map_stands_in_for_the_detector(detected, no_detector, tmp_path):
    """Made of the discs' boxes and the outlines that the detector found: blocks, but in their right places."""
    labels = tmp_path / "labels.nrrd"
    sitk.WriteImage(blocks(json.loads((detected / "report.json").read_text("utf-8"))), str(labels))
    content = analysed(tmp_path / "labelled", "--vertebrae", labels, "--labels", "spider", "--levels", "L3-L4,L4-L5")

    assert graded(content) == ["L3-L4", "L4-L5"]
    earlier = json.loads((detected / "report.json").read_text("utf-8"))
    for disc, before in zip(content["discs"][3:5], earlier["discs"][3:5], strict=True):
        assert np.linalg.norm(np.subtract(disc["centre_ras_mm"], before["centre_ras_mm"])) < 3
        assert abs(disc["scores"]["pfirrmann"]["grade"] - before["scores"]["pfirrmann"]["grade"]) <= 1


def blocks(report):
    """The vertebrae of a report, 20 mm wide, on the sample's grid, in the values of SPIDER."""
    scan = read_scan(SAMPLE)
    out = np.zeros(scan.voxels.shape, np.uint8)
    for value, level in enumerate(("L5", "L4", "L3"), start=1):
        corners = next(v["corners_ras_mm"] for v in report["vertebrae"] if v["level"] == level)
        places = mapped(scan.ijk_from_ras, np.array(corners))
        half = 10 / scan.spacing_mm[0]
        inside_it = inside(places[:, 1:], out.shape[1:], (1.0, 1.0))
        out[max(round(places[0, 0] - half), 0) : round(places[0, 0] + half) + 1, inside_it] = value
    image = sitk.GetImageFromArray(scan.file_grid.file_from_standard(out).transpose(2, 1, 0))
    image.CopyInformation(sitk.ReadImage(str(SAMPLE)))
    return image


def test_levels_are_counted_from_the_disc_that_the_reader_names(detected, tmp_path):
    earlier = {d["level"]: d for d in json.loads((detected / "report.json").read_text("utf-8"))["discs"]}
    place = ",".join(str(value) for value in earlier["L4-L5"]["centre_ras_mm"])
    content = analysed(tmp_path / "renamed", "--lowest-level", f"L5-S1={place}", "--levels", "L5-S1")

    (named,) = (disc for disc in content["discs"] if disc["level"] == "L5-S1")
    np.testing.assert_allclose(named["centre_ras_mm"], earlier["L4-L5"]["centre_ras_mm"], atol=0.01)
    assert content["settings"]["lowest_level"].startswith("L5-S1=")
    assert any("set by the reader" in warning for warning in content["warnings"])
    assert "set by the reader" in (tmp_path / "renamed" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "quoted"),
    [
        (["--lowest-level", "L5-S1=1,2"], "'L5-S1=1,2'"),
        (["--shift-levels", "3"], "'3'"),
        (["--shift-levels", "1", "--lowest-level", "L5-S1=1,2,3"], "not allowed with"),
        (["--shift-levels", "-1", "--vertebrae", "mine.json"], "'mine.json' brings its own names"),
        (["--labels", "verse"], "'verse'"),
        (["--labels", "spider"], "give that with --vertebrae"),
    ],
)
def test_names_that_cannot_be_set_are_refused_in_one_line(options, quoted, tmp_path, capsys):
    try:
        status = main(["analyse", str(SAMPLE), "--output", str(tmp_path / "out"), *QUICK, *options])
    except SystemExit as end:
        status = end.code
    assert status == 2
    said = capsys.readouterr().err
    assert quoted in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()
