"""The libraries that the networks need and Slicer does not bring."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

import slicer

from SpineNetCore.errors import InputError

TORCH_VERSIONS = ">=2.4"
_SAFETENSORS = "safetensors>=0.4"
_EXTENSION = "PyTorch"


def are_missing() -> bool:
    """Whether anything has to be installed before the first analysis."""
    importlib.invalidate_caches()
    return find_spec("torch") is None or find_spec("safetensors") is None


def install() -> None:
    """Install what is missing, PyTorch through Slicer's own extension, which knows the build for this computer's GPU.

    Raises InputError where the user has to do something first.
    """
    if find_spec("torch") is None:
        _install_torch()
    if find_spec("safetensors") is None:
        slicer.util.pip_install(["--no-deps", _SAFETENSORS])  # never touch Slicer's own numpy
    if are_missing():
        raise InputError("PyTorch could not be installed: look into Slicer's error log and press the button again.")


def _install_torch() -> None:
    if find_spec("PyTorchUtils") is None:
        slicer.app.extensionsManagerModel().installExtensionFromServer(_EXTENSION)
        raise InputError("Slicer's PyTorch extension was asked for: restart Slicer and press the button again.")
    utilities = importlib.import_module("PyTorchUtils")
    utilities.PyTorchUtilsLogic().installTorch(askConfirmation=True, torchVersionRequirement=TORCH_VERSIONS)
