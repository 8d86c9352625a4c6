"""An analysis in the scene: which nodes belong to it, found again after the scene was saved and loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetLib.results import Findings, read_findings
from SpineNetLib.scan_nodes import Node, has_voxels_of, is_grid_of

_MARK = "SpineNet.Analysis"


class Part(Enum):
    """What a node is to its analysis; its value is the role of the reference to it."""

    SCAN = "SpineNet.scan"
    SCORES = "SpineNet.scores"
    CORRECTIONS = "SpineNet.corrections"
    DISC_SEGMENTS = "SpineNet.discSegments"
    VERTEBRA_NAMES = "SpineNet.vertebraNames"
    DISC_NAMES = "SpineNet.discNames"
    OUTLINES = "SpineNet.outlines"
    REFERENCE = "SpineNet.reference"
    DISC_LINE = "SpineNet.discLine"


@dataclass(frozen=True)
class Analysis:
    """A handle on the text node that holds `report.json` and refers to all other nodes of the analysis."""

    record: Node

    @property
    def scene(self) -> Any:
        return self.record.GetScene()

    @property
    def findings(self) -> Findings:
        """What the analysis found, discs that were moved and graded again as they are now."""
        return read_findings(self.record.GetText(), self.record.GetName())

    @property
    def scan(self) -> Node:
        return self.node(Part.SCAN)

    def node(self, part: Part) -> Node:
        """The node of that part; raises InputError where it was deleted."""
        return self._present(self.node_or_none(part), part.value)

    def require(self, *parts: Part) -> None:
        """Raise InputError where one of these parts was deleted: asked before anything changes."""
        for part in parts:
            self.node(part)

    def node_or_none(self, part: Part) -> Node | None:
        """The node of a part that an analysis need not have."""
        return self.record.GetNodeReference(part.value)

    def heat_map(self, task: Task) -> Node:
        """The volume of that task's hotspots; raises InputError where there is none."""
        return self._present(self.record.GetNodeReference(_hotspots_role(task)), f"{task.title} heat map")

    def heat_maps(self) -> dict[Task, Node]:
        """Those heat maps that are in the scene."""
        nodes = {task: self.record.GetNodeReference(_hotspots_role(task)) for task in Task}
        return {task: node for task, node in nodes.items() if node is not None}

    def outlines(self) -> tuple[Node, ...]:
        """A closed curve per vertebra and disc."""
        count = self.record.GetNumberOfNodeReferences(Part.OUTLINES.value)
        return tuple(self.record.GetNthNodeReference(Part.OUTLINES.value, place) for place in range(count))

    def markers(self) -> tuple[Node, ...]:
        """Outlines and names that are in the scene: a user may have deleted any."""
        names = (self.node_or_none(part) for part in (Part.VERTEBRA_NAMES, Part.DISC_NAMES))
        return (*self.outlines(), *(node for node in names if node is not None))

    def own_nodes(self) -> Iterator[Node]:
        """Every node of the analysis that is still in the scene, the scan left out and the record last."""
        parts = [self.node_or_none(part) for part in Part if part not in {Part.SCAN, Part.OUTLINES}]
        for node in (*parts, *self.heat_maps().values(), *self.outlines()):
            if node is not None:
                yield node
        yield self.record

    def refer(self, part: Part, node: Node) -> None:
        self.record.AddNodeReferenceID(part.value, node.GetID())

    def refer_heat_map(self, task: Task, node: Node) -> None:
        self.record.SetNodeReferenceID(_hotspots_role(task), node.GetID())

    def _present(self, node: Node | None, what: str) -> Node:
        if node is None:
            name = what.removeprefix("SpineNet.")
            raise InputError(f"'{self.record.GetName()}' has no {name} in the scene: analyse the scan again.")
        return node


def analyses(scene: Any) -> list[Analysis]:
    """All analyses of the scene, in the order they came."""
    return [Analysis(node) for node in nodes_of_class(scene, "vtkMRMLTextNode") if node.GetAttribute(_MARK)]


def nodes_of_class(scene: Any, name: str) -> list[Node]:
    """All nodes of that class, in the order they came."""
    return [scene.GetNthNodeByClass(place, name) for place in range(scene.GetNumberOfNodesByClass(name))]


def new_analysis(scene: Any, scan: Node, findings: Findings) -> Analysis:
    """A record with nothing but its scan."""
    record = scene.AddNewNodeByClass("vtkMRMLTextNode", f"{scan.GetName()} report")
    record.SetAttribute(_MARK, "1")
    record.SetText(findings.text)
    analysis = Analysis(record)
    analysis.refer(Part.SCAN, scan)
    return analysis


def follow_scan(analysis: Analysis) -> None:
    """Put all nodes of the analysis under the transform that its scan is under now, or under none.

    Raises InputError where the scan's own voxels lie elsewhere than they did.
    """
    check_in_place(analysis)
    transform_id = analysis.scan.GetTransformNodeID()
    for node in analysis.own_nodes():
        if node.IsA("vtkMRMLTransformableNode"):
            node.SetAndObserveTransformNodeID(transform_id)


def check_in_place(analysis: Analysis) -> None:
    """Raise InputError where the scan's voxels no longer lie, in its own frame, where they were analysed.

    A scan mirrored or turned about its own middle has the same grid, along other axes than its heat maps.
    """
    findings, scan = analysis.findings, analysis.scan
    if not is_grid_of(scan, findings.shape, findings.ras_from_ijk):
        raise InputError(f"'{scan.GetName()}' was moved since its analysis: analyse it again.")
    if not all(has_voxels_of(scan, node) for node in analysis.heat_maps().values()):
        raise InputError(
            f"The heat maps of '{scan.GetName()}' run along other axes than it does, which was mirrored or turned, or "
            "is in a scene of an earlier version: load the scan and its result again."
        )


def _hotspots_role(task: Task) -> str:
    return f"SpineNet.hotspots.{task.value}"
