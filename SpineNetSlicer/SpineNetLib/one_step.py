"""What changes the scene does it as one step: undone at once, and never half done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


@contextmanager
def in_one_step(scene: Any) -> Iterator[None]:
    """Take out again whatever was added, where the block does not come to its end; else let Slicer undo it as one.

    Only nodes that were added are taken out: a block that changes nodes does so after all that may fail.
    """
    scene.SaveStateForUndo()
    before = set(_node_ids(scene))
    with ExitStack() as undo:
        undo.callback(_remove_all_but, scene, before)
        yield
        undo.pop_all()
    for node_id in set(_node_ids(scene)) - before:
        scene.GetNodeByID(node_id).SetUndoEnabled(True)


def _remove_all_but(scene: Any, kept: set[str]) -> None:
    for node_id in reversed(_node_ids(scene)):
        node = scene.GetNodeByID(node_id)
        if node_id not in kept and node is not None:
            scene.RemoveNode(node)


def _node_ids(scene: Any) -> list[str]:
    return [scene.GetNthNode(place).GetID() for place in range(scene.GetNumberOfNodes())]
