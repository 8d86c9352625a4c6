"""The scorecard's cases, figures, page and command, on a phantom and on discs drawn by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lesion_making import a_lesioned_disc, a_tiny_network

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.anatomy import Task
from SpineNetCore.command_line import main
from SpineNetCore.learning.hotspot_scorecard.cases import Grader
from SpineNetCore.learning.hotspot_scorecard.measures import Localisation
from SpineNetCore.learning.hotspot_scorecard.phantoms import discs_of
from SpineNetCore.learning.hotspot_scorecard.running import CheckReading, Reading
from SpineNetCore.learning.hotspot_scorecard.summary import check_lines_of, leads_of, lines_of
from SpineNetCore.learning.hotspot_scorecard.table import Summary, readings_csv, table_text
from SpineNetCore.learning.phantom import Phantom, PhantomSettings, simulate
from SpineNetCore.localisation import discs_between
from SpineNetCore.models import save_network
from SpineNetCore.task_score import TaskScore

WRONGLY_GRADED = "L4-L5"
SHOWN = Localisation(1.0, 1.0, 8.0, 0.5, 0.5, 0.9, 1.0)
MISSED = Localisation(0.0, 1.0, 2.0, 0.1, 0.2, 0.6, 1.0)


def a_reading(method: str, patient: str, shown: Localisation, task: Task = Task.UPPER_ENDPLATE) -> Reading:
    return Reading(method, patient, "L4-L5", task, shown, fall=0.5)


@pytest.fixture
def readings() -> list[Reading]:
    """Of two phantoms, ours shows both lesions and saliency one."""
    shown = {("saliency", "a"): SHOWN, ("saliency", "b"): MISSED, ("ours, 8 views", "a"): SHOWN}
    pairs = [(method, patient) for method in ("saliency", "ours, 8 views") for patient in "ab"]
    return [a_reading(*pair, shown.get(pair, SHOWN)) for pair in pairs]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def a_phantom() -> Phantom:
    """One with lesions of every task, in pixels that are quickly painted."""
    settings = PhantomSettings(balanced=True, slices=(9, 9), cut_off_probability=0, in_plane_mm=(0.8, 0.8))
    return simulate(np.random.default_rng(9), settings)


@pytest.fixture
def a_grader_that_knows(a_phantom: Phantom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives every disc its true grades, but calls each lower endplate intact, and one disc abnormal in a wrong way."""
    by_level = {disc.level: disc for disc in a_phantom.discs}
    truths = iter([by_level[disc.level] for disc in discs_between(a_phantom.vertebrae, a_phantom.scan)])

    def score(network: object, contexts: object, device: object) -> list[tuple[TaskScore, ...]]:
        truth = next(truths)
        grades = {**truth.grades, Task.LOWER_ENDPLATE: 0}
        if truth.level == WRONGLY_GRADED:
            grades[Task.PFIRRMANN] = 4 if grades[Task.PFIRRMANN] == 5 else 5
        return [tuple(TaskScore(task, grades[task], (), 0.0) for task in Task)]

    monkeypatch.setattr("SpineNetCore.learning.hotspot_scorecard.cases.score_discs", score)


@pytest.fixture
def drawn_discs(monkeypatch: pytest.MonkeyPatch) -> None:
    """One disc per phantom, drawn by hand instead of simulated."""

    def discs(phantom: str, name: str, *_: object) -> Iterator[object]:
        return iter([a_lesioned_disc(name)])

    phantoms = "SpineNetCore.learning.hotspot_scorecard.phantoms"
    monkeypatch.setattr(f"{phantoms}.scorecard_phantom", str)
    monkeypatch.setattr(f"{phantoms}.discs_of", discs)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    save_network(a_tiny_network(), tmp_path / "models" / "grader.safetensors")
    return tmp_path / "models"


@pytest.mark.usefixtures("a_grader_that_knows")
def test_only_true_positives_are_asked_for(a_phantom: Phantom) -> None:
    discs = list(discs_of(a_phantom, "one", Grader(a_tiny_network())))
    found = {(disc.level, score.task) for disc in discs for score in disc.scores}
    cut = [disc.level for disc in discs_between(a_phantom.vertebrae, a_phantom.scan)]
    abnormal = {
        (disc.level, task)
        for disc in a_phantom.discs
        for task in set(Task) - {Task.LOWER_ENDPLATE}
        if disc.level in cut and disc.grades[task] > task.grades[0]
    }
    wrong = (WRONGLY_GRADED, Task.PFIRRMANN)
    assert wrong in abnormal
    assert found <= abnormal - {wrong}
    assert len(found) >= 0.7 * len(abnormal) > 0  # the rest show too little of their lesion


@pytest.mark.usefixtures("a_grader_that_knows")
def test_the_lesion_lies_on_the_disc_volume_where_the_phantom_has_it(a_phantom: Phantom) -> None:
    """A disc's own mask is centred, upper lesions lie above it, and lower ones below."""
    met = set()
    for disc in discs_of(a_phantom, "one", Grader(a_tiny_network())):
        centres = {
            score.task: np.argwhere(lesion).mean(axis=0)
            for score, lesion in zip(disc.scores, disc.lesions, strict=True)
        }
        met |= set(centres)
        if Task.PFIRRMANN in centres:
            assert abs(centres[Task.PFIRRMANN][1] - 55.5) < 12
            assert abs(centres[Task.PFIRRMANN][2] - 111.5) < 16
        for task in {Task.UPPER_ENDPLATE, Task.UPPER_MARROW} & set(centres):
            assert centres[task][1] < 55.5
        if Task.LOWER_MARROW in centres:
            assert centres[Task.LOWER_MARROW][1] > 55.5
    assert met >= {Task.PFIRRMANN, Task.UPPER_ENDPLATE, Task.UPPER_MARROW, Task.LOWER_MARROW}


@pytest.mark.usefixtures("a_grader_that_knows")
def test_tasks_not_asked_for_are_left_out(a_phantom: Phantom) -> None:
    discs = list(discs_of(a_phantom, "one", Grader(a_tiny_network(), (Task.UPPER_MARROW,))))
    assert {score.task for disc in discs for score in disc.scores} == {Task.UPPER_MARROW}


def test_figures_are_means_over_true_positives_with_intervals_over_phantoms(
    readings: list[Reading], rng: np.random.Generator
) -> None:
    saliency, ours = lines_of(readings, rng)
    assert (saliency.group, saliency.method, saliency.maps) == ("Endplates", "saliency", 2)
    pointing, _, ratio, *_ = saliency.figures
    assert (pointing.low, pointing.value, pointing.high) == (0, 0.5, 1)
    assert ratio.value == 5
    assert ours.figures[0].value == 1


def test_both_sides_are_told_together_and_whole_disc_tasks_come_last(rng: np.random.Generator) -> None:
    tasks = (Task.PFIRRMANN, Task.LOWER_MARROW, Task.LOWER_ENDPLATE, Task.UPPER_MARROW)
    lines = lines_of([a_reading("saliency", "a", SHOWN, task) for task in tasks], rng)
    assert [(line.group, line.maps) for line in lines] == [("Endplates", 1), ("Marrow", 2), ("Pfirrmann", 1)]


def test_our_lead_is_counted_on_the_same_true_positives(readings: list[Reading], rng: np.random.Generator) -> None:
    worse = [a_reading("Grad-CAM", patient, MISSED) for patient in "ab"]
    (lead,) = leads_of([*readings, *worse], rng)
    assert lead.others[0] == "saliency"
    assert lead.figures[0].value == 0.5
    assert lead.figures[2].value == 3
    assert leads_of(readings[:2], rng) == []


def test_the_table_sets_leads_and_checks_beside_the_figures(readings: list[Reading], rng: np.random.Generator) -> None:
    checks = [CheckReading("saliency", "a", check, 0.25) for check in ("fc8", "conv1")]
    summary = Summary(
        tuple(lines_of(readings, rng)), tuple(leads_of(readings, rng)), tuple(check_lines_of(checks, rng))
    )
    endplates, checked = table_text(summary).split("\n\n")
    heading, *rows = endplates.splitlines()
    assert heading == "Endplates: 2 true positives"
    assert len({len(row) for row in rows[1:4]}) == 1
    assert "0.50 (0.00-1.00)" in rows[1]
    assert rows[3].startswith("ahead by") and "+0.50 (+0.00 to +1.00)" in rows[3]
    assert checked.splitlines()[2].split() == ["saliency", "0.25", "0.25"]


def test_where_lesions_are_not_known_nothing_is_told_that_needs_their_voxels(
    readings: list[Reading], rng: np.random.Generator
) -> None:
    lines = tuple(lines_of(readings, rng))
    known, unknown = (table_text(Summary(lines, (), (), knows_lesions=known)) for known in (True, False))

    assert all(title in known for title in ("IoU", "AUPRC", "pointing"))
    assert not any(title in unknown for title in ("IoU", "AUPRC"))
    assert "pointing" in unknown
    (row, *_) = csv.DictReader(io.StringIO(readings_csv(readings, knows_lesions=False)))
    assert (row["points"], row["iou"], row["auprc"]) == ("1.0000", "", "")


def test_the_csv_has_a_row_per_map_and_empty_cells_for_what_has_no_meaning() -> None:
    whole = Localisation(1.0, 1.0, 8.0, 0.5, 0.5, np.nan, np.nan)
    (row,) = csv.DictReader(
        io.StringIO(readings_csv([a_reading("saliency", "a", whole, Task.NARROWING)], knows_lesions=True))
    )
    assert (row["task"], row["energy_ratio"], row["right_half"], row["points_right"]) == ("narrowing", "8.0000", "", "")


@pytest.mark.usefixtures("drawn_discs")
def test_the_command_prints_the_table_and_writes_page_and_csv(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("SpineNetCore.learning.bootstrap.RESAMPLINGS", 20)
    out = tmp_path / "out"
    command = ["evaluate", "hotspots", "--phantoms", "2", "--first", "7", "--checked", "1", "--models", str(models)]
    command += ["--methods", "saliency", "gradcam", "ours", "--views", "1", "2", "--output", str(out)]
    assert main(command) == 0
    said = capsys.readouterr().out
    for title in ("saliency", "Grad-CAM, conv5", "ours, 1 view", "ours, 2 views", "ahead by", "other seed"):
        assert title in said
    assert RESEARCH_USE_NOTICE in said
    rows = list(csv.DictReader((out / "hotspots.csv").open()))
    assert len(rows) == 2 * 2 * 4
    assert {row["patient"] for row in rows} == {"phantom 7", "phantom 8"}
    page = (out / "hotspots.html").read_text("utf-8")
    assert RESEARCH_USE_NOTICE in page
    assert page.count("<figure>") == 2 * 2 * 5
    assert "http" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        (["--phantoms", "0"], "'0'"),
        (["--views", "0"], "'0'"),
        (["--methods", "occlusion"], "'occlusion'"),
        (["--models", "nowhere"], "nowhere"),
    ],
)
def test_a_bad_request_is_refused_in_one_sentence_and_nothing_is_written(
    arguments: list[str], quoted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["evaluate", "hotspots", *arguments, "--output", str(tmp_path / "out")])
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr().err.strip()
    assert status == 2
    assert quoted in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_grader_that_finds_nothing_is_told_so(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("SpineNetCore.learning.hotspot_scorecard.phantoms.phantom_discs", lambda *_: iter(()))
    command = ["evaluate", "hotspots", "--phantoms", "1", "--models", str(models), "--output", str(tmp_path / "out")]
    assert main(command) == 2
    assert "rightly finds nothing abnormal on 1 scans" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
