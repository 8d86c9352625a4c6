from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from report_making import REASON, UNSCORED, a_report

import SpineNetLib
from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetLib.results import read_result


@pytest.fixture
def a_copy(a_result_folder, tmp_path) -> Path:
    return Path(shutil.copytree(a_result_folder, tmp_path / "result"))


def changed(folder: Path, **entries: object) -> Path:
    report = folder / "report.json"
    report.write_text(json.dumps(json.loads(report.read_text("utf-8")) | entries), "utf-8")
    return folder


def test_what_was_written_is_read_back(a_result):
    report = a_report()
    for disc, finding in zip(report.discs, a_result.findings.discs, strict=True):
        assert (finding.level, finding.reason) == (disc.level, disc.reason)
        assert {task: score.grade for task, score in finding.scores.items()} == {
            score.task: score.grade for score in disc.scores or ()
        }
        if disc.disc is not None:
            np.testing.assert_allclose(finding.centre_ras_mm, disc.centre_ras_mm, atol=1e-3)
            np.testing.assert_allclose(finding.geometry.posterior, disc.disc.posterior, atol=1e-3)
    assert [vertebra.level for vertebra in a_result.findings.vertebrae] == [v.level for v in report.vertebrae]
    assert set(a_result.hotspots) == set(Task)


def test_a_disc_without_scores_keeps_its_reason(a_result):
    unscored = next(disc for disc in a_result.findings.discs if disc.level == UNSCORED)
    assert (unscored.reason, dict(unscored.scores)) == (REASON, {})


def test_a_result_without_hotspots_is_whole(a_copy):
    shutil.rmtree(a_copy / "hotspots")
    assert read_result(a_copy).hotspots == {}


@pytest.mark.parametrize("missing", ["report.json", "discs.nii.gz", "hotspots/narrowing.nii.gz"])
def test_a_result_that_is_not_whole_is_refused_by_the_missing_name(a_copy, missing):
    (a_copy / missing).unlink()
    with pytest.raises(InputError, match=Path(missing).name):
        read_result(a_copy)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"discs": []}, "its discs are not"),
        ({"discs": [{"level": "L4-L5"}]}, "no 'geometry'|no 'centre_ras_mm'"),
        ({"vertebrae": [{"level": "L1", "confidence": 1, "corners_ras_mm": [[0, 1]]}]}, "is no point"),
        ({"warnings": None}, "NoneType"),
        ({"discs": [{"level": "L5-S1", "centre_ras_mm": None, "reason": None, "scores": []}]}, "no attribute 'items'"),
    ],
)
def test_a_report_of_another_kind_is_refused_with_what_is_wrong(a_copy, entries, said):
    with pytest.raises(InputError, match=said):
        read_result(changed(a_copy, **entries))


def test_text_that_is_not_json_is_refused(a_copy):
    (a_copy / "report.json").write_text("{", "utf-8")
    with pytest.raises(InputError, match=r"report\.json' is not a report of SpineNet"):
        read_result(a_copy)


def test_the_library_needs_neither_torch_nor_qt_but_for_the_panel():
    root = Path(SpineNetLib.__file__).parents[1]
    panel = {"score_table", "messages", "parameters"} | {
        path.stem for path in Path(SpineNetLib.__file__).parent.glob("*panel.py")
    }
    stems = {path.stem for path in Path(SpineNetLib.__file__).parent.glob("[a-z]*.py")}
    assert panel < stems
    names = [f"SpineNetLib.{stem}" for stem in sorted(stems - panel)]
    code = f"import sys, {', '.join(names)}; print(sorted({{'torch', 'qt', 'PySide6'}} & set(sys.modules)))"
    environment = {"PYTHONPATH": f"{root}:{root.parent}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
