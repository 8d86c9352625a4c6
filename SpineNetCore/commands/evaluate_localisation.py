"""`evaluate localisation`: how well discs are found and named, on patients and phantoms that no training has seen."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.commands.options import (
    Commands,
    add_device_to,
    add_models_to,
    add_seed_to,
    add_workers_to,
    whole_number,
)
from SpineNetCore.commands.terminal import print_figures, sink_named
from SpineNetCore.errors import InputError
from SpineNetCore.model_files import DETECTOR_KIND, StoredModel, read_model
from SpineNetCore.models import DETECTOR_FILE, chosen_device, vertebra_network
from SpineNetCore.progress import Stages

if TYPE_CHECKING:
    from SpineNetCore.learning.localisation.lowest_discs import PictureOutcome
    from SpineNetCore.learning.localisation.measures import Finder
    from SpineNetCore.learning.localisation.page import Evaluation
    from SpineNetCore.learning.localisation.running import Job
    from SpineNetCore.progress import Count


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "localisation",
        help="discs found, rightly named, and how far off",
        description="Measure how well discs are found and named on slabs of the reduced SPIDER copy and on phantoms "
        "from seeds that training never drew, as they are and made harder, and on SPIDER's pictures, where L5-S1 was "
        "set by eye. Prints a table; --output also writes localisation.html, with the failures as pictures, and tables "
        "of all scans.",
    )
    parser.add_argument("--spider", type=Path, metavar="DIR", help="folder of the reduced SPIDER copy")
    parser.add_argument(
        "--patients",
        choices=("unseen", "all"),
        help="of SPIDER. unseen: the sample's, the only one whom `train detector` never shows its final model "
        "(default: unseen, or with --folds all)",
    )
    parser.add_argument(
        "--phantoms", type=whole_number(0, 100_000), default=0, metavar="N", help="how many (default 0)"
    )
    models = parser.add_mutually_exclusive_group()
    add_models_to(models)
    models.add_argument(
        "--folds",
        type=Path,
        metavar="DIR",
        help="folder with fold-0 ... fold-4, a detector in each: patients are measured with the one of their fold, "
        "which has not seen them; phantoms are dealt over all",
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the page and the tables")
    add_workers_to(parser)
    add_device_to(parser, "cpu")
    add_seed_to(parser, "of noise and intervals")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write."""
    from SpineNetCore.learning.figure_text import INTERVALS_NOTE
    from SpineNetCore.learning.localisation.lowest_discs import pictures_sentence
    from SpineNetCore.learning.localisation.result import RESULT, write_evaluation
    from SpineNetCore.learning.localisation.table import table_text

    if not options.spider and not options.phantoms:
        raise InputError("There is nothing to measure: give --spider DIR, --phantoms N, or both.")
    _check_patients(options)
    if options.output:
        RESULT.check(options.output)
    evaluation = _evaluate(options)
    pictures = [pictures_sentence(evaluation.pictures)] if evaluation.pictures else []
    print_figures(table_text(evaluation.lines), INTERVALS_NOTE, *pictures)
    if options.output:
        write_evaluation(evaluation, options.output)


def _check_patients(options: argparse.Namespace) -> None:
    from SpineNetCore.learning.datasets.spider import SAMPLE_PATIENT, slab_patients

    if options.spider and _patients(options) == "unseen" and SAMPLE_PATIENT not in slab_patients(options.spider):
        raise InputError(
            f"'{options.spider}' holds no slab of patient {SAMPLE_PATIENT}, whom alone the detector has not seen: "
            "give --folds DIR, or --patients all to measure on patients whom it may have seen."
        )


def _evaluate(options: argparse.Namespace) -> Evaluation:
    import numpy as np

    from SpineNetCore.learning.localisation.page import Evaluation
    from SpineNetCore.learning.localisation.running import measure_all
    from SpineNetCore.learning.localisation.summary import summaries

    stored = _stored_detectors(options)
    finders = _finders(stored, options.device)
    rng = np.random.default_rng(options.seed)
    stages = Stages(sink_named("auto"))
    jobs = _slab_jobs(options, finders) + _phantom_jobs(options.phantoms, finders)
    with stages.stage("scans") as count:
        measurements = measure_all(jobs, rng, options.workers, count)
    with stages.stage("pictures") as count:
        pictures = _picture_outcomes(options, finders, count) if options.spider else []
    with stages.stage("intervals"):
        lines = summaries([measurement.outcome for measurement in measurements], rng)
    return Evaluation(_what(options, stored), tuple(measurements), tuple(lines), tuple(pictures))


def _stored_detectors(options: argparse.Namespace) -> list[StoredModel]:
    """One, or one per fold."""
    from SpineNetCore.learning.datasets.spider import FOLDS

    folders = [options.folds / f"fold-{k}" for k in range(FOLDS)] if options.folds else [options.models]
    return [read_model(folder / DETECTOR_FILE, DETECTOR_KIND) for folder in folders]


def _finders(stored: list[StoredModel], device: str) -> list[Finder]:
    from SpineNetCore.localisation import find_spine

    return [partial(find_spine, network=vertebra_network(one), device=chosen_device(device)) for one in stored]


def _is_asked_for(patient: int, options: argparse.Namespace) -> bool:
    from SpineNetCore.learning.datasets.spider import SAMPLE_PATIENT

    return _patients(options) == "all" or patient == SAMPLE_PATIENT


def _patients(options: argparse.Namespace) -> str:
    return options.patients or ("all" if options.folds else "unseen")


def _slab_jobs(options: argparse.Namespace, finders: list[Finder]) -> list[Job]:
    from SpineNetCore.learning.datasets.spider import fold_of, slab_patients
    from SpineNetCore.learning.localisation.cases import read_slab_case
    from SpineNetCore.learning.localisation.conditions import ALL_CONDITIONS
    from SpineNetCore.learning.localisation.running import Job

    patients = slab_patients(options.spider) if options.spider else ()
    return [
        Job(partial(read_slab_case, options.spider, patient), finders[fold_of(patient, len(finders))], ALL_CONDITIONS)
        for patient in patients
        if _is_asked_for(patient, options)
    ]


def _phantom_jobs(count: int, finders: list[Finder]) -> list[Job]:
    from SpineNetCore.learning.localisation.cases import simulated_case
    from SpineNetCore.learning.localisation.conditions import ALL_CONDITIONS
    from SpineNetCore.learning.localisation.running import Job

    return [Job(partial(simulated_case, k), finders[k % len(finders)], ALL_CONDITIONS) for k in range(count)]


def _picture_outcomes(options: argparse.Namespace, finders: list[Finder], count: Count) -> list[PictureOutcome]:
    from SpineNetCore.learning.datasets.spider import fold_of, pictures
    from SpineNetCore.learning.localisation.lowest_discs import is_measurable, picture_outcome

    measurable = (picture for picture in pictures(options.spider) if is_measurable(picture))
    asked_for = [picture for picture in measurable if _is_asked_for(picture.patient, options)]
    outcomes = []
    for done, picture in enumerate(asked_for, start=1):
        find = finders[fold_of(picture.patient, len(finders))]
        outcomes.append(picture_outcome(picture, find))
        count(done, len(asked_for))
    return outcomes


def _what(options: argparse.Namespace, stored: list[StoredModel]) -> tuple[tuple[str, str], ...]:
    detectors = ", ".join(f"{one.path.parent.name}/{one.path.name} {one.digest}" for one in stored)
    spider = {"all": "all patients", "unseen": "the patient whom the detector has not seen"}[_patients(options)]
    return (
        ("Detectors, each for its own fold" if options.folds else "Detector", detectors),
        ("SPIDER", spider if options.spider else "not measured"),
        ("Phantoms", f"{options.phantoms}, from seeds not in training" if options.phantoms else "not measured"),
        ("Seed of noise and intervals", str(options.seed)),
    )
