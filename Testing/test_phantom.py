"""A phantom knows its own truth: what it says and what it shows agree."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from SpineNetCore.anatomy import DISC_LEVELS, VERTEBRA_LEVELS, Task, Vertebra
from SpineNetCore.learning.phantom import (
    Phantom,
    PhantomLabel,
    PhantomSettings,
    Prevalence,
    simulate,
    write_phantom,
)
from SpineNetCore.learning.phantom.grades import draw_grades
from SpineNetCore.scan import mapped
from SpineNetCore.scan_files import read_scan

SMALL = PhantomSettings(
    balanced=True,
    slices=(7, 9),
    few_slices_probability=0,
    in_plane_mm=(0.8, 0.8),
    height_mm=(300.0, 330.0),
    width_fraction=(0.7, 0.8),
    cut_off_probability=0,
    scoliosis_mm=(0.0, 2.0),
)
BINARY = (Task.UPPER_ENDPLATE, Task.LOWER_ENDPLATE, Task.UPPER_MARROW, Task.LOWER_MARROW)
BODY_LABELS = (PhantomLabel.BODY, PhantomLabel.S1)


@pytest.fixture(scope="module")
def phantoms() -> list[Phantom]:
    return [simulate(np.random.default_rng(seed), SMALL) for seed in range(4)]


def indices(phantom: Phantom, points: np.ndarray) -> np.ndarray:
    return mapped(phantom.scan.ijk_from_ras, points)


def mid_slice(phantom: Phantom, vertebra: Vertebra) -> int:
    nearest = round(float(indices(phantom, vertebra.centre_ras_mm)[0]))
    return int(np.clip(nearest, 0, len(phantom.labels) - 1))


def test_the_same_seed_gives_the_same_phantom(phantoms: list[Phantom]) -> None:
    again = simulate(np.random.default_rng(0), SMALL)
    assert np.array_equal(again.scan.voxels, phantoms[0].scan.voxels)
    assert np.array_equal(again.labels, phantoms[0].labels)
    assert [disc.grades for disc in again.discs] == [disc.grades for disc in phantoms[0].discs]


def test_another_seed_gives_another_patient(phantoms: list[Phantom]) -> None:
    first, second = (phantom.vertebrae[-1].corners_ras_mm for phantom in phantoms[:2])
    assert not np.allclose(first, second)


def test_slices_run_right_to_left_rows_to_the_feet_and_columns_to_the_back(phantoms: list[Phantom]) -> None:
    for phantom in phantoms:
        left, inferior, posterior = phantom.scan.ras_from_ijk[:3, :3].T
        assert np.argmax(np.abs(left)) == 0 and left[0] < 0
        assert np.argmax(np.abs(inferior)) == 2 and inferior[2] < 0
        assert np.argmax(np.abs(posterior)) == 1 and posterior[1] < 0


def test_vertebrae_are_named_without_a_gap_from_the_head_downwards(phantoms: list[Phantom]) -> None:
    for phantom in phantoms:
        levels = [vertebra.level for vertebra in phantom.vertebrae]
        first = VERTEBRA_LEVELS.index(levels[0])
        assert tuple(levels) == VERTEBRA_LEVELS[first : first + len(levels)]


def test_every_disc_between_two_vertebrae_has_its_truth(phantoms: list[Phantom]) -> None:
    for phantom in phantoms:
        levels = [vertebra.level for vertebra in phantom.vertebrae]
        between = {f"{upper}-{lower}" for upper, lower in pairwise(levels)}
        assert between <= {disc.level for disc in phantom.discs}


def test_corners_lie_on_the_border_of_their_body(phantoms: list[Phantom]) -> None:
    """As near as the rounding of the corners and the pixels' diagonal allow."""
    for phantom in phantoms:
        pixel_mm = phantom.scan.spacing_mm[1:]
        away = np.concatenate([corner_distances_mm(phantom, vertebra) for vertebra in phantom.vertebrae])
        assert away.max() < 2.0 + np.hypot(*pixel_mm)
        assert np.median(away) < 0.8 + np.hypot(*pixel_mm)


def corner_distances_mm(phantom: Phantom, vertebra: Vertebra) -> np.ndarray:
    """(4,) from each corner to the border of the labelled bodies."""
    body = np.isin(phantom.labels[mid_slice(phantom, vertebra)], BODY_LABELS)
    outside = ndimage.distance_transform_edt(~body, sampling=phantom.scan.spacing_mm[1:])
    inside = ndimage.distance_transform_edt(body, sampling=phantom.scan.spacing_mm[1:])
    rows, columns = indices(phantom, vertebra.corners_ras_mm)[:, 1:].round().astype(int).T
    return np.asarray((outside + inside)[rows, columns])


def test_a_body_fills_its_quadrilateral_and_stays_within_it(phantoms: list[Phantom]) -> None:
    for phantom in phantoms:
        centres = np.array([indices(phantom, vertebra.centre_ras_mm)[1:] for vertebra in phantom.vertebrae])
        for which, vertebra in enumerate(phantom.vertebrae[1:], start=1):
            corners = indices(phantom, vertebra.corners_ras_mm)[:, 1:]
            pixels = np.argwhere(np.isin(phantom.labels[mid_slice(phantom, vertebra)], BODY_LABELS))
            nearest = np.linalg.norm(pixels[:, None] - centres[None], axis=2).argmin(axis=1)
            own = pixels[nearest == which]
            assert outside_quadrilateral(own, corners).max() * phantom.scan.spacing_mm[1] < 1.5
            assert len(own) > 0.6 * area(corners)


def outside_quadrilateral(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Largest signed distance from the four sides, in pixels; corners in order AS, PS, PI, AI of (row, column)."""
    sides = np.roll(corners, -1, axis=0) - corners
    normals = np.stack([-sides[:, 1], sides[:, 0]], axis=1) / np.linalg.norm(sides, axis=1)[:, None]
    return np.max(np.einsum("psk,sk->ps", points[:, None] - corners[None], normals), axis=1)


def area(corners: np.ndarray) -> float:
    rows, columns = corners.T
    return abs(float(rows @ np.roll(columns, 1) - columns @ np.roll(rows, 1))) / 2


def test_the_centre_of_a_disc_lies_in_a_disc(phantoms: list[Phantom]) -> None:
    for phantom in phantoms:
        for disc in phantom.discs:
            k, row, column = indices(phantom, disc.centre_ras_mm).round().astype(int)
            around = phantom.labels[np.clip(k, 0, len(phantom.labels) - 1), row - 2 : row + 3, column - 1 : column + 2]
            assert (around == PhantomLabel.DISC).any()


def test_a_lesion_is_there_exactly_when_its_grade_says_so(phantoms: list[Phantom]) -> None:
    for phantom in phantoms:
        for disc in phantom.discs:
            for task in Task:
                abnormal = disc.grades[task] > task.grades[0]
                assert phantom.lesion_mask(disc, task).any() == abnormal, (disc.level, task)


def test_upper_lesions_lie_above_the_disc_and_lower_ones_below(phantoms: list[Phantom]) -> None:
    for phantom in phantoms:
        vertebrae = {vertebra.level: vertebra for vertebra in phantom.vertebrae}
        for disc in phantom.discs:
            upper = vertebrae.get(disc.level.split("-")[0])
            for task in BINARY:
                places = np.argwhere(phantom.lesion_mask(disc, task))
                if upper is None or len(places) == 0:
                    continue
                axis = indices(phantom, upper.centre_ras_mm) - indices(phantom, disc.centre_ras_mm)
                height = ((places - indices(phantom, disc.centre_ras_mm)) * (0, *axis[1:])).sum(axis=1).mean()
                assert (height > 0) == task.value.startswith("upper"), (disc.level, task)


def test_an_endplate_defect_is_filled_with_disc(phantoms: list[Phantom]) -> None:
    for phantom in phantoms:
        for task in (Task.UPPER_ENDPLATE, Task.LOWER_ENDPLATE):
            assert np.isin(phantom.labels[phantom.lesions[task] > 0], (PhantomLabel.DISC,)).mean() > 0.9


def test_changed_marrow_is_inside_bodies(phantoms: list[Phantom]) -> None:
    for phantom in phantoms:
        for task in (Task.UPPER_MARROW, Task.LOWER_MARROW):
            assert np.isin(phantom.labels[phantom.lesions[task] > 0], BODY_LABELS).all()


def test_narrowing_is_the_height_that_was_lost(phantoms: list[Phantom]) -> None:
    limits = {1: (-0.07, 0.10), 2: (0.10, 1 / 3), 3: (1 / 3, 0.6), 4: (0.6, 1.0)}
    for phantom in phantoms:
        for disc in phantom.discs:
            least, most = limits[disc.grades[Task.NARROWING]]
            assert least <= 1 - disc.height_mm / disc.normal_height_mm <= most


def test_the_height_of_a_disc_is_the_height_of_its_label(phantoms: list[Phantom]) -> None:
    errors = [
        measured_height_mm(phantom, disc.centre_ras_mm, disc.level) - disc.height_mm
        for phantom in phantoms
        for disc in phantom.discs
        if disc.grades[Task.UPPER_ENDPLATE] + disc.grades[Task.LOWER_ENDPLATE] == 0
    ]
    assert abs(float(np.nanmedian(errors))) < 0.8
    assert float(np.nanpercentile(np.abs(errors), 90)) < 2.2


def measured_height_mm(phantom: Phantom, centre_ras_mm: np.ndarray, level: str) -> float:
    """Length of disc along the line between the centres of both bodies."""
    ends = [v.centre_ras_mm for v in phantom.vertebrae if v.level in level.split("-")]
    if len(ends) < 2:
        return float("nan")
    step = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    line = centre_ras_mm + np.arange(-14, 14, 0.1)[:, None] * step
    places = indices(phantom, line).round().astype(int)
    places[:, 0] = np.clip(places[:, 0], 0, len(phantom.labels) - 1)
    return 0.1 * float((phantom.labels[tuple(places.T)] == PhantomLabel.DISC).sum())


def test_a_healthy_nucleus_is_brighter_than_a_worn_one(phantoms: list[Phantom]) -> None:
    signal: dict[int, list[float]] = {grade: [] for grade in Task.PFIRRMANN.grades}
    for phantom in phantoms:
        fluid = np.percentile(phantom.scan.voxels[phantom.labels == PhantomLabel.CANAL], 75)
        for disc in phantom.discs:
            k, row, column = indices(phantom, disc.centre_ras_mm).round().astype(int)
            nucleus = phantom.scan.voxels[np.clip(k, 0, len(phantom.labels) - 1), row, column - 4 : column + 5]
            signal[disc.grades[Task.PFIRRMANN]].append(float(nucleus.mean() / fluid))
    medians = [np.median(signal[grade]) for grade in Task.PFIRRMANN.grades]
    assert medians[0] > medians[2] > medians[3]
    assert min(signal[1]) > max(signal[5])


def test_grades_occur_as_often_as_the_paper_says() -> None:
    drawn = lumbar_grades(PhantomSettings(), 1500)
    frequency = {task: [float(np.mean(drawn[task] == grade)) for grade in task.grades] for task in Task}
    assert frequency[Task.PFIRRMANN] == pytest.approx([0.32, 0.15, 0.23, 0.20, 0.10], abs=0.03)
    assert frequency[Task.NARROWING] == pytest.approx([0.60, 0.12, 0.18, 0.10], abs=0.03)
    for task, abnormal in zip(BINARY, (0.09, 0.09, 0.15, 0.15), strict=True):
        assert frequency[task][1] == pytest.approx(abnormal, abs=0.025)


def test_the_lowest_discs_are_the_most_worn() -> None:
    rng = np.random.default_rng(1)
    patients = [draw_grades(rng, PhantomSettings()) for _ in range(400)]
    worn = {level: np.mean([patient[level][Task.PFIRRMANN] for patient in patients]) for level in DISC_LEVELS}
    assert min(worn["L4-L5"], worn["L5-S1"]) > max(worn["T12-L1"], worn["L1-L2"], worn["L2-L3"])


def test_balanced_grades_are_about_even() -> None:
    drawn = lumbar_grades(PhantomSettings(balanced=True), 800)
    for grade in Task.PFIRRMANN.grades:
        assert np.mean(drawn[Task.PFIRRMANN] == grade) == pytest.approx(0.2, abs=0.04)
    for task in BINARY:
        assert np.mean(drawn[task]) == pytest.approx(0.5, abs=0.05)


def test_asked_prevalences_are_kept() -> None:
    healthy = Prevalence(pfirrmann=(1.0, 0.0, 0.0, 0.0, 0.0), upper_endplate=0.0, lower_marrow=1.0)
    drawn = lumbar_grades(PhantomSettings(prevalence=healthy), 50)
    assert (drawn[Task.PFIRRMANN] == 1).all() and (drawn[Task.NARROWING] == 1).all()
    assert not drawn[Task.UPPER_ENDPLATE].any() and drawn[Task.LOWER_MARROW].all()


def lumbar_grades(settings: PhantomSettings, patients: int) -> dict[Task, np.ndarray]:
    rng = np.random.default_rng(0)
    drawn = [
        patient[level] for patient in (draw_grades(rng, settings) for _ in range(patients)) for level in DISC_LEVELS
    ]
    return {task: np.array([grades[task] for grades in drawn]) for task in Task}


def test_one_slice_is_enough_for_a_phantom() -> None:
    phantom = simulate(np.random.default_rng(3), PhantomSettings(slices=(1, 1), in_plane_mm=(1.0, 1.0)))
    assert phantom.scan.voxels.shape[0] == 1
    assert len(phantom.vertebrae) >= 4


def test_a_detectors_phantom_can_be_drawn() -> None:
    phantom = simulate(np.random.default_rng(4), PhantomSettings.for_detector())
    assert np.isfinite(phantom.scan.voxels).all() and phantom.scan.voxels.max() > 0


def test_a_written_phantom_reads_back_as_itself(phantoms: list[Phantom], tmp_path: Path) -> None:
    write_phantom(phantoms[0], tmp_path, "seed0")
    scan = read_scan(tmp_path / "seed0.nii.gz")
    truth = json.loads((tmp_path / "seed0_truth.json").read_text("utf-8"))
    assert np.array_equal(scan.voxels, phantoms[0].scan.voxels)
    assert np.allclose(scan.ras_from_ijk, phantoms[0].scan.ras_from_ijk, atol=1e-3)
    assert [disc["grades"]["pfirrmann"] for disc in truth["discs"]] == [
        disc.grades[Task.PFIRRMANN] for disc in phantoms[0].discs
    ]


def test_a_phantom_written_anew_and_stopped_half_way_has_no_truth_to_vouch_for_it(
    phantoms: list[Phantom], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_phantom(phantoms[0], tmp_path, "seed0")
    real, moved = Path.replace, []

    def stopped_at_the_third(path: Path, target: Path) -> Path:
        moved.append(path.name)
        if len(moved) == 3:
            raise KeyboardInterrupt
        return real(path, target)

    monkeypatch.setattr(Path, "replace", stopped_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_phantom(phantoms[0], tmp_path, "seed0")
    assert (tmp_path / "seed0.nii.gz").exists()
    assert not (tmp_path / "seed0_truth.json").exists()
