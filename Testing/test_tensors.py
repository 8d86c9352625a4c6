from __future__ import annotations

import numpy as np
import pytest
import torch

from SpineNetCore.tensors import array_of, tensor_of


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.arange(6)[::-1],
        np.array([True, False]),
        frozen(np.arange(3, dtype=np.uint8)),
        np.broadcast_to(np.float64(3), (2, 2)),
    ],
)
def test_values_and_kinds_are_the_same_there_and_back(array):
    there = tensor_of(array)
    back = array_of(there)
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype
    assert there.tolist() == array.tolist()


def test_an_array_given_back_is_its_own():
    tensor = torch.zeros(3, requires_grad=True)
    array = array_of(tensor)
    array[:] = 1
    assert tensor.tolist() == [0, 0, 0]


def test_a_tensor_shares_the_memory_of_an_array_that_may_be_written_to():
    array = np.zeros(3)
    tensor_of(array)[1] = 5
    assert array.tolist() == [0, 5, 0]
