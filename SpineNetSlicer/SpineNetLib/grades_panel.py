"""The part of the panel that shows the grades of one analysis, and lets a reader check them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slicer.i18n import tr as _

from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.errors import InputError
from SpineNetLib.analysis import Analysis, analyses
from SpineNetLib.checking import correct_grade, move_levels
from SpineNetLib.compare_panel import ComparePanel
from SpineNetLib.corrections import Signature, levels_moved
from SpineNetLib.evidence_panel import EvidencePanel, Pick
from SpineNetLib.markers import show_markers_of
from SpineNetLib.messages import Messages
from SpineNetLib.navigation import go_to_disc
from SpineNetLib.readings import DiscReading
from SpineNetLib.reference_table import kept_reference
from SpineNetLib.score_table import TASKS, explanation, fill_score_table, frame_picked
from SpineNetLib.standing_warnings import standing_warnings, with_buttons
from SpineNetLib.tables import corrections, current_readings


@dataclass(frozen=True)
class _Picked:
    """A cell of the table; moved: by how many levels the names had been moved when it was picked."""

    row: int
    column: int
    moved: int


class GradesPanel:
    """Shows one analysis of the scene, the newest at first.

    on_pick: called whenever another disc, or none, is looked at. is_on_screen: while it is not, views are left alone.
    """

    def __init__(self, ui: Any, scene: Any, messages: Messages) -> None:
        self._ui, self._scene, self._messages = ui, scene, messages
        self._picked: _Picked | None = None
        self.is_on_screen = True
        self.on_pick: Callable[[], None] = lambda: None
        self.evidence = EvidencePanel(ui, scene, messages, self.pick_or_none)
        self.compare = ComparePanel(ui, messages, self.chosen, self.fill)
        table = ui.scoreTable
        table.connect("cellClicked(int,int)", self._move_to)
        table.connect("currentCellChanged(int,int,int,int)", self._move_to)
        ui.analysisSelector.connect("currentIndexChanged(int)", lambda *_place: self._change())
        ui.gradeSelector.connect("activated(int)", lambda *_place: messages.try_to(self._correct))
        ui.levelsUpButton.connect("clicked(bool)", lambda *_checked: messages.try_to(self.move_levels, -1))
        ui.levelsDownButton.connect("clicked(bool)", lambda *_checked: messages.try_to(self.move_levels, 1))
        self.refresh()

    def refresh(self) -> None:
        """Offer the analyses that are in the scene now, and stay at the one shown if it is still there."""
        selector = self._ui.analysisSelector
        shown = selector.itemData(selector.currentIndex)
        selector.blockSignals(True)
        selector.clear()
        found = analyses(self._scene)
        for analysis in found:
            selector.addItem(analysis.record.GetName(), analysis.record.GetID())
        selector.setCurrentIndex(max(selector.findData(shown), 0) if shown else len(found) - 1)
        selector.blockSignals(False)
        if found and selector.itemData(selector.currentIndex) == shown:
            self._messages.try_unasked(self.fill)
        elif shown:
            self._change()
        else:
            self._show_chosen()

    def show(self, analysis: Analysis) -> None:
        """Show this analysis, and the evidence for its first abnormal grade."""
        self.refresh()
        selector = self._ui.analysisSelector
        selector.setCurrentIndex(selector.findData(analysis.record.GetID()))
        show_markers_of(analysis)
        first = _first_to_look_at(current_readings(analysis))
        if first is not None:
            self._ui.scoreTable.setCurrentCell(*first)

    def pick(self, row: int, column: int) -> None:
        """Take all views to a disc, show the evidence for one of its grades, and offer to correct it.

        Raises InputError, and leaves no evidence on the views, where that cannot be.
        """
        with self.evidence.dropped_unless_done():
            analysis = self.chosen()
            disc, task = current_readings(analysis)[row], TASKS[column]
            self._picked = _Picked(row, column, levels_moved(corrections(analysis)))
            self._explain(disc, task)
            self.on_pick()
            go_to_disc(analysis, disc.level)
            self.evidence.show(Pick(analysis, disc.level, task))

    def correct(self, grade: int | None, task: Task, level: str) -> None:
        """Let the reader's grade stand; None lets the automatic one stand again."""
        correct_grade(self.chosen(), level, task, grade, self.signature())
        self.fill()
        self.evidence.show_again()

    def move_levels(self, steps: int) -> None:
        """Move all names so many levels towards the feet."""
        move_levels(self.chosen(), steps, self.signature())
        self.fill()

    def fill(self) -> None:
        """Write the table anew, with the picked cell as it is now."""
        analysis, table = self.chosen(), self._ui.scoreTable
        discs, reference = current_readings(analysis), kept_reference(analysis)
        table.blockSignals(True)
        fill_score_table(table, discs, reference)
        cell = self._picked_cell(analysis)
        if cell is not None:
            table.setCurrentCell(*cell)
        table.blockSignals(False)
        standing = standing_warnings(analysis.findings, levels_moved(corrections(analysis)))
        self._show_warnings(with_buttons(standing))
        self.compare.refresh(analysis)
        if cell is not None:
            self._explain(discs[cell[0]], TASKS[cell[1]])
        elif self._picked is not None:
            self.forget_pick()
            self.evidence.drop()
        self.on_pick()

    def look_again(self) -> None:
        """Show the picked disc as it is now; its views only as long as the panel is on the screen."""
        self.fill()
        cell = self._picked_cell(self.chosen())
        if cell is not None and self.is_on_screen:
            self.pick(*cell)

    def chosen(self) -> Analysis:
        """The analysis shown; raises InputError where there is none."""
        selector = self._ui.analysisSelector
        for analysis in analyses(self._scene):
            if analysis.record.GetID() == selector.itemData(selector.currentIndex):
                return analysis
        raise InputError(_("There is no analysis in the scene: analyse a scan first."))

    def pick_or_none(self) -> Pick | None:
        """What the reader looks at, None before anything was picked."""
        if self._picked is None:
            return None
        analysis = self.chosen()
        cell = self._picked_cell(analysis)
        return None if cell is None else Pick(analysis, current_readings(analysis)[cell[0]].level, TASKS[cell[1]])

    def _picked_cell(self, analysis: Analysis) -> tuple[int, int] | None:
        """Where the picked disc stands in the table now, whoever moved the levels; None where it does not."""
        if self._picked is None:
            return None
        row = self._picked.row + levels_moved(corrections(analysis)) - self._picked.moved
        return (row, self._picked.column) if 0 <= row < len(DISC_LEVELS) else None

    def signature(self) -> Signature:
        """Who reads now; raises InputError for initials that cannot be."""
        return Signature(datetime.now().astimezone(), self._ui.initialsEdit.text.strip())

    def _change(self) -> None:
        """Show another analysis than before, without the evidence of that one."""
        self.evidence.drop()
        self._show_chosen()
        if self._ui.analysisSelector.count:
            self._messages.try_unasked(lambda: show_markers_of(self.chosen()))

    def _show_chosen(self) -> None:
        has_analysis = self._ui.analysisSelector.count > 0
        for section in (self._ui.gradesSection, self._ui.evidenceSection, self._ui.compareSection):
            section.setVisible(has_analysis)
        self.forget_pick()
        self._ui.scoreTable.setRowCount(0)
        self._show_warnings(())
        self.compare.refresh(None)
        self.on_pick()
        if has_analysis:
            self._messages.try_unasked(self.fill)

    def forget_pick(self) -> None:
        """Look at no disc."""
        self._picked = None
        self._ui.cellLabel.setText(_("Pick a cell to see the disc and the evidence for its grade."))
        self._ui.gradeSelector.clear()
        self._ui.gradeSelector.setEnabled(False)
        frame_picked(self._ui.scoreTable, None)

    def _show_warnings(self, warnings: tuple[str, ...]) -> None:
        self._ui.warningLabel.setText("\n".join(f"\N{WARNING SIGN} {warning}" for warning in warnings))
        self._ui.warningLabel.setVisible(bool(warnings))

    def _move_to(self, row: int, column: int, *_before: int) -> None:
        if row >= 0 and column >= 0:
            self._messages.try_to(self.pick, row, column)

    def _explain(self, disc: DiscReading, task: Task) -> None:
        reference = kept_reference(self.chosen()).get((disc.level, task))
        self._ui.cellLabel.setText(explanation(disc, task, reference))
        frame_picked(self._ui.scoreTable, disc.grades.get(task))
        self._offer_grades(disc, task)

    def _offer_grades(self, disc: DiscReading, task: Task) -> None:
        selector, grade = self._ui.gradeSelector, disc.grades.get(task)
        selector.clear()
        for number, label in task.labels.items():
            selector.addItem(f"{number} - {label}", number)
        selector.setCurrentIndex(-1)
        if grade is not None:
            selector.setCurrentIndex(selector.findData(grade.grade))
            if grade.correction is not None:
                selector.addItem(_("back to the automatic grade"))
        selector.setEnabled(disc.finding is not None and disc.finding.centre_ras_mm is not None)

    def _correct(self) -> None:
        pick = self.pick_or_none()
        if pick is not None:
            selector = self._ui.gradeSelector
            self.correct(selector.itemData(selector.currentIndex), pick.task, pick.level)


def _first_to_look_at(discs: tuple[DiscReading, ...]) -> tuple[int, int] | None:
    """Row and column of the first abnormal grade from the head, or the first grade at all."""
    places = [(row, TASKS.index(task)) for row, disc in enumerate(discs) for task in disc.grades]
    abnormal = [(row, column) for row, column in places if discs[row].grades[TASKS[column]].is_abnormal]
    return next(iter([*abnormal, *places]), None)
