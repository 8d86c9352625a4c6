"""`train detector`: the detector, learned again from the reduced SPIDER copy."""

from __future__ import annotations

import argparse

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.spider import LICENCE
from SpineNetCore.learning.recipes import learn_detector
from SpineNetCore.model_files import DETECTOR_KIND, Storage, save_model
from SpineNetCore.models import DETECTOR_FILE


def train_detector(options: argparse.Namespace) -> None:
    """Learn the one to ship and, into the working folder, one for each fold of patients; write them."""
    for option, given in (
        ("--swap-validation-and-test", options.swap_validation_and_test),
        ("--further", options.further),
        ("--steps", options.steps is not None),
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
        note = {"description": "finds vertebral bodies on sagittal slices", "data": LICENCE}
        storage = Storage(options.storage or "half")
        save_model(network, network.config, DETECTOR_KIND, folder / DETECTOR_FILE, note=note, storage=storage)
