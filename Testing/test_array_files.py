from __future__ import annotations

import numpy as np
import pytest
from full_disk import a_full_disk

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.array_files import in_one, one_by_one, read_arrays, write_arrays

ARRAYS = {"numbers": np.arange(12, dtype=np.int16).reshape(3, 4), "names": np.array(["L4-L5", "L5-S1"])}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept" / "one.discs"


def test_arrays_are_read_as_they_were_written(path):
    write_arrays(path, **ARRAYS)
    read = read_arrays(path)

    assert read.keys() == ARRAYS.keys()
    assert all((read[name] == array).all() and read[name].dtype == array.dtype for name, array in ARRAYS.items())


def test_without_a_file_there_are_no_arrays(path, caplog):
    assert read_arrays(path) is None
    assert caplog.text == ""


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:200] + b"?" + b[201:], lambda b: b"", lambda b: b[32:]]
)
def test_a_broken_file_gives_no_arrays_and_it_is_said(path, damage, caplog):
    write_arrays(path, **ARRAYS)
    path.write_bytes(damage(path.read_bytes()))

    assert read_arrays(path) is None
    assert f"'{path}' is broken and is made again" in caplog.text


def test_a_full_disk_is_said_and_keeps_what_was_there(path):
    write_arrays(path, **ARRAYS)
    with a_full_disk(2_000), pytest.raises(InputError, match=r"one.discs' cannot be written \(.*\): make room"):
        write_arrays(path, much=np.zeros(10_000))

    assert (read_arrays(path)["numbers"] == ARRAYS["numbers"]).all()
    assert [file.name for file in path.parent.iterdir()] == ["one.discs"]


@pytest.mark.parametrize("counts", [(), (3,), (1, 4, 2)])
def test_stacks_put_into_one_come_back_one_by_one(counts):
    stacks = [np.full((count, 2, 3), count, dtype=np.uint8) for count in counts]
    found = one_by_one(in_one(stacks))

    assert [stack.tolist() for stack in found] == [stack.tolist() for stack in stacks]
