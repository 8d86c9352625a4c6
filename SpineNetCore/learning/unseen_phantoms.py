"""Phantoms that no training draws, kept for evaluation."""

from __future__ import annotations

import numpy as np

from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.phantom import Phantom, PhantomSettings, simulate
from SpineNetCore.learning.phantom_seeds import FIRST_OF_SCORECARD, FIRST_TO_TEST_ON, FIRST_TO_VALIDATE_ON

_FIRST_SEEDS = {Split.TEST: FIRST_TO_TEST_ON, Split.VALIDATION: FIRST_TO_VALIDATE_ON}


def unseen_phantom(number: int, split: Split = Split.TEST) -> Phantom:
    """One of the phantoms kept for evaluation, numbered from 0; training draws its seeds from 0 upwards.

    split: to be tested on, or to tune on what is tested there; never for training.
    """
    return simulate(np.random.default_rng(_FIRST_SEEDS[split] + number))


def scorecard_phantom(number: int) -> Phantom:
    """One of the phantoms of the hotspot scorecard, with many lesions, numbered from 0."""
    return simulate(np.random.default_rng(FIRST_OF_SCORECARD + number), PhantomSettings(balanced=True))
