"""Where findings must show on patients' discs, on a drawn slab whose discs are boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lesion_making import a_lesioned_disc, a_tiny_network
from spider_making import BODY_TOPS, CORNERS, DISC_ROWS, SPACING_MM, drawn_mask, drawn_slab, write_spider

from SpineNetCore.anatomy import Task, Vertebra
from SpineNetCore.command_line import main
from SpineNetCore.disc_volume import cut_disc_volume
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import DiscLabel, GradedScan, ScanFile, Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.hotspot_scorecard import patients
from SpineNetCore.learning.hotspot_scorecard.cases import Grader, LesionedDisc
from SpineNetCore.learning.hotspot_scorecard.patients import ENDPLATE_MM, patient_discs, unseen_slabs
from SpineNetCore.learning.localisation.cases import Case, slab_case
from SpineNetCore.localisation import NAMED_BY_READER, Spine, discs_between
from SpineNetCore.models import BUNDLED_MODELS, DETECTOR_FILE, save_network
from SpineNetCore.scan import mapped
from SpineNetCore.task_score import TaskScore

LABEL = DiscLabel(
    {
        Task.PFIRRMANN: frozenset({5}),
        Task.NARROWING: frozenset({2, 3, 4}),
        Task.UPPER_ENDPLATE: frozenset({1}),
        Task.LOWER_ENDPLATE: frozenset({1}),
    },
    marrow_changed=True,
)
LABELS = {"L3-L4": LABEL, "L4-L5": replace(LABEL, grades={**LABEL.grades, Task.UPPER_ENDPLATE: frozenset({0})})}


@pytest.fixture(scope="module")
def a_case() -> Case:
    """Four bodies, L2 to L5, with a disc below each."""
    return slab_case(drawn_slab(drawn_mask()))


def spine_of(case: Case, levels: tuple[str, ...] = ("L2", "L3", "L4", "L5")) -> Spine:
    """The drawn bodies where they are, called by these names."""
    vertebrae = tuple(
        Vertebra(level, mapped(case.scan.ras_from_ijk, np.column_stack([np.ones(4), corners])), 3.0, 1.0)
        for level, corners in zip(levels, CORNERS.astype(float), strict=True)
    )
    return Spine(vertebrae, discs_between(vertebrae, case.scan), NAMED_BY_READER, ())


@pytest.fixture
def found(a_case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawn slab is every patient's, its spine is found, and all of it is called as abnormal as can be."""
    monkeypatch.setattr(patients, "read_slab_case", lambda *_: a_case)
    monkeypatch.setattr(patients, "found_spine", lambda *_: spine_of(a_case))
    worst = tuple(TaskScore(task, task.grades[-1], (), 0.0) for task in Task)
    monkeypatch.setattr("SpineNetCore.learning.hotspot_scorecard.cases.score_discs", lambda *_, **__: [worst])


def discs_of_a_patient() -> list[LesionedDisc]:
    graded = GradedScan("5", Path("gradings.csv"), ScanFile(Path("5.nii.gz")), LABELS, Split.TEST)
    return list(patient_discs(graded, Path(), None, Grader(a_tiny_network())))  # type: ignore[arg-type]


@pytest.mark.usefixtures("found")
def test_grades_that_a_reader_shares_are_asked_for_on_labelled_discs() -> None:
    asked_for = {disc.level: [score.task for score in disc.scores] for disc in discs_of_a_patient()}

    assert asked_for == {
        "L3-L4": [Task.PFIRRMANN, Task.NARROWING, Task.UPPER_ENDPLATE, Task.LOWER_ENDPLATE],
        "L4-L5": [Task.PFIRRMANN, Task.NARROWING, Task.LOWER_ENDPLATE],
    }


@pytest.mark.usefixtures("found")
def test_each_endplate_reaches_three_millimetres_from_its_border_of_the_disc(a_case: Case) -> None:
    disc = next(disc for disc in discs_of_a_patient() if disc.level == "L3-L4")
    volume = cut_disc_volume(a_case.scan, next(one for one in spine_of(a_case).discs if one.level == "L3-L4"))
    middle = 4, slice(None), 111
    whole, _, upper, lower = (np.flatnonzero(lesion[middle]) for lesion in disc.lesions)

    def row_mm(row: float) -> float:
        """Millimetres below the first row of the scan."""
        return (
            float(mapped(np.linalg.inv(a_case.scan.ras_from_ijk) @ volume.ras_from_disc, np.array([4, row, 111]))[1])
            * SPACING_MM[1]
        )

    top_mm = (BODY_TOPS[2] - DISC_ROWS - 0.5) * SPACING_MM[1]
    bottom_mm = (BODY_TOPS[2] - 0.5) * SPACING_MM[1]
    within = pytest.approx
    assert [row_mm(whole[0]), row_mm(whole[-1])] == within([top_mm, bottom_mm], abs=0.5)
    assert [row_mm(upper[0]), row_mm(upper[-1])] == within([top_mm - ENDPLATE_MM, top_mm + ENDPLATE_MM], abs=0.5)
    assert [row_mm(lower[0]), row_mm(lower[-1])] == within([bottom_mm - ENDPLATE_MM, bottom_mm + ENDPLATE_MM], abs=0.5)


@pytest.mark.usefixtures("found")
def test_discs_that_the_detector_names_otherwise_than_the_mask_are_left_out(
    a_case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patients, "found_spine", lambda *_: spine_of(a_case, ("L1", "L2", "L3", "L4")))

    assert discs_of_a_patient() == []


@pytest.mark.usefixtures("found")
def test_a_slab_without_a_spine_has_no_disc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patients, "found_spine", lambda *_: None)

    assert discs_of_a_patient() == []


def test_only_slabs_of_patients_kept_out_of_training_are_measured_and_never_those_learned_from(tmp_path: Path) -> None:
    gradings = write_spider(tmp_path) / "radiological_gradings.csv"
    gradings.write_text(gradings.read_text("utf8") + "5,1,0,0,1,0,0,1,0,4\n18,1,0,0,1,0,0,1,0,4\n")
    slabs = unseen_slabs(tmp_path, LearnedPatients())

    assert "18" in {slab.patient for slab in slabs}
    assert all(isinstance(slab.image, ScanFile) and slab.split is not Split.TRAIN for slab in slabs)
    learned = LearnedPatients.of([replace(slabs[0], split=Split.TRAIN)], is_swapped=False)
    with pytest.raises(InputError, match=f"has learned from patient '{slabs[0].patient}'"):
        unseen_slabs(tmp_path, learned)


def test_the_command_measures_patients_by_what_is_known_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gradings = write_spider(tmp_path) / "radiological_gradings.csv"
    gradings.write_text(gradings.read_text("utf8") + "18,1,0,0,1,0,0,1,0,4\n")
    models = tmp_path / "models"
    models.mkdir()
    save_network(a_tiny_network(), models / "grader.safetensors")
    (models / DETECTOR_FILE).write_bytes((BUNDLED_MODELS / DETECTOR_FILE).read_bytes())

    def one_disc(graded: GradedScan, *_: object) -> Iterator[LesionedDisc]:
        return iter([a_lesioned_disc(f"patient {graded.patient}")])

    monkeypatch.setattr(patients, "patient_discs", one_disc)
    command = ["evaluate", "hotspots", "--spider", str(tmp_path), "--models", str(models), "--checked", "0"]
    assert main([*command, "--methods", "saliency", "--output", str(tmp_path / "out")]) == 0

    said = capsys.readouterr().out
    assert "pointing" in said
    assert "AUPRC" not in said
    assert "patient 18" in (tmp_path / "out" / "hotspots.csv").read_text("utf8")
    page = (tmp_path / "out" / "hotspots.html").read_text("utf8")
    assert "of patients kept out of the grader" in page
    assert "1 of 1 scans" in page
    assert DETECTOR_FILE in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--first", "3"], "--first 3 numbers phantoms"),
        (["--first", "3", "--implants"], "--first 3 numbers phantoms"),
        (["--implants", "--tasks", "pfirrmann", "narrowing"], "Lesions are drawn for endplates and marrow"),
        (["--implants"], "rightly finds nothing abnormal on 1 scans"),
        (["--phantoms", "20"], "not allowed with argument"),
        (["--tasks", "upper_marrow", "lower_marrow"], "does not tell on which side marrow is changed"),
        ([], "has no graded slab of a patient kept out of training"),
    ],
)
def test_what_patients_cannot_serve_is_refused(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_spider(tmp_path)
    try:
        code = main(["evaluate", "hotspots", "--spider", str(tmp_path), *options])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert said in capsys.readouterr().err


def test_implants_need_patients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "hotspots", "--implants"]) == 2
    assert "--implants draws into patients' discs: give --spider DIR" in capsys.readouterr().err


def test_a_folder_that_is_no_reduced_copy_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "hotspots", "--spider", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip()
    assert str(tmp_path) in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()
