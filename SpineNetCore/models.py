"""The models that an analysis needs, found in one folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from SpineNetCore.errors import InputError
from SpineNetCore.model_files import DETECTOR_KIND, GRADER_KIND, StoredModel, grading_network, read_model
from SpineNetCore.network import GradingNetwork
from SpineNetCore.vertebra_network import VertebraNetwork, VertebraNetworkConfig

BUNDLED_MODELS = Path(__file__).resolve().parent.parent / "Resources" / "Models"
DETECTOR_FILE = "detector.safetensors"
GRADER_FILE = "grader.safetensors"


@dataclass(frozen=True)
class Models:
    """Both networks, ready to look with, and the files they came from."""

    detector: VertebraNetwork
    grader: GradingNetwork
    files: tuple[StoredModel, StoredModel]


def load_models(folder: Path) -> Models:
    """Read detector and grader from a folder; raises InputError when one is missing or no good."""
    if not folder.is_dir():
        raise InputError(
            f"The models folder {str(folder)!r} does not exist: pass --models with the folder that holds them."
        )
    stored_detector = read_model(folder / DETECTOR_FILE, DETECTOR_KIND)
    stored_grader = read_model(folder / GRADER_FILE, GRADER_KIND)
    return Models(vertebra_network(stored_detector), grading_network(stored_grader), (stored_detector, stored_grader))


def vertebra_network(stored: StoredModel) -> VertebraNetwork:
    """The detector that a model file holds, in evaluation mode; raises InputError if its tensors do not fit."""
    config = stored.config(VertebraNetworkConfig)
    with torch.device("meta"):
        network = VertebraNetwork(config)
    stored.fill(network)
    return network.eval()


def chosen_device(name: str) -> torch.device:
    """`auto` takes the GPU where there is one; raises InputError for CUDA where there is none."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda was asked for, but PyTorch sees no CUDA GPU here: use --device cpu or auto.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
