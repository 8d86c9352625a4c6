"""The grades as a table widget: a row per disc, a column per task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from SpineNetCore.anatomy import Task
from SpineNetLib.comparison import Grades
from SpineNetLib.readings import DiscReading, GradeReading

TASKS = tuple(Task)
SHADES = ("", "#fdeedb", "#fbd3a2", "#f5a85c", "#e07b1a")
"""From normal to worst, as on the report's page: one hue that grows darker, which every eye tells apart."""
INK = "#1b2530"
_MARGIN_PIXELS = 8
_STYLE = """
QTableWidget::item {{ padding: 0px }}
QTableWidget::item:selected {{ border: 2px solid palette(highlight); background: {shade}; color: {ink} }}
QHeaderView::section:horizontal {{ padding: 2px 0px }}
"""
"""Six columns fit into the panel of a small screen, and the picked cell keeps its colour."""


def fill_score_table(table: Any, discs: Sequence[DiscReading], reference: Grades) -> None:
    """Show the grades as they stand; those that differ from the reference say so."""
    table.setColumnCount(len(TASKS))
    table.setRowCount(len(discs))
    table.setHorizontalHeaderLabels([task.title.replace(" ", "\n") for task in TASKS])
    table.setVerticalHeaderLabels([disc.level for disc in discs])
    table.setWordWrap(False)
    _fit_headers(table)
    for row, disc in enumerate(discs):
        for column, task in enumerate(TASKS):
            table.setItem(row, column, _cell(disc, task, reference.get((disc.level, task))))


def frame_picked(table: Any, grade: GradeReading | None) -> None:
    """Draw a frame around the picked cell, which shows that grade."""
    shade = "" if grade is None else _shade(grade)
    shade, ink = (shade, INK) if shade else ("palette(base)", "palette(text)")
    table.setStyleSheet(_STYLE.format(shade=shade, ink=ink))


def cell_text(grade: GradeReading, reference: int | None) -> str:
    """The grade with its probability below, or with what a reader or the reference says instead."""
    if reference is not None and reference != grade.grade:
        return f"{grade.grade} \N{NOT EQUAL TO} {reference}"
    if grade.correction is not None:
        automatic = "" if grade.automatic is None else str(grade.automatic.grade)
        return f"{grade.grade} ({automatic})" if automatic else str(grade.grade)
    return str(grade.grade) if grade.probability is None else f"{grade.grade}\n{grade.probability:.0%}"


def explanation(disc: DiscReading, task: Task, reference: int | None) -> str:
    """All that is known of a cell, a line each."""
    grade = disc.grades.get(task)
    if grade is None:
        return f"{disc.level}: {disc.reason or _('not scored')}"
    lines = [f"{disc.level}, {task.title} {grade.grade}: {task.labels[grade.grade]}"]
    if grade.automatic is not None:
        chances = zip(task.grades, grade.automatic.probabilities, strict=True)
        lines.append(_("Probabilities: ") + ", ".join(f"{number}: {chance:.0%}" for number, chance in chances))
    if grade.uncertainty is not None:
        lines.append(
            _("Uncertainty: {value} between views").format(value=f"\N{PLUS-MINUS SIGN}{grade.uncertainty:.0%}")
        )
    if grade.correction is not None:
        signature = grade.correction.signature
        reader = signature.initials or _("a reader")
        lines.append(_("Given by {reader}, {time}").format(reader=reader, time=signature.time_text))
    if reference is not None:
        lines.append(_("Reference: {grade}").format(grade=reference))
    return "\n".join(lines)


def _fit_headers(table: Any) -> None:
    """In smaller letters, all columns alike but for names that have no second line to go to: those keep their width."""
    columns, small = table.horizontalHeader(), table.font
    small.setPointSizeF(0.9 * small.pointSizeF())
    for header in (columns, table.verticalHeader()):
        header.setSectionResizeMode(qt.QHeaderView.Stretch)
        header.setHighlightSections(False)
        header.setDefaultAlignment(qt.Qt.AlignCenter)
        header.setFont(small)
    for column, task in enumerate(TASKS):
        if " " not in task.title:
            columns.setSectionResizeMode(column, qt.QHeaderView.Fixed)
            columns.resizeSection(column, qt.QFontMetrics(small).boundingRect(task.title).width() + _MARGIN_PIXELS)


def _cell(disc: DiscReading, task: Task, reference: int | None) -> Any:
    grade = disc.grades.get(task)
    item = qt.QTableWidgetItem("\N{EN DASH}" if grade is None else cell_text(grade, reference))
    item.setTextAlignment(qt.Qt.AlignCenter)
    item.setToolTip(explanation(disc, task, reference))
    if grade is not None:
        _colour(item, grade, has_difference=reference is not None and reference != grade.grade)
    return item


def _colour(item: Any, grade: GradeReading, has_difference: bool) -> None:
    shade = _shade(grade)
    if shade:
        item.setBackground(qt.QBrush(qt.QColor(shade)))
        item.setForeground(qt.QBrush(qt.QColor(INK)))
    font = item.font()
    font.setBold(grade.is_abnormal or has_difference)
    item.setFont(font)


def _shade(grade: GradeReading) -> str:
    """Empty for the best grade, which stays as the window's theme has it."""
    lowest, highest = grade.task.grades[0], grade.task.grades[-1]
    return SHADES[round((len(SHADES) - 1) * (grade.grade - lowest) / (highest - lowest))]
