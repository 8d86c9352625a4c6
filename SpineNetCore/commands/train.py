"""`train`: the shipped models, learned again from data."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from SpineNetCore.models import BUNDLED_MODELS, DETECTOR_FILE, DETECTOR_KIND, GRADER_FILE, vertebra_network

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_SPIDER_LICENCE = "SPIDER, CC BY 4.0, van der Graaf et al. 2024, doi 10.5281/zenodo.10159290"


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="learn the detector or the grader from data",
        description="Learn a model from the reduced SPIDER copy and from phantoms, and write it to --output. A run "
        "that was stopped goes on from its checkpoints in --work. Learn the detector first: the grader needs it.",
    )
    parser.add_argument("model", choices=("detector", "grader"))
    parser.add_argument("--spider", type=Path, required=True, metavar="DIR", help="folder of the reduced SPIDER copy")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder for checkpoints and caches")
    parser.add_argument("--output", type=Path, default=BUNDLED_MODELS, metavar="DIR", help="folder for the model")
    parser.add_argument(
        "--phantoms",
        type=int,
        metavar="N",
        help="how many to simulate (default: 240 for the detector, 450 for the grader)",
    )
    parser.add_argument(
        "--storage",
        choices=("8-bit", "half", "full"),
        help="of the weights (default: half for the detector, else 8-bit)",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes that simulate (default 2)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Learn and write."""
    logging.getLogger("SpineNetCore").setLevel(logging.INFO)
    (_train_detector if options.model == "detector" else _train_grader)(options)


def _train_detector(options: argparse.Namespace) -> None:
    from SpineNetCore.learning.recipes import learn_detector
    from SpineNetCore.model_files import Storage, save_model

    networks = learn_detector(options.spider, options.work, options.phantoms or 240, options.workers)
    for hidden_fold, network in networks.items():
        folder = options.output if hidden_fold is None else options.work / f"fold-{hidden_fold}"
        note = {"description": "finds vertebral bodies on sagittal slices", "data": _SPIDER_LICENCE}
        storage = Storage(options.storage or "half")
        save_model(network, network.config, DETECTOR_KIND, folder / DETECTOR_FILE, note=note, storage=storage)


def _train_grader(options: argparse.Namespace) -> None:
    from SpineNetCore.learning.recipes import learn_grader
    from SpineNetCore.model_files import Storage, read_model, save_network
    from SpineNetCore.network import without_batch_norm

    detector = vertebra_network(read_model(options.output / DETECTOR_FILE, DETECTOR_KIND))
    network = learn_grader(options.spider, options.work, detector, options.phantoms or 450, options.workers)
    note = {"description": "grades discs, VGG-M with narrow heads", "data": _SPIDER_LICENCE}
    save_network(without_batch_norm(network), options.output / GRADER_FILE, note, Storage(options.storage or "8-bit"))
