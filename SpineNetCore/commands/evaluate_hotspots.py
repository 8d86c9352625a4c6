"""`evaluate hotspots`: how well the maps show what led to a grade, beside other methods, on phantoms or patients."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.anatomy import Task
from SpineNetCore.commands.options import Commands, add_device_to, add_models_to, add_seed_to, whole_number
from SpineNetCore.commands.terminal import print_figures, sink_named
from SpineNetCore.errors import InputError
from SpineNetCore.learning.hotspot_scorecard.methods import METHOD_NAMES, methods_named
from SpineNetCore.model_files import DETECTOR_KIND, GRADER_KIND, StoredModel, read_model
from SpineNetCore.models import DETECTOR_FILE, GRADER_FILE, chosen_device, grading_network, vertebra_network
from SpineNetCore.progress import Stages

if TYPE_CHECKING:
    from SpineNetCore.learning.hotspot_scorecard.cases import Grader
    from SpineNetCore.learning.hotspot_scorecard.page import Evaluation
    from SpineNetCore.learning.hotspot_scorecard.running import LesionedScan, Scorecard
    from SpineNetCore.vertebra_network import VertebraNetwork


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "hotspots",
        help="how well the maps show the lesions of phantoms, or a patient's endplate",
        description="Measure, on phantoms that know their lesions, on patients into whose discs lesions were drawn, or "
        "on patients whose masks tell where an endplate is, how well the maps of rightly graded abnormal discs show "
        "what led to the grade: saliency, SmoothGrad, Grad-CAM, the paper's and ours of one network, beside a fixed "
        "place, the same for all discs. Prints a table; --output also writes hotspots.html, with examples, and a table "
        "of all maps.",
    )
    _add_scans_to(parser)
    add_models_to(parser)
    _add_maps_to(parser)
    parser.add_argument(
        "--checked",
        type=whole_number(0, 100_000),
        default=8,
        metavar="N",
        help="scans of which one map also tells repeatability and sanity, which take long (default 8)",
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the page and the table")
    add_device_to(parser, "cpu")
    add_seed_to(parser, "of views, noise, weights and intervals")
    parser.set_defaults(run=run)


def _add_scans_to(parser: argparse.ArgumentParser) -> None:
    scans = parser.add_mutually_exclusive_group()
    scans.add_argument("--phantoms", type=whole_number(1, 100_000), metavar="N", help="default: 20")
    scans.add_argument(
        "--spider",
        type=Path,
        metavar="DIR",
        help="folder of the reduced SPIDER copy: measure on its slabs of patients kept out of training, and on no "
        "phantom",
    )
    parser.add_argument(
        "--implants",
        action="store_true",
        help="with --spider: measure on its scans of those patients with lesions drawn into discs called normal",
    )
    parser.add_argument(
        "--first",
        type=whole_number(0, 10**6),
        metavar="K",
        help="number of the first phantom (default 0); choices are best made on other phantoms than those reported",
    )


def _add_maps_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--views",
        type=whole_number(1, 10_000),
        nargs="+",
        default=[8, 32, 128],
        metavar="N",
        help="of our maps, one method for each (default 8 32 128)",
    )
    parser.add_argument("--methods", choices=METHOD_NAMES, nargs="+", default=METHOD_NAMES, help="default: all")
    names = [task.value for task in Task]
    parser.add_argument("--tasks", choices=names, nargs="+", default=names, help="default: all")


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write."""
    from SpineNetCore.learning.hotspot_scorecard.result import RESULT, write_scorecard
    from SpineNetCore.learning.hotspot_scorecard.table import NOTE, table_text

    stored = read_model(options.models / GRADER_FILE, GRADER_KIND)
    grader = _grader(options, stored)
    origin = _origin(options, stored, grader)
    if options.output:
        RESULT.check(options.output)
    card = _measured(options, origin.scans, grader)
    evaluation = _evaluation(options, stored, origin, card)
    print_figures(table_text(evaluation.summary), NOTE)
    if options.output:
        write_scorecard(evaluation, options.output)


def _grader(options: argparse.Namespace, stored: StoredModel) -> Grader:
    from SpineNetCore.learning.hotspot_scorecard.cases import Grader

    tasks = tuple(Task(name) for name in options.tasks)
    return Grader(grading_network(stored), tasks, chosen_device(options.device))


@dataclass(frozen=True)
class _Origin:
    """Where the discs come from.

    what: further lines of what was measured, for the page. knows_lesions: not only among which voxels they are.
    """

    scans: list[LesionedScan]
    what: tuple[tuple[str, str], ...]
    knows_lesions: bool = True


def _origin(options: argparse.Namespace, stored: StoredModel, grader: Grader) -> _Origin:
    if options.spider is None:
        if options.implants:
            raise InputError("--implants draws into patients' discs: give --spider DIR, too, or leave it out.")
        return _phantoms(options, grader)
    if options.first is not None:
        raise InputError(f"--first {options.first} numbers phantoms: leave it out with --spider.")
    return (_implants if options.implants else _patients)(options, stored, grader)


def _phantoms(options: argparse.Namespace, grader: Grader) -> _Origin:
    from SpineNetCore.learning.hotspot_scorecard.phantoms import phantom_discs

    first = options.first or 0
    numbers = range(first, first + (options.phantoms or 20))
    what = f"{len(numbers)}, numbers {first} to {numbers[-1]}, not in training, grades drawn evenly"
    return _Origin([partial(phantom_discs, number, grader) for number in numbers], (("Phantoms", what),))


def _patients(options: argparse.Namespace, stored: StoredModel, grader: Grader) -> _Origin:
    from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
    from SpineNetCore.learning.hotspot_scorecard.patients import PLACED_TASKS, patient_discs, unseen_slabs

    if not PLACED_TASKS.intersection(grader.tasks):
        raise InputError("SPIDER does not tell on which side marrow is changed: ask for other --tasks with --spider.")
    slabs = unseen_slabs(options.spider, LearnedPatients.from_note(stored.note))
    network, detector = _detector(options)
    what = ("Slabs of SPIDER", f"{len(slabs)}, of patients kept out of the grader's training")
    scans: list[LesionedScan] = [partial(patient_discs, slab, options.spider, network, grader) for slab in slabs]
    return _Origin(scans, (detector, what), knows_lesions=False)


def _implants(options: argparse.Namespace, stored: StoredModel, grader: Grader) -> _Origin:
    from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
    from SpineNetCore.learning.hotspot_scorecard.implants import implanted_scan
    from SpineNetCore.learning.hotspot_scorecard.patients import unseen_scans

    if not any(task.is_binary for task in grader.tasks):
        raise InputError("Lesions are drawn for endplates and marrow: ask for other --tasks with --implants.")
    unseen = unseen_scans(options.spider, LearnedPatients.from_note(stored.note))
    network, detector = _detector(options)
    what = ("Scans of SPIDER", f"{len(unseen)}, of patients kept out of the grader's training, lesions drawn into them")
    scans: list[LesionedScan] = [
        partial(implanted_scan, scan, network, grader, seed) for seed, scan in enumerate(unseen, start=1)
    ]
    return _Origin(scans, (detector, what))


def _detector(options: argparse.Namespace) -> tuple[VertebraNetwork, tuple[str, str]]:
    """What finds patients' discs, and its line for the page."""
    stored = read_model(options.models / DETECTOR_FILE, DETECTOR_KIND)
    said = f"{stored.path.name} {stored.digest}; it may have learned from these patients' masks"
    return vertebra_network(stored), ("Detector", said)


def _measured(options: argparse.Namespace, scans: list[LesionedScan], grader: Grader) -> Scorecard:
    from SpineNetCore.learning.hotspot_scorecard.running import Plan, measure_scans

    plan = Plan(methods_named(options.methods, options.views, grader.device), options.checked, options.seed)
    with Stages(sink_named("auto")).stage("scans") as count:
        card = measure_scans(scans, grader.network, plan, count)
    if not card.readings:
        raise InputError(
            f"The grader of '{options.models}' rightly finds nothing abnormal on {len(scans)} scans, so that no map "
            "can be measured: give more of them, or a trained grader with --models."
        )
    return card


def _evaluation(options: argparse.Namespace, stored: StoredModel, origin: _Origin, card: Scorecard) -> Evaluation:
    import numpy as np

    from SpineNetCore.learning.hotspot_scorecard.page import Evaluation
    from SpineNetCore.learning.hotspot_scorecard.summary import check_lines_of, leads_of, lines_of
    from SpineNetCore.learning.hotspot_scorecard.table import Summary

    rng = np.random.default_rng(options.seed)
    with Stages(sink_named("auto")).stage("intervals"):
        lines, leads = lines_of(card.readings, rng), leads_of(card.readings, rng)
        checks = tuple(check_lines_of(card.checks, rng))
        summary = Summary(tuple(lines), tuple(leads), checks, knows_lesions=origin.knows_lesions)
    measured = len({reading.patient for reading in card.readings})
    what = (
        ("Grader", f"{stored.path.name} {stored.digest}"),
        *origin.what,
        ("With a true positive", f"{measured} of {len(origin.scans)} scans"),
        ("Repeatability and sanity", f"one map of each of the first {min(options.checked, len(origin.scans))} scans"),
        ("Seed of views, noise, weights and intervals", str(options.seed)),
    )
    return Evaluation(what, card, summary)
