"""The grading network: VGG-M on nine slices, shared up to a branch point, then one head per task."""

from __future__ import annotations

import copy
import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from enum import Enum

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError


class BranchPoint(Enum):
    """The layer after which every task goes its own way (Table 2); its value is its name in files."""

    NONE = "none"
    CONV3 = "conv3"
    CONV4 = "conv4"
    CONV5 = "conv5"
    FC6 = "fc6"
    FC7 = "fc7"

    @property
    def shared_layers(self) -> tuple[str, ...]:
        """Layers that all tasks share; none of them means six separate networks."""
        return _LAYERS[: _LAYERS.index(self.value) + 1] if self is not BranchPoint.NONE else ()

    @property
    def head_layers(self) -> tuple[str, ...]:
        """Layers that each task has for itself, before its FC8."""
        return _LAYERS[len(self.shared_layers) :]


_LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")
_KERNELS = (7, 5, 3, 3, 3)
_STRIDES = (2, 2, 1, 1, 1)
_POOLED = (True, True, False, False, True)


@dataclass(frozen=True)
class NetworkConfig:
    """All that fixes the shape of a grading network, and how sure it may be.

    ours: `fc6` and `fc7` widths and `conv_pads`, which the paper leaves unsaid, are those of VGG-M-1024.
    `batch_norm`, for quick training: after each convolution and after FC6 and FC7; folded away before shipping.
    `temperatures`: one per task, above 0, see `temperature.tempered`; fitted once the network has learned.
    """

    branch_point: BranchPoint = BranchPoint.CONV5
    fc6: int = 4096
    fc7: int = 1024
    dropout: float = 0.5
    conv_widths: tuple[int, ...] = (96, 256, 512, 512, 512)
    conv_pads: tuple[int, ...] = (0, 1, 1, 1, 1)
    batch_norm: bool = False
    slices: int = 9
    rows: int = 112
    columns: int = 224
    temperatures: tuple[float, ...] = (1.0,) * len(Task)

    def __post_init__(self) -> None:
        if len(self.conv_widths) != len(_KERNELS) or len(self.conv_pads) != len(_KERNELS):
            raise InputError(
                f"The network has five convolutions, but was given widths {self.conv_widths} and pads "
                f"{self.conv_pads}: give five of each."
            )
        if min(self.fc6, self.fc7, self.slices, *self.conv_widths) < 1 or min(self.conv_pads) < 0:
            raise InputError(
                f"A network cannot have the sizes of {self}: give widths of at least 1 and pads of 0 or more."
            )
        if not 0 <= self.dropout < 1:
            raise InputError(f"A dropout of {self.dropout} is no probability below 1: give one, such as 0.5.")
        if len(self.temperatures) != len(Task) or not all(0 < one < math.inf for one in self.temperatures):
            raise InputError(
                f"The temperatures {self.temperatures} are not {len(Task)} finite numbers above 0: give one per task."
            )
        if min(self.last_map) < 1:
            raise InputError(
                f"A disc volume of {self.rows} x {self.columns} pixels is too small for five convolutions: "
                "give at least 56 rows and 56 columns."
            )

    @property
    def last_map(self) -> tuple[int, int]:
        """Rows and columns of the map that FC6 reads."""
        return self._after_convolutions(self.rows), self._after_convolutions(self.columns)

    def _after_convolutions(self, size: int) -> int:
        for kernel, stride, pad, pooled in zip(_KERNELS, _STRIDES, self.conv_pads, _POOLED, strict=True):
            size = (size + 2 * pad - kernel) // stride + 1
            size = size // 2 if pooled else size
        return size


class GradingNetwork(nn.Module):
    """VGG-M for disc volumes, one score per class of each task (section 4).

    forward: (N, slices, rows, columns) intensities in [0, 1] to unnormalised class scores, (N, classes) per task,
    classes in the order of `Task.grades`. `slice_means`: (slices,), subtracted from the input.
    """

    slice_means: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("slice_means", torch.zeros(config.slices))
        self.shared = _layers(config, config.branch_point.shared_layers)
        self.heads = nn.ModuleDict({task.value: _head(config, task) for task in Task})
        self.apply(_initialise)

    def forward(self, volumes: Tensor) -> dict[Task, Tensor]:
        features = self.trunk(volumes)
        return {task: self.head(task, features) for task in Task}

    def trunk(self, volumes: Tensor) -> Tensor:
        """(N, slices, rows, columns) to what the tasks share at the branch point."""
        centred = volumes - self.slice_means[:, None, None]
        features: Tensor = self.shared(centred.to(self.convolution_dtype))
        return features

    def head(self, task: Task, features: Tensor) -> Tensor:
        """The trunk's features to (N, classes) unnormalised scores of one task."""
        scores: Tensor = self.heads[task.value](features)
        return scores

    @property
    def convolution_dtype(self) -> torch.dtype:
        return next(parameter.dtype for parameter in self.parameters() if parameter.ndim == 4)


def without_batch_norm(network: GradingNetwork) -> GradingNetwork:
    """The paper's plain network that computes, in evaluation, exactly what this one does with its normalisation."""
    plain = GradingNetwork(replace(network.config, batch_norm=False)).eval().to(network.slice_means)
    plain.slice_means.copy_(network.slice_means)
    trained = copy.deepcopy(network).eval()
    for name, module in trained.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            norm = dict(trained.get_submodule(name.rpartition(".")[0]).named_children()).get("norm")
            plain.get_submodule(name).load_state_dict(_folded(module, norm).state_dict())
    return plain


def _layers(config: NetworkConfig, names: tuple[str, ...]) -> nn.Sequential:
    return nn.Sequential(OrderedDict((name, _layer(config, _LAYERS.index(name))) for name in names))


def _head(config: NetworkConfig, task: Task) -> nn.Sequential:
    head = _layers(config, config.branch_point.head_layers)
    head.add_module("fc8", nn.Linear(config.fc7, len(task.grades)))
    return head


def _layer(config: NetworkConfig, index: int) -> nn.Sequential:
    return _convolution(config, index) if index < len(_KERNELS) else _fully_connected(config, index)


def _convolution(config: NetworkConfig, index: int) -> nn.Sequential:
    inputs = (config.slices, *config.conv_widths)[index]
    width = config.conv_widths[index]
    layer = nn.Sequential()
    layer.add_module("linear", nn.Conv2d(inputs, width, _KERNELS[index], _STRIDES[index], config.conv_pads[index]))
    if config.batch_norm:
        layer.add_module("norm", nn.BatchNorm2d(width))
    if _POOLED[index]:  # before the ReLU it gives the same values for a quarter of the work
        layer.add_module("pool", nn.MaxPool2d(2))
    layer.add_module("relu", nn.ReLU(inplace=True))
    return layer


def _fully_connected(config: NetworkConfig, index: int) -> nn.Sequential:
    rows, columns = config.last_map
    is_first = _LAYERS[index] == "fc6"
    inputs, width = (config.conv_widths[-1] * rows * columns, config.fc6) if is_first else (config.fc6, config.fc7)
    layer = nn.Sequential()
    if is_first:
        layer.add_module("flatten", _Flatten())
    layer.add_module("linear", nn.Linear(inputs, width))
    if config.batch_norm:
        layer.add_module("norm", nn.BatchNorm1d(width))
    layer.add_module("relu", nn.ReLU(inplace=True))
    layer.add_module("dropout", nn.Dropout(config.dropout))
    return layer


class _Flatten(nn.Module):
    """(N, C, rows, columns) to (N, C * rows * columns), at least float32: heads are cheap, scores need the digits."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.flatten(1).to(torch.promote_types(maps.dtype, torch.float32))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):  # Xavier, as the paper's reference [4]
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _folded(module: nn.Conv2d | nn.Linear, norm: nn.Module | None) -> nn.Module:
    if isinstance(module, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
        return fuse_conv_bn_eval(module, norm)
    if isinstance(module, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
        return fuse_linear_bn_eval(module, norm)
    return module
