"""`train grader`: a grader, learned from phantoms, SPIDER and one's own labels, or one that is trained further or only
told how sure it may be.
"""

from __future__ import annotations

import argparse
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from SpineNetCore.commands.options import check_implants
from SpineNetCore.errors import InputError
from SpineNetCore.learning.courses import course_further, course_of
from SpineNetCore.learning.datasets.graded_scans import GradedScan, Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.datasets.sources import read_sources
from SpineNetCore.learning.datasets.spider import LICENCE
from SpineNetCore.learning.datasets.splits import swapped
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.grader_recipe import Preset
from SpineNetCore.learning.implants import VARIANTS
from SpineNetCore.learning.processes import Process, joined
from SpineNetCore.learning.recipes import grader_data, learn_grader, validation_discs
from SpineNetCore.learning.simulated_discs import Simulation
from SpineNetCore.learning.temperature_fitting import fit_temperatures
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
from SpineNetCore.vertebra_network import VertebraNetwork
from SpineNetCore.whole_files import written_whole

log = logging.getLogger(__name__)


def train_grader(options: argparse.Namespace) -> None:
    """Learn it and write it, with the detector that cut its discs beside it."""
    check_implants(options)
    _check_fits_only(options)
    earlier = _grader_to_train_further(options)
    scans = _scans_of_grader(earlier, options)
    with joined(options.device or "auto", options.workers) as process:
        learned = grading_network(earlier) if earlier else None
        network, watched = _learned(learned, scans, process, options)
        plain = without_batch_norm(network)
        if process.is_first and watched:
            fit_temperatures(plain, watched, process.device)
            log.info("temperatures %s, by %d discs for validation", plain.config.temperatures, len(watched))
    if process.is_first:
        if not watched:
            log.warning("no disc of a patient for validation tells how sure probabilities may be: they are as learned")
        _save_detector(options.output)
        _save_grader(plain, scans, earlier, options)


def _fits_only(options: argparse.Namespace) -> bool:
    return bool(options.steps == 0)


def _check_fits_only(options: argparse.Namespace) -> None:
    if _fits_only(options) and options.further is None:
        raise InputError(
            "--steps 0 trains nothing and only fits how sure a finished grader may be: name one with --further FILE, "
            "or give more steps."
        )
    for option, given in (("--phantoms", options.phantoms), ("--implants", options.implants)):
        if _fits_only(options) and given is not None:
            raise InputError(f"{option} is for training, but --steps 0 trains nothing: leave it out.")


def _scans_of_grader(earlier: StoredModel | None, options: argparse.Namespace) -> list[GradedScan]:
    """Those to be looked at. Patients for validation whom an earlier training learned from tell nothing more."""
    scans = read_sources(options.spider, options.manifest)
    scans = swapped(scans) if options.swap_validation_and_test else scans
    known = LearnedPatients.from_note(earlier.note if earlier else {})
    fresh = [scan for scan in scans if scan.split is not Split.VALIDATION or not known.have(scan)]
    if len(fresh) < len(scans):
        spent = len(scans) - len(fresh)
        log.warning("%d scans for validation are left out: the grader has learned from their patients", spent)
    return [scan for scan in fresh if scan.split is Split.VALIDATION] if _fits_only(options) else fresh


def _learned(
    earlier: GradingNetwork | None, scans: Sequence[GradedScan], process: Process, options: argparse.Namespace
) -> tuple[GradingNetwork, Sequence[DiscExample]]:
    """The network, and the discs that say how sure it may be."""
    detector = vertebra_network(read_model(_detector_file(options.output), DETECTOR_KIND))
    if earlier is not None and _fits_only(options):
        with process.first_alone():
            return earlier, _validation_discs(scans, options.work, detector)
    course = course_further(earlier.config) if earlier else course_of(_preset(options))
    course = course.shortened(options.steps) if options.steps else course
    course = course.for_swapped_patients() if options.swap_validation_and_test else course
    simulation = Simulation(_phantoms_of_grader(options), options.workers, course.is_guided)
    implants = _implants_of_grader(options)
    data = grader_data(scans, options.work, detector, simulation, process=process, implants=implants)
    return learn_grader(data, course, options.work, process, earlier), data.validation


def _validation_discs(scans: Sequence[GradedScan], work: Path, detector: VertebraNetwork) -> list[DiscExample]:
    found = validation_discs(scans, work, detector)
    if not found:
        raise InputError(
            f"How sure a grader may be is fitted on patients for validation, but of the {len(scans)} scans of such no "
            "graded disc was found: give at least three patients, or mark some with 'validation' in the manifest's "
            "column split, and a detector that finds their discs in --output."
        )
    return found


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
    description = f"grades discs, learned {manner}"
    if earlier is not None and _fits_only(options):
        description = f"{earlier.note.get('description')}; as sure as patients for validation allow"
    note = {"description": description, "data": "; ".join(dict.fromkeys(origins))}
    path = options.output / (SWAPPED_GRADER_FILE if is_swapped else GRADER_FILE)
    kept = earlier.storage if earlier is not None and _fits_only(options) else Storage.EIGHT_BIT
    save_network(network, path, note | patients.note, Storage(options.storage) if options.storage else kept)
