"""One folder of the data tree per analysis."""

from __future__ import annotations

from typing import Any

import slicer

from SpineNetLib.analysis import Analysis
from SpineNetLib.scan_nodes import Node


def file_away(analysis: Analysis) -> None:
    """Put all nodes of the analysis into a new folder beside its scan."""
    tree = _tree(analysis)
    scan_item = tree.GetItemByDataNode(analysis.scan)
    beside_scan = tree.GetItemParent(scan_item) if scan_item else tree.GetSceneItemID()
    folder = tree.CreateFolderItem(beside_scan, f"{analysis.scan.GetName()} SpineNet")
    outlines = tree.CreateFolderItem(folder, "Outlines")
    tree.SetItemExpanded(outlines, False)
    curves = {curve.GetID() for curve in analysis.outlines()}
    for node in analysis.own_nodes():
        _put(tree, node, outlines if node.GetID() in curves else folder)


def file_beside(analysis: Analysis, node: Node) -> None:
    """Put a node that came later into the analysis' folder, where that still is."""
    folder = folder_of(analysis)
    if folder:
        _put(_tree(analysis), node, folder)


def folder_of(analysis: Analysis) -> int:
    """Item of the analysis' folder; 0 where there is none."""
    tree = _tree(analysis)
    item = tree.GetItemByDataNode(analysis.record)
    return int(tree.GetItemParent(item)) if item else 0


def _put(tree: Any, node: Node, folder: int) -> None:
    item = tree.GetItemByDataNode(node)
    if item:
        tree.SetItemParent(item, folder)
    else:
        tree.CreateItem(folder, node)


def _tree(analysis: Analysis) -> Any:
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(analysis.scene)
