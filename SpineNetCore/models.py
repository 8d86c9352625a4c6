"""The networks of an analysis, as files and ready to look with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from SpineNetCore.errors import InputError
from SpineNetCore.model_files import DETECTOR_KIND, GRADER_KIND, Config, Storage, StoredModel, read_model, save_model
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.vertebra_network import VertebraNetwork, VertebraNetworkConfig

BUNDLED_MODELS = Path(__file__).resolve().parent.parent / "Resources" / "Models"
DETECTOR_FILE = "detector.safetensors"
GRADER_FILE = "grader.safetensors"
SWAPPED_GRADER_FILE = "grader-swapped.safetensors"
"""Of the second of two graders, whose validation and test patients are exchanged."""

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Models:
    """Both networks, ready to look with, and the files they came from."""

    detector: VertebraNetwork
    grader: GradingNetwork
    detector_file: StoredModel
    grader_file: StoredModel


def load_models(folder: Path) -> Models:
    """Read detector and grader from a folder; raises InputError when one is missing or no good."""
    if not folder.is_dir():
        raise InputError(
            f"The models folder {str(folder)!r} does not exist: pass --models with the folder that holds them."
        )
    detector = read_model(folder / DETECTOR_FILE, DETECTOR_KIND)
    grader = read_model(folder / GRADER_FILE, GRADER_KIND)
    return Models(vertebra_network(detector), grading_network(grader), detector, grader)


def load_detector(folder: Path) -> VertebraNetwork:
    """The detector of a folder alone; raises InputError when it is missing or no good."""
    return vertebra_network(read_model(folder / DETECTOR_FILE, DETECTOR_KIND))


def load_network(path: Path) -> GradingNetwork:
    """Read a grading network, in evaluation mode, on the CPU, in float32; raises InputError if the file is no good."""
    return grading_network(read_model(path, GRADER_KIND))


def save_network(
    network: GradingNetwork, path: Path, note: Mapping[str, Any] | None = None, storage: Storage = Storage.EIGHT_BIT
) -> None:
    """Write a grading network to a safetensors file, whole or not at all; `note` is kept for the model card."""
    save_model(network, network.config, GRADER_KIND, path, note=note, storage=storage)


def grading_network(stored: StoredModel) -> GradingNetwork:
    """The grading network that a model file holds, in evaluation mode; raises InputError if its tensors do not fit."""
    return _filled(GradingNetwork, NetworkConfig, stored)


def vertebra_network(stored: StoredModel) -> VertebraNetwork:
    """The detector that a model file holds, in evaluation mode; raises InputError if its tensors do not fit."""
    return _filled(VertebraNetwork, VertebraNetworkConfig, stored)


def _filled(make: Callable[[Config], Network], kind: type[Config], stored: StoredModel) -> Network:
    config = stored.config(kind)
    with torch.device("meta"):
        network = make(config)
    stored.fill(network)
    return network.eval()


def chosen_device(name: str) -> torch.device:
    """`auto` takes the GPU where there is one; raises InputError for CUDA where there is none."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda was asked for, but PyTorch sees no CUDA GPU here: use --device cpu or auto.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
