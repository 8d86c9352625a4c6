from __future__ import annotations

import numpy as np
import pytest
from grader_making import a_disc

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.datasets.prepared import CutDisc
from SpineNetCore.learning.implants import implanted, implanted_discs

ENDPLATES = np.array([[[80.0, 103], [80, 216]], [[110, 103], [110, 216]]])
NORMAL = {task: {task.grades[0]} for task in Task}
SEEDS = range(40)


def shown(disc):
    """The disc with a picture: marrow, and between its endplates a dark disc with a brighter nucleus."""
    disc.slices[:] = 128
    disc.slices[:, 80:111, 103:217] = 25
    disc.slices[:, 85:106, 120:200] = 90
    return disc


def nucleus(disc):
    return disc.slices[:, 94:97, 140:180]


def drawn(labels, seed, slices=3):
    disc = shown(a_disc(labels, slices=slices))
    return disc, implanted(np.random.default_rng(seed), disc, ENDPLATES)


def grades(disc, task):
    return disc.label.grades.get(task, frozenset())


def test_normal_discs_get_every_lesion_and_the_labels_tell():
    found = {task: set() for task in Task}
    for seed in SEEDS:
        disc, one = drawn(NORMAL, seed)
        if one is None:
            continue
        for task in Task:
            found[task] |= grades(one.disc, task)
        assert grades(one.disc, Task.PFIRRMANN) in ({1}, {4, 5})
        if grades(one.disc, Task.NARROWING) != {4}:  # dents may bend such a disc out of its place
            is_darker = nucleus(one.disc).mean() < nucleus(disc).mean() - 30
            assert is_darker == (grades(one.disc, Task.PFIRRMANN) == {4, 5})
        lesioned = {lesion.task for lesion in one.lesions}
        assert lesioned == {task for task in Task if task.is_binary and grades(one.disc, task) == {1}}
    assert found[Task.NARROWING] == {1, 2, 3, 4}
    assert all(found[task] == {0, 1} for task in Task if task.is_binary)


def test_what_readers_call_abnormal_or_nothing_keeps_its_label_and_is_not_tested():
    labels = {Task.NARROWING: {2, 3, 4}, Task.UPPER_ENDPLATE: {1}, Task.LOWER_MARROW: {0}, Task.PFIRRMANN: {3, 4}}
    ones = [one for seed in SEEDS for _, one in [drawn(labels, seed)] if one is not None]
    assert ones
    for one in ones:
        assert {task: set(known) for task, known in one.disc.label.grades.items()} == labels | {Task.LOWER_MARROW: {1}}
        assert {task: set(known) for task, known in one.tested.label.grades.items()} == {Task.LOWER_MARROW: {1}}
        assert [lesion.task for lesion in one.lesions] == [Task.LOWER_MARROW]


@pytest.mark.parametrize("slices", [1, 5])
def test_a_lesion_lies_where_the_picture_changed(slices):
    for seed in SEEDS:
        disc, one = drawn({Task.UPPER_MARROW: {0}}, seed, slices)
        if one is not None:
            changed = np.abs(one.disc.context() - disc.context())
            mask = one.lesions[0].mask()
            assert changed[mask].mean() > 4 * changed[~mask].mean()
            assert mask[: disc.first].sum() == mask[disc.first + slices :].sum() == 0


def test_a_disc_that_nobody_called_normal_is_not_drawn_into():
    assert all(drawn({Task.PFIRRMANN: {4}, Task.NARROWING: {2, 3, 4}}, seed)[1] is None for seed in SEEDS)


def test_every_version_is_drawn_otherwise_and_the_same_seed_draws_alike():
    disc = shown(a_disc(NORMAL, slices=3))
    cut = CutDisc(disc.level, disc.slices, disc.first, ENDPLATES)
    first, again, other = (
        [one.disc.slices for one in implanted_discs([(cut, disc)] * 2, variants=2, seed=seed)] for seed in (0, 0, 1)
    )
    assert all(np.array_equal(one, same) for one, same in zip(first, again, strict=True))
    pictures = [picture.tobytes() for picture in (*first, *other)]
    assert len(set(pictures)) == len(pictures) > 4
