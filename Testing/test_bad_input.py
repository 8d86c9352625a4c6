"""Whatever is wrong with a request or its input: one line that quotes it, exit status 2, and nothing written."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writing import AXIAL, write_series
from safetensors import safe_open
from safetensors.torch import save_file

from SpineNetCore.__main__ import run
from SpineNetCore.command_line import main
from SpineNetCore.models import BUNDLED_MODELS

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = next((ROOT / "Resources" / "Samples").glob("*.nii.gz"))
PLACES = [-8.8, -4.4, 0.0, 4.4]
SAGITTAL = (0, 0, -1, 1, 0, 0, 0, -1, 0)
AXIAL_GRID = (1, 0, 0, 0, 1, 0, 0, 0, 1)
CORONAL = (1, 0, 0, 0, 0, 1, 0, -1, 0)
NOISE = np.random.default_rng(0).normal(100, 20, (5, 64, 60)).astype(np.float32)


@pytest.fixture
def refusal(tmp_path, capfd):
    """Analyses a scan into a folder of its own and returns the one line said of it."""

    def refused(scan: object, *options: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        assert status("analyse", scan, "--output", tmp_path / "out", "--views", 1, "--no-hotspots", *options) == 2
        printed = capfd.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("error: ")
        assert printed.err.count("\n") == 1
        assert sorted(tmp_path.rglob("*")) == before
        return printed.err

    return refused


def status(*arguments: object) -> int:
    """The exit status, also where the parser of arguments ends the run itself."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(end.code or 0)


def saved(path: Path, voxels: np.ndarray = NOISE, direction=SAGITTAL, spacing=(1.0, 1.0, 4.0)) -> Path:
    image = sitk.GetImageFromArray(voxels)
    image.SetDirection(direction)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))
    return path


def with_value(voxels: np.ndarray, value: float) -> np.ndarray:
    changed = voxels.astype(np.float64)
    changed[2, 30, 30] = value
    return changed


@pytest.mark.parametrize(
    ("voxels", "said"),
    [
        (np.zeros((5, 64, 60), np.float32), "shows nothing (every voxel is 0)"),
        (np.full((5, 64, 60), -3.5, np.float32), "shows nothing (every voxel is -3.5)"),
        (with_value(NOISE, np.nan), "holds 1 of 19200 voxels that are not finite numbers"),
        (with_value(NOISE, -np.inf), "holds 1 of 19200 voxels that are not finite numbers"),
        (with_value(NOISE, 1e300), "holds 1 of 19200 voxels that are not finite numbers"),
        (np.ones((1, 1, 1), np.float32), "is too small (1 x 1 x 1 voxels)"),
        ((NOISE > 120).astype(np.uint8), "looks like a label map (2 different values"),
        (NOISE, "No lumbar spine was found on 'scan'"),
        (NOISE * 0 + np.arange(60, dtype=np.float32), "No lumbar spine was found on 'scan'"),
    ],
)
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd"])
def test_voxels_that_show_no_spine_are_refused(voxels, said, ending, refusal, tmp_path):
    assert said in refusal(saved(tmp_path / f"scan{ending}", voxels))


@pytest.mark.parametrize(("direction", "plane"), [(AXIAL_GRID, "axial"), (CORONAL, "coronal")])
def test_another_plane_is_refused(direction, plane, refusal, tmp_path):
    assert f"looks {plane} (5 {plane} slices" in refusal(saved(tmp_path / "scan.mha", direction=direction))


@pytest.mark.parametrize("unit_mm", [1000.0, 0.001])
def test_a_spacing_in_another_unit_is_refused_before_it_fills_the_memory(unit_mm, refusal, tmp_path):
    path = saved(tmp_path / "scan.nii.gz", spacing=(0.9 * unit_mm, 0.9 * unit_mm, 4 * unit_mm))

    assert "with its spacing in millimetres" in refusal(path)


def test_a_broken_name_is_quoted_on_one_line(refusal, tmp_path):
    assert "no such scan.nii" in refusal(tmp_path / "no such\nscan.nii")


def test_an_argument_without_a_value_is_no_name_for_the_folder_here(refusal):
    assert "The argument '' names nothing" in refusal("")
    assert "The argument '--models=' names nothing" in refusal(SAMPLE, "--models=")


def test_a_file_of_our_own_that_is_missing_is_our_fault(monkeypatch, tmp_path):
    def miss(_options: object) -> None:
        (ROOT / "SpineNetCore" / "gone.json").read_text()

    monkeypatch.setattr("SpineNetCore.commands.simulate.run", miss)
    with pytest.raises(FileNotFoundError):
        main(["simulate", "--output", str(tmp_path)])


def test_a_name_that_the_system_cannot_look_up_is_quoted(refusal):
    assert f"'{'a' * 300}' cannot be used (File name too long)" in refusal("a" * 300)
    assert "cannot be used (File name too long)" in refusal(SAMPLE, "--models", "a" * 300)


def test_dicom_folders_that_hold_no_one_series_are_refused(refusal, tmp_path):
    write_series(tmp_path / "two", PLACES)
    write_series(tmp_path / "two", [8.8], first_seed=9, PatientID="P2")
    write_series(tmp_path / "axial", PLACES, ImageOrientationPatient=list(AXIAL))
    write_series(tmp_path / "gap", [*PLACES, 13.2])
    write_series(tmp_path / "twice", [*PLACES, 0.0])
    write_series(tmp_path / "pixels", PLACES)
    write_series(tmp_path / "pixels", [8.8], first_seed=9, PixelSpacing=[0.9, 0.8])
    (tmp_path / "none").mkdir()

    assert "holds 2 patients ('P1', 'P2')" in refusal(tmp_path / "two")
    assert "holds no sagittal series" in refusal(tmp_path / "axial")
    assert "as if some were missing: 8.80 mm" in refusal(tmp_path / "gap")
    assert "lie at the same place (0.00 mm" in refusal(tmp_path / "twice")
    assert "different pixel spacings ((0.9, 0.7) and (0.9, 0.8))" in refusal(tmp_path / "pixels")
    assert "holds no DICOM image" in refusal(tmp_path / "none")


@pytest.mark.parametrize(
    ("options", "quoted"),
    [
        (["--device", "tpu"], "'tpu'"),
        (["--views", "1.5"], "'1.5'"),
        (["--views", "²"], "'²'"),
        (["--hotspot-views", "0"], "'0'"),
        (["--progress", "loud"], "'loud'"),
        (["--model", "x", "--colour"], "--colour"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line_too(options, quoted, refusal):
    said = refusal(SAMPLE, *options)
    assert quoted in said
    assert "--help" in said


def test_a_loop_of_links_is_no_output(tmp_path, capfd):
    (tmp_path / "one").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(tmp_path / "one")

    assert status("analyse", SAMPLE, "--output", tmp_path / "one") == 2
    assert "leads back to itself" in capfd.readouterr().err


@pytest.mark.parametrize(
    "metadata",
    [
        {"note": "{oops"},
        {"note": "[1]"},
        {"config": "null"},
        {"config": '{"fc6": -1}'},
        {"config": '{"fc6": 0}'},
        {"config": '{"dropout": 7.0}'},
        {"config": '{"slices": 0}'},
        {"format_version": "99"},
    ],
)
def test_a_model_with_a_broken_card_is_refused(metadata, refusal, tmp_path):
    models = tmp_path / "models"
    shutil.copytree(BUNDLED_MODELS, models)
    with safe_open(models / "grader.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        save_file(tensors, tmp_path / "changed", file.metadata() | metadata)
    (tmp_path / "changed").rename(models / "grader.safetensors")

    said = refusal(SAMPLE, "--models", models)
    assert "grader.safetensors" in said
    assert "--models" in said


@pytest.mark.parametrize(
    "options", [["--seed", "-1"], ["--count", "0"], ["--count", "many"], ["--prevalence", "upper_marrow=2"]]
)
def test_a_number_that_no_phantom_can_have_is_refused(options, tmp_path, capfd):
    assert status("simulate", "--output", tmp_path / "out", *options) == 2
    assert f"'{options[1]}'" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_the_program_loads_is_told_in_one_line(monkeypatch, capsys):
    class Loading:
        def __getattr__(self, _name: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "SpineNetCore.command_line", Loading())
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert run() == 130
    assert capsys.readouterr().err == "error: stopped before the end: run it again for a result.\n"


@pytest.mark.parametrize("asked", [signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_a_run_asked_to_end_leaves_nothing_behind(asked, tmp_path):
    """Ended while it scores, which is announced; through a process of its own."""
    heeded = f"import signal; signal.signal({asked:d}, signal.SIG_DFL)"  # tests run by nohup would hand down otherwise
    program = f"{heeded}; import runpy; runpy.run_module('SpineNetCore', run_name='__main__', alter_sys=True)"
    command = [sys.executable, "-c", program, "analyse", str(SAMPLE), "--output", str(tmp_path / "out")]
    with subprocess.Popen([*command, "--progress", "json"], cwd=ROOT, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        while json.loads(run.stderr.readline())["stage"] != "localise":
            time.sleep(0.01)
        run.send_signal(asked)
        last = run.stderr.read().splitlines()[-1]
    assert run.returncode == 130
    assert "stopped" in last
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_nobody_watches_any_more_goes_on(tmp_path):
    options = ["--no-hotspots", "--views", "1", "--progress", "json"]
    command = [
        sys.executable,
        "-m",
        "SpineNetCore",
        "analyse",
        str(SAMPLE),
        "--output",
        str(tmp_path / "out"),
        *options,
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        run.stderr.readline()
        run.stderr.close()
    assert run.returncode == 0
    assert (tmp_path / "out" / "report.json").exists()


def test_figures_that_nobody_reads_are_written_all_the_same(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("scan,patient,level,pfirrmann\na.nii,anna,L4-L5,3\na.nii,anna,L5-S1,4\n")
    command = [sys.executable, "-m", "SpineNetCore", "evaluate", "agreement", str(table), str(table)]
    command += ["--output", str(tmp_path / "out")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        said = run.stderr.read()
    assert (run.returncode, said) == (0, b"")
    assert (tmp_path / "out" / "agreement.html").exists()


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_run_whose_output_is_closed_ends_well(closed, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, closed, None)
    monkeypatch.setattr(sys, "argv", ["SpineNetCore", "simulate", "--progress", "bar", "--output", str(tmp_path)])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert run() == 0
