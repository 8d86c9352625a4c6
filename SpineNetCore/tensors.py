"""Arrays handed over between NumPy and PyTorch.

By DLPack, since PyTorch's own ways want the very NumPy that it was built for: the last PyTorch for Intel Macs, 2.2,
knows NumPy 1 only, and 3D Slicer brings NumPy 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def tensor_of(array: NDArray[Any]) -> Tensor:
    """The same values on the CPU, in the same memory where that may be written to."""
    is_shareable = array.flags.writeable and all(step >= 0 for step in array.strides)
    tensor: Tensor = torch.from_dlpack(array if is_shareable else array.copy())  # type: ignore[attr-defined]
    return tensor


def array_of(tensor: Tensor) -> NDArray[Any]:
    """The same values, whatever device they are on, in an array of their own that may be written to."""
    return np.from_dlpack(tensor.detach().cpu()).copy()
