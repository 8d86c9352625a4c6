from __future__ import annotations

from pathlib import Path
from tempfile import mkstemp

import pytest
import torch

from SpineNetCore.learning.worker_pool import mapping


class Scaling:
    """Work with a network of its own, which leaves a file behind wherever it arrives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.constant_(self.network.weight, 2.0)

    def __call__(self, number: float, added: float) -> float:
        return float(self.network(torch.tensor([number])).detach()) + added

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        mkstemp(dir=self.folder)


@pytest.mark.parametrize("workers", [1, 2])
def test_work_is_done_in_order_and_handed_to_each_process_once(workers, tmp_path):
    with mapping(Scaling(tmp_path), workers) as scaled:
        assert list(scaled([1.0, 2.0, 3.0, 4.0, 5.0], [0.5] * 5)) == [2.5, 4.5, 6.5, 8.5, 10.5]
    arrivals = len(list(tmp_path.iterdir()))
    assert arrivals == 0 if workers == 1 else 1 <= arrivals <= workers
