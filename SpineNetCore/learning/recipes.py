"""How the shipped models were learned, from data to network, each step resumable."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from SpineNetCore.learning.courses import Course
from SpineNetCore.learning.datasets import spider
from SpineNetCore.learning.datasets.graded_scans import GradedScan, Split
from SpineNetCore.learning.detector_training import DetectorRecipe, ExamplePool, train_detector
from SpineNetCore.learning.disc_batches import DiscPool
from SpineNetCore.learning.disc_examples import DiscExample, LabelledDisc, prepared_examples
from SpineNetCore.learning.grader_data import GraderData
from SpineNetCore.learning.grader_training import train_grader
from SpineNetCore.learning.implants import implanted_discs
from SpineNetCore.learning.phantom import PhantomSettings, simulate
from SpineNetCore.learning.phantom_slices import examples_from_phantom
from SpineNetCore.learning.processes import Process
from SpineNetCore.learning.self_labelling import read_picture, self_labelled
from SpineNetCore.learning.simulated_discs import Simulation, simulated_discs, simulated_lesions
from SpineNetCore.learning.slice_examples import SliceExample, examples_from_slab
from SpineNetCore.learning.worker_pool import mapping
from SpineNetCore.network import GradingNetwork
from SpineNetCore.vertebra_network import VertebraNetwork

log = logging.getLogger(__name__)

DISCS_FOLDER = "discs"
"""Where a folder for work keeps the discs cut out of scans."""


def learn_detector(folder: Path, work: Path, phantoms: int, workers: int) -> dict[int | None, VertebraNetwork]:
    """Learn the detector to ship, under None, and for each fold one that never saw its patients, by the same recipe.

    On phantoms first, which all of them share; then with the slabs of the patients allowed; then also with the
    pictures that the network reads by then as a reader does, or surely. folder: the reduced SPIDER copy. work: for
    checkpoints. Raises InputError where the folder is not that copy.
    """
    spider.check_reduced(folder)
    simulated = _phantom_slices(phantoms, workers)
    log.info("%d slices of phantoms", len(simulated))
    recipe = DetectorRecipe(steps=1500)
    start = train_detector(VertebraNetwork(), [ExamplePool(simulated, 1.0)], recipe, work / "detector-phantoms.pt")
    plans = [_DetectorPlan(folder, work, hidden_fold, start, simulated) for hidden_fold in (None, *range(spider.FOLDS))]
    with mapping(_learned_on_patients, workers) as learned:
        return dict(zip((plan.hidden_fold for plan in plans), learned(plans), strict=True))


@dataclass(frozen=True)
class _DetectorPlan:
    """hidden_fold: whose patients are not touched; None hides the sample's patient alone."""

    folder: Path
    work: Path
    hidden_fold: int | None
    start: VertebraNetwork
    simulated: list[SliceExample]

    def hides(self, patient: int) -> bool:
        if self.hidden_fold is None:
            return patient == spider.SAMPLE_PATIENT
        return spider.fold_of(patient) == self.hidden_fold

    def checkpoint(self, stage: str) -> Path:
        whose = "all" if self.hidden_fold is None else f"fold-{self.hidden_fold}"
        return self.work / f"detector-{whose}-{stage}.pt"


def _learned_on_patients(plan: _DetectorPlan) -> VertebraNetwork:
    logging.basicConfig(level=logging.INFO)
    slabs = [e for slab in spider.slabs(plan.folder) if not plan.hides(slab.patient) for e in examples_from_slab(slab)]
    pools = _filled(ExamplePool(slabs, 0.6), ExamplePool(plan.simulated, 0.4))
    first = DetectorRecipe(steps=450, rate=2e-3, seed=1)
    start = copy.deepcopy(plan.start)  # processes share tensors: every plan would train the same weights on
    network = train_detector(start, pools, first, plan.checkpoint("slabs"))
    pictures = _self_labelled_pictures(plan, network)
    log.info("hidden fold %s: %d slices of slabs, %d pictures", plan.hidden_fold, len(slabs), len(pictures))
    pools = _filled(ExamplePool(slabs, 0.35), ExamplePool(pictures, 0.35), ExamplePool(plan.simulated, 0.3))
    return train_detector(network, pools, replace(first, steps=900, seed=2), plan.checkpoint("pictures"))


def _filled(*pools: ExamplePool) -> list[ExamplePool]:
    """A fold may hide all slabs or pictures of a small copy."""
    return [pool for pool in pools if pool.examples]


def learn_grader(
    data: GraderData,
    course: Course,
    work: Path,
    process: Process | None = None,
    learned: GradingNetwork | None = None,
) -> GradingNetwork:
    """Learn the grader by the trainings of a course, one after the other.

    work: for checkpoints, logs and curves; one folder for all processes that train together. learned: the grader that
    the first of them goes on from; a new one otherwise.
    """
    network = learned
    for number, recipe in enumerate(course.rounds, start=1):
        network = train_grader(data, recipe, work / f"{course.name}-{number}.pt", network, process=process)
    assert network is not None
    return network


def grader_data(
    scans: Sequence[GradedScan],
    work: Path,
    detector: VertebraNetwork,
    simulation: Simulation,
    *,
    process: Process | None = None,
    implants: int = 0,
) -> GraderData:
    """The training patients' discs, cut where masks or the detector say, the same with lesions drawn into them,
    phantoms, the lesions of both, and the discs of the validation patients.

    work: keeps what was cut; one folder for all processes that train together. implants: how many times each disc is
    drawn into.
    """
    with (process or Process()).first_alone():
        cut, watched = (_discs_of_scans(scans, split, work, detector) for split in (Split.TRAIN, Split.VALIDATION))
        simulated, lesions = simulated_discs(simulation, work), simulated_lesions(simulation, work)
    drawn = list(implanted_discs(cut, implants, seed=0))
    log.info(
        "%d discs of SPIDER or tables, %d with lesions drawn into them, %d of phantoms, %d for validation",
        *(len(some) for some in (cut, drawn, simulated, watched)),
    )
    real, implanted = DiscPool(_examples(cut)), DiscPool([one.disc for one in drawn])
    pools = [pool for pool in (real, implanted, DiscPool(simulated, is_simulated=True)) if pool.examples]
    drawn_lesions = [lesion for one in drawn for lesion in one.lesions] if simulation.with_lesions else []
    return GraderData(pools, _examples(watched), [*lesions, *drawn_lesions])


def validation_discs(scans: Sequence[GradedScan], work: Path, detector: VertebraNetwork) -> list[DiscExample]:
    """The discs of the validation patients alone; work, detector: as above."""
    return _examples(_discs_of_scans(scans, Split.VALIDATION, work, detector))


def _examples(discs: Sequence[LabelledDisc]) -> list[DiscExample]:
    return [example for _, example in discs]


def _discs_of_scans(
    scans: Sequence[GradedScan], split: Split, work: Path, detector: VertebraNetwork
) -> list[LabelledDisc]:
    chosen = [scan for scan in scans if scan.split is split]
    with tqdm(total=len(chosen), desc=f"discs for {split.value}", disable=None) as bar:
        folder = work / DISCS_FOLDER
        found = list(prepared_examples(chosen, detector, folder, lambda done, _: bar.update(done - bar.n)))
    graded = sum(len(scan.labels) for scan in chosen)
    if len(found) < graded:
        log.warning(
            "%d of %d graded discs for %s were not found on their scans", graded - len(found), graded, split.value
        )
    return found


def _self_labelled_pictures(plan: _DetectorPlan, network: VertebraNetwork) -> list[SliceExample]:
    counts = spider.disc_counts(plan.folder)
    pictures = (p for p in spider.pictures(plan.folder) if not plan.hides(p.patient))
    readings = (read_picture(picture, counts[picture.patient], network) for picture in pictures)
    return [self_labelled(reading, network) for reading in readings if reading is not None]


def _phantom_slices(count: int, workers: int) -> list[SliceExample]:
    with ProcessPoolExecutor(workers) as pool:
        return [example for examples in pool.map(_slices_of, range(count)) for example in examples]


def _slices_of(seed: int) -> list[SliceExample]:
    """Some slices of one phantom: of every other one with a likely look, of the rest with any contrast at all."""
    rng = np.random.default_rng(seed)
    settings = PhantomSettings.for_detector() if seed % 2 else PhantomSettings()
    examples = examples_from_phantom(simulate(rng, settings))
    chosen = rng.permutation(len(examples))[:4]
    return [examples[k] for k in chosen]
