from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from spider_making import drawn_mask, drawn_slab

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.learning import evaluation
from SpineNetCore.learning.disc_examples import MOST_GRADES, DiscExample
from SpineNetCore.learning.evaluation import (
    Localised,
    NamedDiscs,
    grading_accuracy,
    localisation_accuracy,
    phantom_truth,
    slab_truth,
)
from SpineNetCore.learning.phantom import Phantom, simulate
from SpineNetCore.learning.spider import MASK_DISC
from SpineNetCore.localisation import Spine, discs_between
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.scan import mapped
from SpineNetCore.scores import TaskScore
from SpineNetCore.vertebra_network import VertebraNetwork


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return simulate(np.random.default_rng(4))


def found_as(monkeypatch: pytest.MonkeyPatch, spine: Spine) -> None:
    monkeypatch.setattr(evaluation, "find_spine", lambda *_: spine)


def test_the_lowest_disc_of_a_slab_is_l5_s1_and_the_others_count_upwards() -> None:
    truth = slab_truth(drawn_slab(drawn_mask())).discs
    rows = {number: np.argwhere(truth == number)[:, 1].mean() for number in np.unique(truth) if number}
    assert max(rows, key=lambda number: rows[number]) == len(DISC_LEVELS)
    assert sorted(rows, key=lambda number: rows[number]) == sorted(rows)


def test_a_disc_worn_through_in_the_middle_stays_one_disc() -> None:
    slab = drawn_slab(drawn_mask())
    whole = slab_truth(slab).discs
    mask = slab.mask.copy()
    columns = np.nonzero((mask == MASK_DISC).any(axis=(0, 1)))[0]
    mask[:, :, int(columns.mean())][mask[:, :, int(columns.mean())] == MASK_DISC] = 0
    split = slab_truth(replace(slab, mask=mask)).discs
    assert np.array_equal(split, whole * (mask == MASK_DISC))


def test_every_true_centre_of_a_phantom_lies_in_its_own_disc(phantom: Phantom) -> None:
    truth = phantom_truth(phantom).discs
    for disc in phantom.discs:
        place = tuple(np.rint(mapped(phantom.scan.ijk_from_ras, disc.centre_ras_mm)).astype(int))
        expected = DISC_LEVELS.index(disc.level) + 1 if disc.level in DISC_LEVELS else 0
        assert truth[place] == expected


def test_the_truth_itself_is_found_and_named_without_fault(phantom: Phantom, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = phantom_truth(phantom)
    found_as(monkeypatch, Spine(phantom.vertebrae, discs_between(phantom.vertebrae, phantom.scan), 1.0, ()))
    measured = localisation_accuracy([truth], VertebraNetwork())
    assert measured.discs == measured.found == measured.named == len(set(np.unique(truth.discs)) - {0})
    assert measured.false == 0


def test_names_off_by_one_are_found_but_not_rightly_named(phantom: Phantom, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [vertebra.level for vertebra in phantom.vertebrae]
    shifted = tuple(replace(v, level=name) for v, name in zip(phantom.vertebrae[:-1], names[1:], strict=True))
    found_as(monkeypatch, Spine(shifted, discs_between(shifted, phantom.scan), 1.0, ()))
    measured = localisation_accuracy([phantom_truth(phantom)], VertebraNetwork())
    assert measured.named == 0
    assert measured.found > 0


def test_a_centre_outside_every_disc_is_false(phantom: Phantom, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = NamedDiscs(phantom.scan, np.zeros_like(phantom.labels))
    found_as(monkeypatch, Spine(phantom.vertebrae, discs_between(phantom.vertebrae, phantom.scan), 1.0, ()))
    measured = localisation_accuracy([empty], VertebraNetwork())
    assert measured == Localised(0, 0, 0, false=len(discs_between(phantom.vertebrae, phantom.scan)))


def test_a_scan_without_a_recognisable_spine_has_all_its_discs_missed(phantom: Phantom) -> None:
    torch.manual_seed(0)
    truth = phantom_truth(phantom)
    black = NamedDiscs(replace(phantom.scan, voxels=np.zeros_like(phantom.scan.voxels)), truth.discs)
    untrained = VertebraNetwork().eval()
    torch.nn.init.constant_(untrained.tissue.weight, 0)
    torch.nn.init.constant_(untrained.tissue.bias, 0)
    assert localisation_accuracy([black], untrained) == Localised(len(np.unique(truth.discs)) - 1, 0, 0, 0)


def labelled(grades: dict[Task, set[int]], marrow_changed: bool = False) -> DiscExample:
    admissible = np.zeros((len(Task), MOST_GRADES), dtype=bool)
    for row, task in enumerate(Task):
        for grade in grades.get(task, set()):
            admissible[row, task.grades.index(grade)] = True
    return DiscExample("1", "L4-L5", np.ones((1, 192, 320), np.uint8), 6, admissible, marrow_changed)


def said(pfirrmann: int, narrowing: int, upper_marrow: int) -> tuple[TaskScore, ...]:
    grades = {Task.PFIRRMANN: pfirrmann, Task.NARROWING: narrowing, Task.UPPER_MARROW: upper_marrow}
    return tuple(
        TaskScore(
            task, chosen, tuple(0.9 if grade == chosen else 0.1 / (len(task.grades) - 1) for grade in task.grades), 0
        )
        for task in Task
        for chosen in [grades.get(task, 0)]
    )


def test_accuracies_are_those_counted_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    narrowed = {2, 3, 4}
    truths = [
        labelled({Task.PFIRRMANN: {1}, Task.NARROWING: {1}, Task.UPPER_MARROW: {0}, Task.LOWER_MARROW: {0}}),
        labelled({Task.PFIRRMANN: {1}, Task.NARROWING: {1}, Task.UPPER_MARROW: {0}, Task.LOWER_MARROW: {0}}),
        labelled({Task.PFIRRMANN: {3}, Task.NARROWING: narrowed}, marrow_changed=True),
        labelled({Task.PFIRRMANN: {5}, Task.NARROWING: narrowed}, marrow_changed=True),
    ]
    answers = iter([said(1, 1, 0), said(2, 2, 0), said(3, 3, 1), said(3, 1, 0)])
    monkeypatch.setattr(evaluation, "score_discs", lambda *_: [next(answers)])
    grader = GradingNetwork(NetworkConfig(fc6=2, fc7=2, conv_widths=(2, 2, 2, 2, 2)))
    measured = {row.measure: row for row in grading_accuracy(truths, grader)}
    assert measured["pfirrmann"].balanced == pytest.approx((0.5 + 1 + 0) / 3)
    assert measured["pfirrmann"].within_one == pytest.approx(3 / 4)
    assert measured["narrowing (binary)"].balanced == pytest.approx((0.5 + 0.5) / 2)
    assert measured["marrow, either side"].balanced == pytest.approx((1 + 0.5) / 2)
