"""The libraries that the networks need and Slicer does not bring."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from subprocess import CalledProcessError

import slicer

from SpineNetCore.errors import InputError

_OLDEST_TORCH = (2, 2)
"""The last one for Intel Macs, for which Slicer is built, is 2.2.2."""
_SAFETENSORS = "safetensors>=0.4"
_EXTENSION = "PyTorch"


def are_missing() -> bool:
    """Whether anything has to be installed before the first analysis."""
    return not _has_torch() or find_spec("safetensors") is None


def install() -> None:
    """Install what is missing, PyTorch through Slicer's own extension, which knows the build for this computer's GPU.

    Raises InputError where the user has to do something first.
    """
    if not _has_torch():
        _downloaded("PyTorch", _install_torch)
        if not _has_torch():  # cancelled or failed: the extension does not tell
            raise InputError(
                "PyTorch 2.2 or newer is still not installed: press the button again and agree to it, or look into "
                "Slicer's error log if you did."
            )
    if find_spec("safetensors") is None:
        wanted = ["--no-deps", _SAFETENSORS]  # never touch Slicer's own numpy
        _downloaded("safetensors", lambda: slicer.util.pip_install(wanted))


def _downloaded(what: str, install_it: Callable[[], object]) -> None:
    try:
        install_it()
    except CalledProcessError as error:
        raise InputError(
            f"{what} could not be downloaded or installed: check the network and its proxy, and free disk space; pip's "
            "own words are in Slicer's error log."
        ) from error


def _has_torch() -> bool:
    importlib.invalidate_caches()
    if find_spec("torch") is None:
        return False
    try:
        major, minor, *_rest = version("torch").split(".")
    except PackageNotFoundError:  # an installation that was broken off leaves a folder without a version
        return False
    return (int(major), int(minor)) >= _OLDEST_TORCH


def _install_torch() -> None:
    if find_spec("PyTorchUtils") is None:
        extensions = slicer.app.extensionsManagerModel()
        extensions.installExtensionFromServer(_EXTENSION, False)  # no restart yet; a broken download counts as success
        if not extensions.isExtensionInstalled(_EXTENSION):
            raise InputError(
                "Slicer's PyTorch extension was not installed: press the button again and agree to it, check the "
                "network, or install it from a file in Slicer's Extensions Manager."
            )
        raise InputError(
            "Slicer's PyTorch extension is installed: save your work, restart Slicer and press the button again."
        )
    utilities = importlib.import_module("PyTorchUtils")
    wanted = f">={'.'.join(map(str, _OLDEST_TORCH))}"
    utilities.PyTorchUtilsLogic().installTorch(askConfirmation=True, torchVersionRequirement=wanted)
