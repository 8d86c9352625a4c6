"""What is learned from phantoms, simulated once and kept in files that only this very simulator reads again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import scipy
from tqdm import tqdm

import SpineNetCore
from SpineNetCore.learning.datasets.scan_digests import contents_digest
from SpineNetCore.learning.disc_examples import DiscExample, load_examples, phantom_examples, save_examples
from SpineNetCore.learning.lesions import Lesion, load_lesions, phantom_lesions, save_lesions
from SpineNetCore.learning.phantom import Phantom, PhantomSettings, simulate

_PHANTOMS_PER_FILE = 50
_WITH_LESIONS = 150

_CORE = Path(SpineNetCore.__file__).parent
_RESTS_ON = (
    *("learning/phantom/*.py", "learning/disc_examples.py", "learning/lesions.py"),
    *("disc_volume.py", "localisation.py", "scan.py", "anatomy.py"),
)
"""The code that phantoms come from, and what is learned from them."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Simulation:
    """How many phantoms, from seed 0 on, by how many worker processes.

    with_lesions: of the first of them lesions are kept too; they are simulated a second time for that.
    """

    phantoms: int
    workers: int
    with_lesions: bool = False


def simulated_discs(simulation: Simulation, work: Path) -> list[DiscExample]:
    """The discs of all phantoms."""
    return _kept(_Kind("discs", _discs_of, load_examples, save_examples), simulation.phantoms, simulation, work)


def simulated_lesions(simulation: Simulation, work: Path) -> list[Lesion]:
    """The lesions of the first phantoms, if they are asked for."""
    count = min(_WITH_LESIONS, simulation.phantoms) if simulation.with_lesions else 0
    return _kept(_Kind("lesions", _lesions_of, load_lesions, save_lesions), count, simulation, work)


@dataclass(frozen=True)
class _Kind(Generic[Item]):
    """Something found on phantoms, and its files. name: how these end."""

    name: str
    of_seed: Callable[[int], list[Item]]
    load: Callable[[Path], list[Item] | None]
    save: Callable[[list[Item], Path], None]


def _kept(kind: _Kind[Item], phantoms: int, simulation: Simulation, work: Path) -> list[Item]:
    found: list[Item] = []
    firsts = range(0, phantoms, _PHANTOMS_PER_FILE)
    code = (path for files in _RESTS_ON for path in sorted(_CORE.glob(files)))
    digest = contents_digest(code, f"numpy {np.__version__}, scipy {scipy.__version__}")[:12]
    with ProcessPoolExecutor(simulation.workers) as pool:
        for first in tqdm(firsts, f"phantoms' {kind.name}", disable=None):
            seeds = range(first, min(first + _PHANTOMS_PER_FILE, phantoms))
            path = work / "phantoms" / f"{digest}-{seeds.start}-{seeds.stop}.{kind.name}"
            items = kind.load(path)
            if items is None:
                items = [item for items in pool.map(kind.of_seed, seeds, chunksize=4) for item in items]
                if items:
                    kind.save(items, path)
            found += items
    return found


def _discs_of(seed: int) -> list[DiscExample]:
    return list(phantom_examples(_phantom(seed), f"phantom {seed}"))


def _lesions_of(seed: int) -> list[Lesion]:
    return list(phantom_lesions(_phantom(seed), f"phantom {seed}"))


def _phantom(seed: int) -> Phantom:
    return simulate(np.random.default_rng(seed), PhantomSettings(balanced=True))
