"""Temperature scaling, which makes probabilities mean what they say (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_CHANCE = 1e-7
"""ours: no answer is held for less likely, so that one confident error does not outweigh everything."""

PRIOR_SPREAD = 0.5
"""ours: before any disc is seen, the logarithm of a temperature to be fitted has this standard deviation about that of
the one before, so that a few discs, all of them right, do not make it extreme.
"""


def tempered(chances: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """(N, classes) probabilities as the softmax of their logarithms over the temperature; above 1 it makes them milder.

    Which class is likeliest stays as it is.
    """
    logs = np.log(np.maximum(chances, LEAST_CHANCE)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
