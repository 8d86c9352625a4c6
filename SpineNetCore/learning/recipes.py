"""How the shipped models were learned, from data to network, each step resumable."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from SpineNetCore.learning import spider
from SpineNetCore.learning.detector_training import DetectorRecipe, ExamplePool, train_detector
from SpineNetCore.learning.disc_examples import (
    DiscExample,
    load_examples,
    phantom_examples,
    save_examples,
    spider_examples,
)
from SpineNetCore.learning.grader_training import DiscPool, GraderRecipe, train_grader
from SpineNetCore.learning.phantom import PhantomSettings, simulate
from SpineNetCore.learning.phantom_slices import examples_from_phantom
from SpineNetCore.learning.self_labelling import read_picture, self_labelled
from SpineNetCore.learning.slice_examples import SliceExample, examples_from_slab
from SpineNetCore.network import GradingNetwork
from SpineNetCore.vertebra_network import VertebraNetwork

log = logging.getLogger(__name__)


def learn_detector(folder: Path, work: Path, phantoms: int, workers: int) -> VertebraNetwork:
    """Learn the detector in three rounds: slabs with masks; with the pictures it then reads itself; with phantoms.

    folder: the reduced SPIDER copy, of which kept-out patients are not touched. work: for checkpoints.
    """
    slabs = [e for s in spider.slabs(folder) if not spider.is_kept_out(s.patient) for e in examples_from_slab(s)]
    network = VertebraNetwork()
    train_detector(network, [ExamplePool(slabs, 1.0)], DetectorRecipe(steps=1000), work / "detector-1.pt")
    pictures = _self_labelled_pictures(folder, network)
    log.info("%d slices of slabs, %d pictures", len(slabs), len(pictures))
    pools = [ExamplePool(slabs, 0.4), ExamplePool(pictures, 0.6)]
    second = DetectorRecipe(steps=650, rate=2e-3, seed=1)
    train_detector(network, pools, second, work / "detector-2.pt")
    simulated = _phantom_slices(phantoms, workers)
    pools = [ExamplePool(slabs, 0.3), ExamplePool(pictures, 0.4), ExamplePool(simulated, 0.3)]
    return train_detector(network, pools, replace(second, seed=2), work / "detector-3.pt")


def learn_grader(folder: Path, work: Path, detector: VertebraNetwork, phantoms: int, workers: int) -> GradingNetwork:
    """Learn the grader on SPIDER's pictures and slabs, cut where the detector finds their discs, and on phantoms."""
    real = _cached(work / "discs-spider.npz", lambda: list(spider_examples(folder, detector, kept_out=False)))
    simulated = _cached(work / "discs-phantom.npz", lambda: _phantom_discs(phantoms, workers))
    log.info("%d discs of SPIDER, %d of phantoms", len(real), len(simulated))
    pools = [DiscPool(real, 0.6), DiscPool(simulated, 0.4)]
    network = train_grader(pools, GraderRecipe(), work / "grader.pt")
    second = GraderRecipe(steps=1700, rate=1e-3, ramp=0.01, seed=1)
    return train_grader(pools, second, work / "grader-2.pt", learned=network)


def _self_labelled_pictures(folder: Path, network: VertebraNetwork) -> list[SliceExample]:
    counts = spider.disc_counts(folder)
    pictures = (p for p in spider.pictures(folder) if not spider.is_kept_out(p.patient))
    readings = (read_picture(picture, counts[picture.patient], network) for picture in pictures)
    return [self_labelled(reading, network) for reading in readings if reading is not None]


def _cached(path: Path, make: Callable[[], list[DiscExample]]) -> list[DiscExample]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        save_examples(make(), path)
    return load_examples(path)


def _phantom_slices(count: int, workers: int) -> list[SliceExample]:
    with ProcessPoolExecutor(workers) as pool:
        return [example for examples in pool.map(_slices_of, range(count)) for example in examples]


def _phantom_discs(count: int, workers: int) -> list[DiscExample]:
    with ProcessPoolExecutor(workers) as pool:
        return [example for examples in pool.map(_discs_of, range(count), chunksize=4) for example in examples]


def _slices_of(seed: int) -> list[SliceExample]:
    """Some slices of one phantom with strongly varied contrast."""
    rng = np.random.default_rng(seed)
    examples = examples_from_phantom(simulate(rng, PhantomSettings.for_detector()))
    chosen = rng.permutation(len(examples))[:4]
    return [examples[k] for k in chosen]


def _discs_of(seed: int) -> list[DiscExample]:
    phantom = simulate(np.random.default_rng(seed), PhantomSettings(balanced=True))
    return list(phantom_examples(phantom, f"phantom {seed}"))
