"""Phantoms that no training draws, kept for evaluation."""

from __future__ import annotations

import numpy as np

from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.phantom import Phantom, simulate

_FIRST_SEEDS = {Split.TEST: 900_000, Split.VALIDATION: 950_000}


def unseen_phantom(number: int, split: Split = Split.TEST) -> Phantom:
    """One of the phantoms kept for evaluation, numbered from 0; training draws its seeds from 0 upwards.

    split: to be tested on, or to tune on what is tested there; never for training.
    """
    return simulate(np.random.default_rng(_FIRST_SEEDS[split] + number))
