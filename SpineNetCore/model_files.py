"""Networks on disk: one safetensors file each, with its own configuration, written whole and read with suspicion."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from SpineNetCore import __version__
from SpineNetCore.errors import InputError
from SpineNetCore.tensors import array_of
from SpineNetCore.whole_files import written_whole

FORMAT_VERSION = "1"
DETECTOR_KIND, GRADER_KIND = "detector", "grader"
_SCALE = "#scale"
_REMEDY = "reinstall the models or pass --models with a folder that holds them"

Config = TypeVar("Config")


class Storage(Enum):
    """How weights are kept on disk; biases and statistics are always kept in full."""

    EIGHT_BIT = "8-bit"
    HALF = "half"
    FULL = "full"


@dataclass(frozen=True)
class StoredModel:
    """What a model file holds: configuration as JSON, the card's note, weights in float32.

    storage: how the file keeps them. digest: the first twelve hexadecimal digits of the SHA-256 of configuration and
    weights, which name it in reports.
    """

    path: Path
    config_json: str
    note: dict[str, Any]
    state: dict[str, Tensor]
    storage: Storage
    digest: str

    def config(self, kind: type[Config]) -> Config:
        """The configuration as the frozen dataclass it was written from; raises InputError if it is another's."""
        try:
            return _config_from_json(kind, self.config_json)
        except (InputError, TypeError, ValueError, KeyError) as error:
            raise InputError(
                f"The configuration {self.config_json!r} in model '{self.path}' does not fit this version: {_REMEDY}."
            ) from error

    def fill(self, module: nn.Module) -> None:
        """Give the weights to a module, which may be on the meta device; raises InputError unless all fit."""
        expected = module.state_dict()
        for name in sorted(expected.keys() | self.state.keys()):
            self._check_tensor(name, expected.get(name))
        module.load_state_dict(self.state, assign=True)

    def _check_tensor(self, name: str, expected: Tensor | None) -> None:
        found = self.state.get(name)
        wanted_shape = None if expected is None else tuple(expected.shape)
        found_shape = None if found is None else tuple(found.shape)
        if wanted_shape != found_shape:
            raise InputError(
                f"Tensor '{name}' of model '{self.path}' should have shape {_said(wanted_shape)} "
                f"but has {_said(found_shape)}: {_REMEDY}."
            )
        if found is not None and expected is not None and found.is_floating_point() != expected.is_floating_point():
            raise InputError(
                f"Tensor '{name}' of model '{self.path}' should be {expected.dtype} but is {found.dtype}: {_REMEDY}."
            )
        if found is not None and not bool(torch.isfinite(found).all()):
            raise InputError(f"Tensor '{name}' of model '{self.path}' holds values that are no numbers: {_REMEDY}.")


def save_model(
    module: nn.Module,
    config: object,
    kind: str,
    path: Path,
    *,
    note: Mapping[str, Any] | None = None,
    storage: Storage = Storage.EIGHT_BIT,
) -> None:
    """Write any network with its frozen dataclass of a configuration; `kind` is the word `read_model` must give."""
    tensors: dict[str, Tensor] = {}
    for name, tensor in module.state_dict().items():
        tensors |= _packed(name, tensor.detach().cpu().contiguous(), storage)
    metadata = {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "kind": kind,
        "storage": storage.value,
        "config": _json_from_config(config),
        "note": json.dumps(dict(note or {})),
    }
    with written_whole(path) as partial:
        partial.write_bytes(save(tensors, metadata))  # `save_file` hides it from all other users


def read_model(path: Path, kind: str) -> StoredModel:
    """Read a model file of one kind; raises InputError if it is missing, broken, of another kind or format."""
    if not path.is_file():
        raise InputError(f"There is no model file '{path}': {_REMEDY}.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            packed = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no mapping)
    except (SafetensorError, OSError) as error:
        raise InputError(f"Model file '{path}' is broken or no safetensors file ({error}): {_REMEDY}.") from error
    _check_metadata(path, metadata, kind)
    config, note = metadata["config"], _note(path, metadata["note"])
    return StoredModel(path, config, note, _unpacked(path, packed), _storage(packed), _digest(packed, config))


def weights_digest(module: nn.Module) -> str:
    """The first twelve hexadecimal digits of the SHA-256 of a network's weights, wherever they came from."""
    return _digest(module.state_dict())


def _digest(tensors: Mapping[str, Tensor], config_json: str = "") -> str:
    digest = hashlib.sha256(config_json.encode())
    for name, tensor in tensors.items():
        digest.update(name.encode() + array_of(tensor).tobytes())
    return digest.hexdigest()[:12]


def _packed(name: str, tensor: Tensor, storage: Storage) -> dict[str, Tensor]:
    if tensor.ndim < 2 or not tensor.is_floating_point() or storage is Storage.FULL:
        return {name: tensor}
    if storage is Storage.HALF:
        return {name: tensor.half()}
    largest = tensor.abs().amax(dim=tuple(range(1, tensor.ndim)), keepdim=True)
    scale = (largest / 127).clamp(min=torch.finfo(torch.float32).tiny)
    return {name: (tensor / scale).round().to(torch.int8), name + _SCALE: scale.flatten()}


def _unpacked(path: Path, packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """Undo `_packed`: every weight in float32; raises InputError where 8-bit weights and scales do not match."""
    state: dict[str, Tensor] = {}
    for name, tensor in packed.items():
        if name.endswith(_SCALE):
            continue
        if tensor.dtype == torch.int8:
            state[name] = tensor.float() * _scale_of(path, name, packed)
        else:
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def _storage(packed: Mapping[str, Tensor]) -> Storage:
    kinds = {tensor.dtype for tensor in packed.values()}
    return Storage.EIGHT_BIT if torch.int8 in kinds else Storage.HALF if torch.half in kinds else Storage.FULL


def _scale_of(path: Path, name: str, packed: dict[str, Tensor]) -> Tensor:
    tensor, scale = packed[name], packed.get(name + _SCALE)
    if scale is None or tuple(scale.shape) != tuple(tensor.shape[:1]):
        raise InputError(
            f"Tensor '{name + _SCALE}' of model '{path}' should have shape {tuple(tensor.shape[:1])} "
            f"but has {_said(None if scale is None else tuple(scale.shape))}: {_REMEDY}."
        )
    return scale.float().reshape(-1, *(1 for _ in tensor.shape[1:]))


def _check_metadata(path: Path, metadata: dict[str, str], kind: str) -> None:
    missing = [key for key in ("format_version", "kind", "config", "note") if key not in metadata]
    if missing:
        raise InputError(f"Model file '{path}' was not written by SpineNet, it lacks '{missing[0]}': {_REMEDY}.")
    if metadata["kind"] != kind:
        raise InputError(f"Model file '{path}' holds a '{metadata['kind']}' where a '{kind}' is needed: {_REMEDY}.")
    if metadata["format_version"] != FORMAT_VERSION:
        raise InputError(
            f"Model file '{path}' has format {metadata['format_version']} but this version reads {FORMAT_VERSION}: "
            f"{_REMEDY}."
        )


def _note(path: Path, text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (TypeError, ValueError) as error:
        raise InputError(f"The note {text!r} in model '{path}' is no JSON object: {_REMEDY}.") from error


def _json_from_config(config: object) -> str:
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise TypeError(f"A model's configuration must be a dataclass, not {type(config).__name__}.")
    return json.dumps(dataclasses.asdict(config), default=lambda enumerated: enumerated.value)


def _config_from_json(kind: type[Config], text: str) -> Config:
    """Undo `_json_from_config`; every field of the dataclass needs a default, which tells JSON's values their type."""
    defaults = vars(kind())
    values = {name: _typed(value, defaults[name]) for name, value in dict(json.loads(text)).items()}
    return kind(**values)


def _typed(value: Any, default: Any) -> Any:
    if isinstance(default, Enum):
        return type(default)(value)
    if isinstance(default, tuple):
        return tuple(_typed(one, default[0]) for one in value)
    if type(value) is not type(default) and not (isinstance(default, float) and isinstance(value, int)):
        raise TypeError(f"{value!r} should be of the type of {default!r}")
    return value


def _said(shape: tuple[int, ...] | None) -> str:
    return "no place in it" if shape is None else str(shape)
