"""The score table and the log of corrections as tables of the scene."""

from __future__ import annotations

from collections.abc import Sequence

import vtk

from SpineNetCore.anatomy import Task
from SpineNetLib.analysis import Analysis, Part
from SpineNetLib.corrections import COLUMNS, Correction, correction_of, row_of
from SpineNetLib.folders import file_beside
from SpineNetLib.readings import DiscReading, GradeReading, readings
from SpineNetLib.scan_nodes import Node


def add_tables(analysis: Analysis) -> None:
    """Add the score table as the analysis left it, and an empty log."""
    fill_table(add_table(analysis, Part.CORRECTIONS, f"{analysis.scan.GetName()} corrections"), COLUMNS, [])
    refresh_scores(analysis)


def add_table(analysis: Analysis, part: Part, name: str) -> Node:
    """An empty table that a user reads and does not type into."""
    node = analysis.scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    analysis.refer(part, node)
    return node


def current_readings(analysis: Analysis) -> tuple[DiscReading, ...]:
    """The six levels with every grade as it stands after the readers."""
    return readings(analysis.findings, corrections(analysis))


def corrections(analysis: Analysis) -> list[Correction]:
    """The log, oldest first."""
    return [correction_of(row) for row in rows(analysis.node(Part.CORRECTIONS))]


def log_correction(analysis: Analysis, entry: Correction) -> None:
    """Put an entry at the end of the log, and bring the score table up to date."""
    node = analysis.node(Part.CORRECTIONS)
    fill_table(node, COLUMNS, [*rows(node), row_of(entry)])
    refresh_scores(analysis)


def refresh_scores(analysis: Analysis) -> None:
    """Write the score table anew, in a new node where a user has deleted it."""
    header = ["Level", "Status"]
    for task in Task:
        header += [task.title, f"{task.title} probability", f"{task.title} uncertainty"]
    header += ["Corrected", "Reason"]
    node = analysis.node_or_none(Part.SCORES)
    if node is None:
        node = add_table(analysis, Part.SCORES, f"{analysis.scan.GetName()} scores")
        file_beside(analysis, node)
    fill_table(node, header, [_score_row(reading) for reading in current_readings(analysis)])


def rows(node: Node) -> list[list[str]]:
    """All cells of a table node as text."""
    columns = range(node.GetNumberOfColumns())
    return [[node.GetCellText(row, column) for column in columns] for row in range(node.GetNumberOfRows())]


def _score_row(reading: DiscReading) -> list[str]:
    cells = [reading.level, reading.status]
    for task in Task:
        cells += _score_cells(reading.grades.get(task))
    corrected = [task.title for task, grade in reading.grades.items() if grade.correction is not None]
    return [*cells, ", ".join(corrected), reading.reason or ""]


def _score_cells(grade: GradeReading | None) -> list[str]:
    if grade is None:
        return ["", "", ""]
    return [str(grade.grade), _two_decimals(grade.probability), _two_decimals(grade.uncertainty)]


def _two_decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def fill_table(node: Node, header: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """Write a table node anew, as text, so that an empty cell stays empty when the scene is saved and loaded."""
    table = vtk.vtkTable()
    for place, name in enumerate(header):
        column = vtk.vtkStringArray()
        column.SetName(name)
        for row in cells:
            column.InsertNextValue(row[place])
        table.AddColumn(column)
    node.SetAndObserveTable(table)
