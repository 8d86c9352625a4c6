"""The evidence hotspots as volumes, and one of them laid over the scan in every slice view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.file_volume import FileVolume
from SpineNetCore.pictures import heat_palette
from SpineNetLib.analysis import Analysis, follow_scan, nodes_of_class
from SpineNetLib.scan_nodes import EVIDENCE_MARK, Node, is_evidence, place_volume
from SpineNetLib.segments import disc_mask

_COLOURS = "SpineNetHotspotColours"
"""Singleton tag: one colour table serves all analyses of a scene."""

_FOREGROUND_BEFORE, _OPACITY_BEFORE = "SpineNet.foregroundBefore", "SpineNet.opacityBefore"
"""Attributes of a view's layers: what the evidence lies in the place of."""

_ALL_DISCS, _CHOSEN_DISCS = "all discs", "chosen discs"
"""Whose heat an evidence volume has; one volume for that of chosen discs serves all analyses of a scene."""


@dataclass(frozen=True)
class Overlay:
    """How a heat map lies over the scan.

    opacity: in [0, 1]. threshold: heat in [0, 1] below which the scan stays bare. discs: levels of the analysis whose
    heat is shown, None for all.
    """

    opacity: float = 0.8
    threshold: float = 0.15
    discs: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name, value in (("opacity", self.opacity), ("threshold", self.threshold)):
            if not 0 <= value <= 1:
                raise InputError(f"The heat map's {name} cannot be {value}: give a number from 0 to 1.")


def add_heat_maps(analysis: Analysis, hotspots: Mapping[Task, FileVolume]) -> None:
    """Add a volume per task on the scan's grid, all in the same colours; nothing where there are no hotspots."""
    for task, volume in hotspots.items():
        name = f"{analysis.scan.GetName()} {task.title} evidence"
        node = analysis.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        place_volume(node, volume)
        _present(node, _ALL_DISCS)
        analysis.refer_heat_map(task, node)


def show_heat_map(analysis: Analysis, task: Task, overlay: Overlay) -> Node:
    """Lay one task's heat map over the scan in its slice views, with its legend; returns the volume shown.

    Raises InputError where there is none, or the scan was moved away from it.
    """
    node = analysis.heat_map(task)
    follow_scan(analysis)
    if overlay.discs is not None:
        node = _heat_of_discs(analysis, node, overlay.discs)
    node.GetDisplayNode().SetThreshold(overlay.threshold, 1.0)
    with_evidence, ours = _layers_with_evidence(analysis.scene), layers_for(analysis.scan)
    for layers in with_evidence:
        if layers not in ours:
            _give_back(layers)
    for layers in ours:
        if layers not in with_evidence:
            layers.SetAttribute(_FOREGROUND_BEFORE, layers.GetForegroundVolumeID())
            layers.SetAttribute(_OPACITY_BEFORE, str(layers.GetForegroundOpacity()))
        layers.SetBackgroundVolumeID(analysis.scan.GetID())
        layers.SetForegroundVolumeID(node.GetID())
        layers.SetForegroundOpacity(overlay.opacity)
    _show_legend(analysis, node, f"{task.title}\nevidence")
    return node


def hide_heat_maps(scene: Any) -> None:
    """Where a heat map of any analysis lies over a scan, show again what lay there before."""
    for layers in _layers_with_evidence(scene):
        _give_back(layers)
    for volume in _all_evidence(scene):
        _set_legend(volume, is_visible=False)


def is_heat_map_shown(scene: Any) -> bool:
    """Whether any slice view shows evidence."""
    return bool(_layers_with_evidence(scene))


def layers_for(scan: Node) -> list[Node]:
    """What the scan's slice views show: those that have it and the empty ones, or all views where none has it yet."""
    found = nodes_of_class(scan.GetScene(), "vtkMRMLSliceCompositeNode")
    having = [layers for layers in found if layers.GetBackgroundVolumeID() == scan.GetID()]
    return [layers for layers in found if layers in having or not layers.GetBackgroundVolumeID()] if having else found


def _present(node: Node, whose: str) -> None:
    """Mark a volume as evidence and give it its colours."""
    node.SetAttribute(EVIDENCE_MARK, whose)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(_hotspot_colours(node.GetScene()).GetID())
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0, 1.0)
    display.SetInterpolate(True)
    display.SetThreshold(Overlay.threshold, 1.0)
    display.SetApplyThreshold(True)


def _hotspot_colours(scene: Any) -> Node:
    """The colours of the report's page, clear at zero."""
    node = scene.GetSingletonNode(_COLOURS, "vtkMRMLColorTableNode")
    if node is None:
        palette = heat_palette() / 255.0
        node = slicer.vtkMRMLColorTableNode()
        node.SetName("SpineNet hotspots")
        node.SetSingletonTag(_COLOURS)
        node.SetTypeToUser()
        node.SetNumberOfColors(len(palette))
        for place, (red, green, blue, opacity) in enumerate(palette.tolist()):
            node.SetColor(place, f"{place / (len(palette) - 1):.2f}", red, green, blue, opacity)
        node.SetHideFromEditors(False)
        node = scene.AddNode(node)
    return node


def _heat_of_discs(analysis: Analysis, whole: Node, discs: tuple[str, ...]) -> Node:
    """A copy with the heat of some discs only; not saved with the scene, since it can be made again."""
    node = _volume_of_chosen_discs(analysis.scene)
    if node is None:
        node = analysis.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "SpineNet evidence of chosen discs")
        _present(node, _CHOSEN_DISCS)
        for unsaved in (node, node.GetDisplayNode()):
            unsaved.SetSaveWithScene(False)
    heat = slicer.util.arrayFromVolume(whole)
    node.CopyOrientation(whole)
    node.SetAndObserveTransformNodeID(whole.GetTransformNodeID())
    slicer.util.updateVolumeFromArray(node, np.where(disc_mask(analysis, discs), heat, np.float32(0)))
    return node


def _volume_of_chosen_discs(scene: Any) -> Node | None:
    volumes = nodes_of_class(scene, "vtkMRMLScalarVolumeNode")
    return next((node for node in volumes if node.GetAttribute(EVIDENCE_MARK) == _CHOSEN_DISCS), None)


def _show_legend(analysis: Analysis, node: Node, title: str) -> None:
    """Made after the views show the volume: the legend's manager looks no earlier."""
    for other in _all_evidence(analysis.scene):
        _set_legend(other, is_visible=other is node)
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node)
    legend.SetTitleText(title)
    legend.SetNumberOfLabels(3)
    legend.SetSize(0.1, 0.25)
    legend.SetPosition(0.98, 0.03)
    legend.SetVisibility(True)
    legend.SetSaveWithScene(node.GetSaveWithScene())


def _set_legend(volume: Node, is_visible: bool) -> None:
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)
    if legend is not None:
        legend.SetVisibility(is_visible)


def _give_back(layers: Node) -> None:
    """Let what the evidence lies in the place of be seen again, where it is still in the scene."""
    before = layers.GetScene().GetNodeByID(layers.GetAttribute(_FOREGROUND_BEFORE) or "")
    layers.SetForegroundVolumeID(before and before.GetID())
    layers.SetForegroundOpacity(float(layers.GetAttribute(_OPACITY_BEFORE) or 0))


def _layers_with_evidence(scene: Any) -> list[Node]:
    ids = {volume.GetID() for volume in _all_evidence(scene)}
    found = nodes_of_class(scene, "vtkMRMLSliceCompositeNode")
    return [layers for layers in found if layers.GetForegroundVolumeID() in ids]


def _all_evidence(scene: Any) -> list[Node]:
    return [node for node in nodes_of_class(scene, "vtkMRMLScalarVolumeNode") if is_evidence(node)]
