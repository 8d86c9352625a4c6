"""`train`: the shipped models, learned again from data."""

from __future__ import annotations

import argparse
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.commands.options import Commands, add_device_to, add_workers_to, whole_number
from SpineNetCore.errors import InputError
from SpineNetCore.learning.grader_recipe import FURTHER_RECIPE, Preset
from SpineNetCore.learning.implants import VARIANTS
from SpineNetCore.learning.phantom_seeds import MOST_TO_LEARN_FROM
from SpineNetCore.model_files import DETECTOR_KIND, GRADER_KIND, read_model
from SpineNetCore.models import BUNDLED_MODELS, DETECTOR_FILE, GRADER_FILE, vertebra_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from SpineNetCore.learning.datasets.graded_scans import GradedScan
    from SpineNetCore.model_files import StoredModel
    from SpineNetCore.network import GradingNetwork


SWAPPED_GRADER_FILE = "grader-swapped.safetensors"

_SPIDER_LICENCE = "SPIDER, CC BY 4.0, van der Graaf et al. 2024, doi 10.5281/zenodo.10159290"


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="learn the detector or the grader from data",
        description="Learn a model from graded scans and from phantoms, and write it to --output. A run that was "
        "stopped goes on from its checkpoints in --work. Discs for the grader are cut by the detector in --output or, "
        "where there is none, by the bundled one, which is then put there: analyse --models takes that folder.",
    )
    parser.add_argument("model", choices=("detector", "grader"))
    _add_data_to(parser)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder for checkpoints and caches")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the model")
    parser.add_argument(
        "--phantoms",
        type=whole_number(0, MOST_TO_LEARN_FROM),
        metavar="N",
        help="how many to simulate (default: 360 for the detector, 1000 for the grader, none by the preset paper)",
    )
    parser.add_argument(
        "--implants",
        type=whole_number(0, 100),
        metavar="N",
        help="how many times every disc of a patient is also learned from with lesions drawn into it, for the grader "
        f"(default {VARIANTS}, none by the preset paper)",
    )
    parser.add_argument(
        "--storage",
        choices=("8-bit", "half", "full"),
        help="of the weights (default: half for the detector, else 8-bit)",
    )
    add_workers_to(parser, default=2, what="processes that simulate and, on a GPU, draw")
    _add_manner_to(parser)
    parser.set_defaults(run=run)


def _add_data_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--spider",
        type=Path,
        metavar="DIR",
        help="folder of SPIDER: for the grader with images, masks and the two tables, or the reduced copy; for the "
        "detector the reduced copy",
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="CSV table of one's own labels, for the grader; may be given several times, and beside --spider. Columns: "
        "scan (path from the table's folder), patient, level, then any of pfirrmann, narrowing, upper_endplate, "
        "lower_endplate, upper_marrow, lower_marrow, any_marrow (0 or 1, side unknown) and split (train, validation, "
        "test). An empty grade is missing, 2|3|4 is one of these. Patients without a split are drawn 80:10:10",
    )


def _add_manner_to(parser: argparse.ArgumentParser) -> None:
    """How the grader learns, and where."""
    manner = parser.add_mutually_exclusive_group()
    manner.add_argument(
        "--further",
        type=Path,
        metavar="FILE",
        help="train this grader further instead of a new one, for instance the bundled one on one's own labels: "
        f"{FURTHER_RECIPE.steps} batches at a low rate. Give another --output, or a file of its name there is replaced",
    )
    manner.add_argument(
        "--preset",
        choices=[preset.value for preset in Preset],
        help="how the grader learns (default quick). " + " ".join(f"{p.value}: {p.description}." for p in Preset),
    )
    parser.add_argument(
        "--steps",
        type=whole_number(1, 1_000_000),
        metavar="N",
        help="how many batches each training of the grader has, in place of what the preset or --further says",
    )
    parser.add_argument(
        "--swap-validation-and-test",
        action="store_true",
        help="learn a second grader whose validation patients are the test patients and the reverse, for evaluate "
        f"repeatability; it is written as {SWAPPED_GRADER_FILE}, beside the first",
    )
    add_device_to(
        parser,
        None,
        "where the grader learns: auto (the default) takes a CUDA GPU where there is one. For several GPUs or "
        "machines start this command by torchrun -m SpineNetCore, with one --work folder that all of them reach; batch "
        "normalisation is then over the whole batch on GPUs, and over each process's own part of it on CPUs",
    )


def run(options: argparse.Namespace) -> None:
    """Learn and write."""
    for folder in (options.work, options.output):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"'{folder}' is no folder: give --work and --output folders, or names for new ones.")
    logging.getLogger("SpineNetCore").setLevel(logging.INFO)
    (_train_detector if options.model == "detector" else _train_grader)(options)


def _train_detector(options: argparse.Namespace) -> None:
    from SpineNetCore.learning.recipes import learn_detector
    from SpineNetCore.model_files import Storage, save_model

    for option, given in (
        ("--swap-validation-and-test", options.swap_validation_and_test),
        ("--further", options.further),
        ("--steps", options.steps),
        ("--preset", options.preset),
        ("--device", options.device),
        ("--implants", options.implants is not None),
    ):
        if given:
            raise InputError(f"{option} is for the grader alone: leave it out for the detector.")
    if options.spider is None or options.manifest:
        raise InputError("The detector learns from the reduced SPIDER copy alone: give --spider and no --manifest.")
    if options.phantoms == 0:
        raise InputError("--phantoms 0 leaves the detector nothing to begin with: give 1 or more.")
    networks = learn_detector(options.spider, options.work, options.phantoms or 360, options.workers)
    for hidden_fold, network in networks.items():
        folder = options.output if hidden_fold is None else options.work / f"fold-{hidden_fold}"
        note = {"description": "finds vertebral bodies on sagittal slices", "data": _SPIDER_LICENCE}
        storage = Storage(options.storage or "half")
        save_model(network, network.config, DETECTOR_KIND, folder / DETECTOR_FILE, note=note, storage=storage)


def _train_grader(options: argparse.Namespace) -> None:
    from SpineNetCore.learning.courses import course_further, course_of
    from SpineNetCore.learning.datasets.sources import read_sources
    from SpineNetCore.learning.datasets.splits import swapped
    from SpineNetCore.learning.processes import joined
    from SpineNetCore.learning.recipes import grader_data, learn_grader
    from SpineNetCore.learning.simulated_discs import Simulation
    from SpineNetCore.models import grading_network

    earlier = _grader_to_train_further(options)
    learned = grading_network(earlier) if earlier else None
    scans = read_sources(options.spider, options.manifest)
    course = course_further(learned.config) if learned else course_of(_preset(options))
    course = course.shortened(options.steps) if options.steps else course
    if options.swap_validation_and_test:
        scans, course = swapped(scans), course.for_swapped_patients()
    detector = vertebra_network(read_model(_detector_file(options.output), DETECTOR_KIND))
    simulation = Simulation(_phantoms_of_grader(options), options.workers, course.is_guided)
    with joined(options.device or "auto", options.workers) as process:
        implants = _implants_of_grader(options)
        data = grader_data(scans, options.work, detector, simulation, process=process, implants=implants)
        network = learn_grader(data, course, options.work, process, learned)
    if process.is_first:
        _save_detector(options.output)
        _save_grader(network, scans, earlier, options)


def _preset(options: argparse.Namespace) -> Preset:
    return Preset(options.preset or Preset.QUICK.value)


def _phantoms_of_grader(options: argparse.Namespace) -> int:
    return _unless_as_published(options.phantoms, 1000, options)


def _implants_of_grader(options: argparse.Namespace) -> int:
    return _unless_as_published(options.implants, VARIANTS, options)


def _unless_as_published(asked_for: int | None, default: int, options: argparse.Namespace) -> int:
    """What was asked for, or else the default; the published recipe knows neither phantoms nor implants."""
    if asked_for is not None:
        return asked_for
    return 0 if options.further is None and _preset(options) is Preset.PAPER else default


def _detector_file(folder: Path) -> Path:
    """The folder's own, or else the bundled one."""
    own = folder / DETECTOR_FILE
    return own if own.exists() else BUNDLED_MODELS / DETECTOR_FILE


def _grader_to_train_further(options: argparse.Namespace) -> StoredModel | None:
    from SpineNetCore.learning.datasets.learned_patients import LearnedPatients

    if options.further is None:
        return None
    if options.swap_validation_and_test:
        raise InputError(
            "--further and --swap-validation-and-test exclude each other: graders to be compared are learned alike. "
            "Leave one of them out."
        )
    if not options.further.is_file():
        raise InputError(f"There is no grader '{options.further}' to train further: give the file of one.")
    stored = read_model(options.further, GRADER_KIND)
    if LearnedPatients.from_note(stored.note).is_swapped:
        raise InputError(
            f"'{options.further}' is the second of two graders, whose validation and test patients are exchanged: give "
            "the first to train it further."
        )
    return stored


def _save_detector(folder: Path) -> None:
    """Beside the grader that learned from its discs."""
    from SpineNetCore.whole_files import written_whole

    used, own = _detector_file(folder), folder / DETECTOR_FILE
    if used != own:
        with written_whole(own) as partial:
            shutil.copyfile(used, partial)


def _save_grader(
    network: GradingNetwork, scans: Sequence[GradedScan], earlier: StoredModel | None, options: argparse.Namespace
) -> None:
    from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
    from SpineNetCore.model_files import Storage
    from SpineNetCore.models import save_network
    from SpineNetCore.network import without_batch_norm

    is_swapped = options.swap_validation_and_test
    manner = f"by the preset '{_preset(options).value}'"
    origins = [_SPIDER_LICENCE] * (options.spider is not None) + [path.name for path in options.manifest]
    patients = LearnedPatients.of(scans, is_swapped)
    if earlier is not None:
        manner = f"further from grader {earlier.digest}"
        origins = [str(earlier.note.get("data", "unknown")), *origins]
        patients = patients.and_those(LearnedPatients.from_note(earlier.note))
    note = {"description": f"grades discs, learned {manner}", "data": "; ".join(dict.fromkeys(origins))}
    path = options.output / (SWAPPED_GRADER_FILE if is_swapped else GRADER_FILE)
    save_network(without_batch_norm(network), path, note | patients.note, Storage(options.storage or "8-bit"))
