from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from full_disk import a_full_disk
from grader_making import a_disc
from spider_making import examples_of, write_spider

from SpineNetCore.anatomy import Task, Vertebra
from SpineNetCore.disc_volume import CONTEXT_SHAPE, cut_disc_volume
from SpineNetCore.errors import InputError
from SpineNetCore.learning import disc_examples
from SpineNetCore.learning.disc_examples import (
    MOST_GRADES,
    DiscExample,
    found_phantom_examples,
    load_examples,
    phantom_examples,
    save_examples,
)
from SpineNetCore.learning.phantom import Phantom, PhantomSettings, simulate
from SpineNetCore.learning.self_labelling import ReadPicture
from SpineNetCore.localisation import NAMED_BY_READER, Spine, discs_between
from SpineNetCore.scan import Scan, mapped, with_averaged_slices
from SpineNetCore.vertebra_network import VertebraNetwork
from SpineNetCore.views import FixedView

SETTINGS = PhantomSettings(slices=(4, 4), few_slices_probability=0, in_plane_mm=(1.1, 1.1), cut_off_probability=0)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return simulate(np.random.default_rng(0), SETTINGS)


@pytest.fixture(scope="module")
def detector() -> VertebraNetwork:
    return VertebraNetwork()


def an_example(slices: int, marrow_changed: bool = False) -> DiscExample:
    rng = np.random.default_rng(slices)
    voxels = rng.integers(0, 256, (slices, *CONTEXT_SHAPE[1:]), dtype=np.uint8)
    admissible = rng.random((len(Task), MOST_GRADES)) < 0.5
    return DiscExample(f"patient {slices}", "L3-L4", voxels, 6 - slices // 2, admissible, marrow_changed)


def a_spine(scan: Scan) -> Spine:
    """L4, L5 and S1 upright in the middle of a scan."""
    slices, rows, columns = scan.voxels.shape
    front, back = 0.3 * columns, 0.7 * columns
    vertebrae = []
    for level, share in zip(("L4", "L5", "S1"), (0.1, 0.4, 0.7), strict=True):
        top, bottom = share * rows, (share + 0.2) * rows
        ijk = [[(slices - 1) / 2, *corner] for corner in ((top, front), (top, back), (bottom, back), (bottom, front))]
        vertebrae.append(Vertebra(level, mapped(scan.ras_from_ijk, np.array(ijk)), 20.0, 1.0))
    return Spine(tuple(vertebrae), discs_between(tuple(vertebrae), scan), NAMED_BY_READER, ())


def are_equal(one: DiscExample, other: DiscExample) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True))


def admitted(example: DiscExample, task: Task) -> set[int]:
    row = example.admissible[list(Task).index(task)]
    assert not row[len(task.grades) :].any()
    return {grade for grade, is_admitted in zip(task.grades, row, strict=False) if is_admitted}


def test_saved_examples_are_loaded_as_they_were(tmp_path):
    examples = [an_example(1), an_example(13, marrow_changed=True), an_example(4)]
    save_examples(examples, tmp_path / "kept.discs")
    loaded = load_examples(tmp_path / "kept.discs")

    assert len(loaded) == 3
    assert all(are_equal(one, other) for one, other in zip(examples, loaded, strict=True))
    assert [(type(e.first), type(e.marrow_changed), e.slices.dtype) for e in loaded] == [(int, bool, np.uint8)] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["kept.discs"]


def test_examples_that_fill_the_disk_are_refused_and_leave_those_before(tmp_path):
    save_examples([an_example(1)], tmp_path / "kept.discs")
    with a_full_disk(100_000), pytest.raises(InputError, match=r"kept.discs' cannot be written \(.*\): make room"):
        save_examples([an_example(13)], tmp_path / "kept.discs")

    assert len(load_examples(tmp_path / "kept.discs")[0].slices) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept.discs"]


def test_a_context_has_its_slices_where_they_were_and_nothing_elsewhere():
    example = an_example(4)
    context = example.context()

    assert context.shape == CONTEXT_SHAPE
    assert context.dtype == np.float32
    assert np.array_equal(np.rint(context[4:8] * 255), example.slices)
    assert not context[:4].any()
    assert not context[8:].any()


def test_a_disc_turned_over_shows_and_says_below_what_was_above():
    disc = a_disc({Task.PFIRRMANN: {4}, Task.UPPER_ENDPLATE: {1}, Task.LOWER_ENDPLATE: {0}, Task.UPPER_MARROW: {0, 1}})
    expected = a_disc(
        {Task.PFIRRMANN: {4}, Task.UPPER_ENDPLATE: {0}, Task.LOWER_ENDPLATE: {1}, Task.LOWER_MARROW: {0, 1}}
    )
    turned = disc.turned_over()
    window = FixedView().cut(torch.from_numpy(disc.context()))

    assert turned.admissible.tolist() == expected.admissible.tolist()
    assert torch.equal(FixedView().cut(torch.from_numpy(turned.context())), window.flip(1))
    assert turned.turned_over().context().tolist() == disc.context().tolist()


def test_a_phantoms_discs_carry_its_own_grades(phantom):
    examples = list(phantom_examples(phantom, "phantom 0"))
    truths = {disc.level: disc.grades for disc in phantom.discs}

    assert len(examples) >= 5
    for example in examples:
        assert example.patient == "phantom 0"
        assert not example.marrow_changed
        assert {task: admitted(example, task) for task in Task} == {
            task: {grade} for task, grade in truths[example.level].items()
        }


def test_a_packed_disc_is_its_volume_in_eight_bits(phantom):
    thick = with_averaged_slices(phantom.scan)
    discs = {disc.level: disc for disc in discs_between(phantom.vertebrae, phantom.scan)}
    for example in phantom_examples(phantom, "phantom 0"):
        context = cut_disc_volume(thick, discs[example.level]).context
        assert np.abs(example.context() - context).max() <= 0.5 / 255 + 1e-6


def test_discs_of_a_phantom_are_cut_where_the_detector_finds_them(phantom, detector, monkeypatch):
    truth = Spine(phantom.vertebrae, discs_between(phantom.vertebrae, phantom.scan), NAMED_BY_READER, ())
    fewer = replace(truth, discs=truth.discs[-2:])
    monkeypatch.setattr(disc_examples, "find_spine", lambda *_: fewer)
    found = list(found_phantom_examples(phantom, "phantom 0", detector))

    assert all(
        are_equal(one, other)
        for one, other in zip(found, list(phantom_examples(phantom, "phantom 0"))[-2:], strict=True)
    )


def no_spine(*_):
    raise InputError("No lumbar spine was found on 'phantom': choose another.")


def test_a_phantom_without_a_recognisable_spine_gives_no_discs(phantom, detector, monkeypatch):
    monkeypatch.setattr(disc_examples, "find_spine", no_spine)

    assert list(found_phantom_examples(phantom, "phantom 0", detector)) == []


def read(picture, discs_in_view, _) -> ReadPicture:
    assert discs_in_view == {1: 6, 4: 8, 35: 7}[picture.patient]
    return ReadPicture(picture.scan, a_spine(picture.scan))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Every spine of a SPIDER folder is found, save on the slabs."""
    monkeypatch.setattr(disc_examples, "read_picture", read)
    monkeypatch.setattr(disc_examples, "find_spine", no_spine)
    return write_spider(tmp_path)


@pytest.mark.parametrize(
    ("kept_out", "discs"), [(False, [("1", "L4-L5"), ("1", "L5-S1")]), (True, [("4", "L5-S1")])], ids=["seen", "kept"]
)
def test_graded_discs_of_the_asked_patients_become_examples(folder, detector, kept_out, discs):
    assert [(e.patient, e.level) for e in examples_of(folder, detector, kept_out)] == discs


def test_discs_of_spider_carry_what_their_label_admits(folder, detector):
    upper, lower = examples_of(folder, detector, kept_out=False)

    assert admitted(upper, Task.UPPER_MARROW) == admitted(upper, Task.LOWER_MARROW) == {0}
    assert not upper.marrow_changed
    assert admitted(lower, Task.PFIRRMANN) == {5}
    assert admitted(lower, Task.NARROWING) == {2, 3, 4}
    assert admitted(lower, Task.UPPER_MARROW) == admitted(lower, Task.LOWER_MARROW) == set()
    assert lower.marrow_changed
    assert lower.first == CONTEXT_SHAPE[0] // 2
    assert len(lower.slices) == 1


def test_discs_of_slabs_become_examples_too(folder, detector, monkeypatch):
    monkeypatch.setattr(disc_examples, "read_picture", lambda *_: None)
    monkeypatch.setattr(disc_examples, "find_spine", lambda scan, *_: a_spine(scan))
    gradings = folder / "radiological_gradings.csv"
    gradings.write_text(gradings.read_text(encoding="utf8") + "5,1,0,0,0,0,0,0,0,4\n", encoding="utf8")
    (example,) = examples_of(folder, detector, kept_out=False)

    assert (example.patient, example.level) == ("5", "L5-S1")
    assert admitted(example, Task.PFIRRMANN) == {4}
    assert len(example.slices) > 1
