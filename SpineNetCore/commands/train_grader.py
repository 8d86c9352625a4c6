"""`train grader`: a grader, learned from phantoms, SPIDER and one's own labels, or one that is trained further."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from SpineNetCore.commands.options import check_implants
from SpineNetCore.errors import InputError
from SpineNetCore.learning.courses import course_further, course_of
from SpineNetCore.learning.datasets.graded_scans import GradedScan
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.datasets.sources import read_sources
from SpineNetCore.learning.datasets.spider import LICENCE
from SpineNetCore.learning.datasets.splits import swapped
from SpineNetCore.learning.grader_recipe import Preset
from SpineNetCore.learning.implants import VARIANTS
from SpineNetCore.learning.processes import joined
from SpineNetCore.learning.recipes import grader_data, learn_grader
from SpineNetCore.learning.simulated_discs import Simulation
from SpineNetCore.model_files import DETECTOR_KIND, GRADER_KIND, Storage, StoredModel, read_model
from SpineNetCore.models import (
    BUNDLED_MODELS,
    DETECTOR_FILE,
    GRADER_FILE,
    SWAPPED_GRADER_FILE,
    grading_network,
    save_network,
    vertebra_network,
)
from SpineNetCore.network import GradingNetwork, without_batch_norm
from SpineNetCore.whole_files import written_whole


def train_grader(options: argparse.Namespace) -> None:
    """Learn it and write it, with the detector that cut its discs beside it."""
    check_implants(options)
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
    used, own = _detector_file(folder), folder / DETECTOR_FILE
    if used != own:
        with written_whole(own) as partial:
            shutil.copyfile(used, partial)


def _save_grader(
    network: GradingNetwork, scans: Sequence[GradedScan], earlier: StoredModel | None, options: argparse.Namespace
) -> None:
    is_swapped = options.swap_validation_and_test
    manner = f"by the preset '{_preset(options).value}'"
    origins = [LICENCE] * (options.spider is not None) + [path.name for path in options.manifest]
    patients = LearnedPatients.of(scans, is_swapped)
    if earlier is not None:
        manner = f"further from grader {earlier.digest}"
        origins = [str(earlier.note.get("data", "unknown")), *origins]
        patients = patients.and_those(LearnedPatients.from_note(earlier.note))
    note = {"description": f"grades discs, learned {manner}", "data": "; ".join(dict.fromkeys(origins))}
    path = options.output / (SWAPPED_GRADER_FILE if is_swapped else GRADER_FILE)
    save_network(without_batch_norm(network), path, note | patients.note, Storage(options.storage or "8-bit"))
