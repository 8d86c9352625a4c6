"""`evaluate localisation` on small made data, with the finder replaced by one that knows or errs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from case_making import a_case, shifted_by_a_level, true_spine
from spider_making import PICTURES, SLABS, write_spider

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.command_line import main
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets import spider
from SpineNetCore.learning.datasets.spider import fold_of
from SpineNetCore.localisation import Spine
from SpineNetCore.models import BUNDLED_MODELS, DETECTOR_FILE
from SpineNetCore.scan import Scan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spider").mkdir()
    return write_spider(tmp_path / "spider")


@pytest.fixture
def a_known_phantom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "SpineNetCore.learning.localisation.cases.simulated_case", lambda k: replace(a_case(), patient=str(k))
    )


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, str]]:
    """(network, name of the scan) of every call of the finder, which refuses all."""
    calls: list[tuple[object, str]] = []

    def refuse(scan: Scan, network: object, device: object) -> Spine:
        calls.append((network, scan.name))
        raise InputError("No lumbar spine was found.")

    monkeypatch.setattr("SpineNetCore.localisation.find_spine", refuse)
    monkeypatch.setattr(spider, "lowest_disc", lambda *_: (5.0, 5.0))
    monkeypatch.setattr("SpineNetCore.learning.localisation.lowest_discs.is_measurable", lambda _: True)
    return calls


@pytest.mark.parametrize(
    ("make_spine", "named"), [(true_spine, "100.0 (100.0-100.0)"), (shifted_by_a_level, "0.0 (0.0-0.0)")]
)
@pytest.mark.usefixtures("a_known_phantom")
def test_the_table_tells_a_perfect_finder_from_one_that_is_off_by_a_level(
    make_spine, named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("SpineNetCore.localisation.find_spine", lambda scan, network, device: make_spine(a_case()))
    assert main(["evaluate", "localisation", "--phantoms", "2"]) == 0
    said = capsys.readouterr().out
    assert named in next(line for line in said.splitlines() if line.startswith("as is"))
    assert RESEARCH_USE_NOTICE in said


def test_the_unseen_patient_is_the_default_and_all_can_be_had(folder: Path, seen, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(spider, "SAMPLE_PATIENT", SLABS[0])
    assert main(["evaluate", "localisation", "--spider", str(folder), "--output", str(tmp_path / "out")]) == 0
    assert len({name for _, name in seen}) == 1
    seen.clear()
    assert main(["evaluate", "localisation", "--spider", str(folder), "--patients", "all"]) == 0
    assert len({name for _, name in seen}) == len(SLABS) + len(PICTURES)
    assert "refused: No" not in (tmp_path / "out" / "localisation.csv").read_text("utf-8")
    assert (tmp_path / "out" / "localisation.csv").read_text("utf-8").count("No lumbar spine was found.") >= 5


def test_a_folder_without_the_unseen_patient_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "localisation", "--spider", str(folder)]) == 2
    assert "holds no slab of patient 110" in capsys.readouterr().err


def test_with_folds_every_patient_meets_the_model_of_its_fold_alone(folder: Path, seen, tmp_path: Path) -> None:
    for k in range(5):
        (tmp_path / "folds" / f"fold-{k}").mkdir(parents=True)
        shutil.copy(BUNDLED_MODELS / DETECTOR_FILE, tmp_path / "folds" / f"fold-{k}")
    assert main(["evaluate", "localisation", "--spider", str(folder), "--folds", str(tmp_path / "folds")]) == 0
    networks: dict[str, set[int]] = {}
    for network, name in seen:
        networks.setdefault(name, set()).add(id(network))
    assert len(networks) == len(SLABS) + len(PICTURES)
    assert all(len(of_scan) == 1 for of_scan in networks.values())
    folds = {fold_of(patient) for patient in (*SLABS, *PICTURES)}
    assert len(set.union(*networks.values())) == len(folds) > 1


@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        ([], "--spider DIR, --phantoms N"),
        (["--spider", "nowhere"], "nowhere"),
        (["--phantoms", "1", "--folds", "nowhere"], "fold-0"),
        (["--phantoms", "1", "--models", "nowhere"], "nowhere"),
    ],
)
def test_a_bad_request_is_refused_in_one_sentence_and_nothing_is_written(
    arguments: list[str], quoted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "localisation", *arguments, "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip()
    assert quoted in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()
