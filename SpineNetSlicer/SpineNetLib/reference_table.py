"""A reader's own grades, kept beside the scores as a table of the scene."""

from __future__ import annotations

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetLib.analysis import Analysis, Part
from SpineNetLib.comparison import Grades, Place, grades_of
from SpineNetLib.folders import file_beside
from SpineNetLib.one_step import in_one_step
from SpineNetLib.tables import add_table, fill_table, rows


def keep_reference(analysis: Analysis, grades: Grades) -> None:
    """Let these grades stand beside the scores, instead of an earlier reference."""
    header = ["level", *(task.value for task in Task)]
    cells = [[level, *(str(grades.get((level, task), "")) for task in Task)] for level in DISC_LEVELS]
    with in_one_step(analysis.scene):
        node = analysis.node_or_none(Part.REFERENCE)
        if node is None:
            node = add_table(analysis, Part.REFERENCE, f"{analysis.scan.GetName()} reference")
            file_beside(analysis, node)
        fill_table(node, header, cells)


def kept_reference(analysis: Analysis) -> dict[Place, int]:
    """The grades beside the scores, none where no reference was loaded; raises InputError where somebody broke them."""
    node = analysis.node_or_none(Part.REFERENCE)
    if node is None:
        return {}
    header = [node.GetColumnName(place) for place in range(node.GetNumberOfColumns())]
    return grades_of(header, list(enumerate(rows(node), start=1)), node.GetName())
