from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from full_disk import a_full_disk

from SpineNetCore.disc_volume import CONTEXT_SHAPE
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets import prepared
from SpineNetCore.learning.datasets.graded_scans import GradedScan, PictureFile, ScanFile
from SpineNetCore.learning.datasets.prepared import CutDisc, PreparedDiscs


class Cutter:
    """Cuts the same discs every time and counts how often."""

    def __init__(self, discs: Sequence[CutDisc]) -> None:
        self.discs, self.times = discs, 0

    def __call__(self) -> Sequence[CutDisc]:
        self.times += 1
        return self.discs


@pytest.fixture
def scan(tmp_path) -> GradedScan:
    for name in ("scan.nii", "mask.nii"):
        (tmp_path / name).write_text(name)
    return GradedScan("anna", Path("t.csv"), ScanFile(tmp_path / "scan.nii", tmp_path / "mask.nii"), {})


@pytest.fixture
def cutter() -> Cutter:
    rng = np.random.default_rng(0)
    shapes = ((3, *CONTEXT_SHAPE[1:]), (1, *CONTEXT_SHAPE[1:]))
    return Cutter(
        [
            CutDisc(f"L{4 - k}-L5", rng.integers(0, 256, shape, dtype=np.uint8), 5 + k, rng.uniform(0, 99, (2, 2, 2)))
            for k, shape in enumerate(shapes)
        ]
    )


@pytest.fixture
def store(tmp_path) -> PreparedDiscs:
    return PreparedDiscs(tmp_path / "discs", "abc")


def are_equal(some: Sequence[CutDisc], others: Sequence[CutDisc]) -> bool:
    return all(
        (one.level, one.first) == (other.level, other.first)
        and np.array_equal(one.slices, other.slices)
        and np.array_equal(one.endplates, other.endplates)
        for one, other in zip(some, others, strict=True)
    )


def the_file(store: PreparedDiscs) -> Path:
    (path,) = store.folder.iterdir()
    return path


def test_discs_are_cut_once_and_read_back_as_they_were(store, scan, cutter):
    first, second = store.discs(scan, cutter), store.discs(scan, cutter)

    assert cutter.times == 1
    assert are_equal(first, cutter.discs)
    assert are_equal(second, cutter.discs)
    assert [type(disc.first) for disc in second] == [int, int]


def test_that_a_scan_has_no_discs_is_kept_too(store, scan):
    nothing = Cutter([])

    assert store.discs(scan, nothing) == store.discs(scan, nothing) == []
    assert nothing.times == 1


@pytest.mark.parametrize("name", ["scan.nii", "mask.nii"])
def test_a_changed_file_is_cut_again(store, scan, cutter, tmp_path, name):
    store.discs(scan, cutter)
    (tmp_path / name).write_text("changed")
    store.discs(scan, cutter)

    assert cutter.times == 2


@pytest.mark.parametrize(("header", "voxels"), [("scan.mhd", "scan.raw"), ("scan.nhdr", "scan.raw")])
def test_voxels_that_lie_beside_their_header_count_too(store, cutter, tmp_path, header, voxels):
    scan = GradedScan("anna", Path("t.csv"), ScanFile(tmp_path / header), {})
    for brightness in (1, 2):
        sitk.WriteImage(sitk.GetImageFromArray(np.full((3, 4, 5), brightness, np.int16)), str(tmp_path / header))
        headers = (tmp_path / header).read_bytes()
        store.discs(scan, cutter)

    assert cutter.times == 2
    assert (tmp_path / voxels).exists()
    assert headers == (tmp_path / header).read_bytes()


def test_another_detector_or_version_or_spacing_cuts_again(store, scan, cutter, monkeypatch):
    picture = PictureFile(scan.image.path, 0.5, 6)
    store.discs(replace(scan, image=picture), cutter)
    store.discs(replace(scan, image=replace(picture, spacing_mm=0.6)), cutter)
    store.discs(scan, cutter)
    replace(store, detector_digest="def").discs(scan, cutter)
    monkeypatch.setattr(prepared, "VERSION", prepared.VERSION + 1)
    store.discs(scan, cutter)

    assert cutter.times == 5


def test_a_moved_file_and_other_labels_cut_nothing_again(store, scan, cutter, tmp_path):
    store.discs(scan, cutter)
    moved = scan.image.path.rename(tmp_path / "moved.nii")
    store.discs(replace(scan, patient="bert", image=replace(scan.image, path=moved)), cutter)

    assert cutter.times == 1


def test_a_folder_of_files_counts_as_all_of_them(store, cutter, tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    (folder / "1.dcm").write_text("one")
    (folder / "stray.mhd").write_text("a header without its voxels")
    scan = GradedScan("anna", Path("t.csv"), ScanFile(folder), {})
    store.discs(scan, cutter)
    (folder / "2.dcm").write_text("two")
    store.discs(scan, cutter)

    assert cutter.times == 2


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:50] + b"?" + b[51:], lambda b: b""])
def test_a_broken_file_is_noticed_and_made_again(store, scan, cutter, caplog, damage):
    store.discs(scan, cutter)
    path = the_file(store)
    path.write_bytes(damage(path.read_bytes()))

    assert are_equal(store.discs(scan, cutter), cutter.discs)
    assert cutter.times == 2
    assert f"'{path}' is broken and is made again" in caplog.text
    assert are_equal(store.discs(scan, cutter), cutter.discs)
    assert cutter.times == 2


def test_what_was_finished_stays_when_the_work_is_stopped(store, scan, cutter, tmp_path):
    store.discs(scan, cutter)
    other = tmp_path / "other.nii"
    other.write_text("other")

    def stopped() -> Sequence[CutDisc]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.discs(replace(scan, image=ScanFile(other)), stopped)
    store.discs(scan, cutter)

    assert cutter.times == 1


def test_a_full_disk_is_said_and_leaves_nothing_half_written(store, scan, cutter):
    said = r"discs' cannot be written \(.*\): make room or choose another folder, then"
    with a_full_disk(10_000), pytest.raises(InputError, match=said):
        store.discs(scan, cutter)

    assert list(store.folder.iterdir()) == []
