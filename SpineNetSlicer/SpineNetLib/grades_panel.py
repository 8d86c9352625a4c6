"""The part of the panel that shows the grades and their evidence, and lets a reader check them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetLib.analysis import Analysis, analyses
from SpineNetLib.checking import correct_grade, move_levels
from SpineNetLib.comparison import Comparison, Grades, compare, read_reference
from SpineNetLib.corrections import Signature
from SpineNetLib.export import export_scores
from SpineNetLib.heat_maps import Overlay, hide_heat_maps, show_heat_map
from SpineNetLib.messages import Messages
from SpineNetLib.navigation import go_to_disc
from SpineNetLib.readings import DiscReading
from SpineNetLib.score_table import TASKS, explanation, fill_score_table
from SpineNetLib.tables import current_readings

CSV_FILES = "CSV (*.csv)"


class GradesPanel:
    """Shows one analysis of the scene, the newest at first."""

    def __init__(self, ui: Any, scene: Any, messages: Messages) -> None:
        self._ui, self._scene, self._messages = ui, scene, messages
        self._reference: Grades = {}
        self._picked: tuple[int, int] | None = None
        table = ui.scoreTable
        table.connect("cellClicked(int,int)", lambda row, column: messages.try_to(self.pick, row, column))
        table.connect("currentCellChanged(int,int,int,int)", self._move_to)
        ui.analysisSelector.connect("currentIndexChanged(int)", lambda *_place: self._show_chosen())
        ui.gradeSelector.connect("activated(int)", lambda *_place: messages.try_to(self._correct))
        ui.levelsUpButton.connect("clicked(bool)", lambda *_checked: messages.try_to(self.move_levels, -1))
        ui.levelsDownButton.connect("clicked(bool)", lambda *_checked: messages.try_to(self.move_levels, 1))
        for slider in (ui.opacitySlider, ui.thresholdSlider):
            slider.connect("valueChanged(double)", lambda *_value: self._show_evidence_again())
        ui.thisDiscCheckBox.connect("toggled(bool)", lambda *_checked: self._show_evidence_again())
        ui.hideButton.connect("clicked(bool)", lambda *_checked: messages.try_to(self._hide_evidence))
        ui.referenceButton.connect("clicked(bool)", lambda *_checked: self._ask_reference())
        ui.exportButton.connect("clicked(bool)", lambda *_checked: self._ask_export())
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
        self._show_chosen()

    def show(self, analysis: Analysis) -> None:
        """Show this analysis, and the evidence for its first abnormal grade."""
        self.refresh()
        selector = self._ui.analysisSelector
        selector.setCurrentIndex(selector.findData(analysis.record.GetID()))
        first = _first_to_look_at(current_readings(analysis))
        if first is not None:
            self._ui.scoreTable.setCurrentCell(*first)

    def pick(self, row: int, column: int) -> None:
        """Take all views to a disc, show the evidence for one of its grades, and offer to correct it."""
        self._picked = (row, column)
        disc, task = self._disc(row), TASKS[column]
        self._ui.cellLabel.setText(explanation(disc, task, self._reference.get((disc.level, task))))
        self._offer_grades(disc, task)
        go_to_disc(self._analysis(), disc.level)
        self._show_evidence()

    def correct(self, grade: int | None, task: Task, level: str) -> None:
        """Let the reader's grade stand; None lets the automatic one stand again."""
        correct_grade(self._analysis(), level, task, grade, self._signature())
        self._fill()

    def move_levels(self, steps: int) -> None:
        """Move all names so many levels towards the feet."""
        move_levels(self._analysis(), steps, self._signature())
        self._fill()

    def load_reference(self, path: Path) -> None:
        """Mark where the grades differ from those in a file, and say how well they agree."""
        reference = read_reference(path)
        compare(current_readings(self._analysis()), reference)
        self._reference = reference
        self._fill()

    def export(self, path: Path) -> None:
        export_scores(self._analysis(), path if path.suffix else path.with_suffix(".csv"))

    def _analysis(self) -> Analysis:
        selector = self._ui.analysisSelector
        for analysis in analyses(self._scene):
            if analysis.record.GetID() == selector.itemData(selector.currentIndex):
                return analysis
        raise InputError(_("There is no analysis in the scene: analyse a scan first."))

    def _disc(self, row: int) -> DiscReading:
        return current_readings(self._analysis())[row]

    def _signature(self) -> Signature:
        return Signature(datetime.now().astimezone(), self._ui.initialsEdit.text.strip())

    def _show_chosen(self) -> None:
        has_analysis = self._ui.analysisSelector.count > 0
        for section in (self._ui.gradesSection, self._ui.evidenceSection, self._ui.compareSection):
            section.setEnabled(has_analysis)
        self._picked, self._reference = None, {}
        self._ui.cellLabel.setText(_("Pick a cell to see the disc and the evidence for its grade."))
        self._ui.gradeSelector.clear()
        self._ui.gradeSelector.setEnabled(False)
        self._ui.scoreTable.setRowCount(0)
        if has_analysis:
            self._messages.try_to(self._fill)

    def _fill(self) -> None:
        """Write the table anew, with the picked cell as it is now."""
        discs, table = current_readings(self._analysis()), self._ui.scoreTable
        table.blockSignals(True)
        fill_score_table(table, discs, self._reference)
        table.blockSignals(False)
        agreement = _agreement_text(compare(discs, self._reference)) if self._reference else ""
        self._ui.agreementLabel.setText(agreement)
        if self._picked is not None:
            disc, task = discs[self._picked[0]], TASKS[self._picked[1]]
            self._ui.cellLabel.setText(explanation(disc, task, self._reference.get((disc.level, task))))
            self._offer_grades(disc, task)

    def _move_to(self, row: int, column: int, *_before: int) -> None:
        if row >= 0 and column >= 0:
            self._messages.try_to(self.pick, row, column)

    def _offer_grades(self, disc: DiscReading, task: Task) -> None:
        selector, grade = self._ui.gradeSelector, disc.grades.get(task)
        selector.clear()
        for number, label in task.labels.items():
            selector.addItem(f"{number} - {label}", number)
        if grade is not None:
            selector.setCurrentIndex(selector.findData(grade.grade))
            if grade.correction is not None:
                selector.addItem(_("back to the automatic grade"))
        selector.setEnabled(disc.finding is not None and disc.finding.centre_ras_mm is not None)

    def _correct(self) -> None:
        if self._picked is not None:
            selector = self._ui.gradeSelector
            grade = selector.itemData(selector.currentIndex)
            self.correct(grade, TASKS[self._picked[1]], self._disc(self._picked[0]).level)

    def _show_evidence(self) -> None:
        if self._picked is None:
            return
        disc = self._disc(self._picked[0])
        is_one = self._ui.thisDiscCheckBox.checked and disc.finding is not None
        chosen = (disc.finding.level,) if is_one and disc.finding is not None else None
        overlay = Overlay(self._ui.opacitySlider.value, self._ui.thresholdSlider.value, chosen)
        show_heat_map(self._analysis(), TASKS[self._picked[1]], overlay)

    def _show_evidence_again(self) -> None:
        if self._picked is not None:
            self._messages.try_to(self._show_evidence)

    def _hide_evidence(self) -> None:
        hide_heat_maps(self._analysis())

    def _ask_reference(self) -> None:
        path = qt.QFileDialog.getOpenFileName(None, _("Load reference grades"), "", CSV_FILES)
        if path:
            self._messages.try_to(self.load_reference, Path(path))

    def _ask_export(self) -> None:
        path = qt.QFileDialog.getSaveFileName(None, _("Export grades"), "scores.csv", CSV_FILES)
        if path:
            self._messages.try_to(self.export, Path(path))


def _first_to_look_at(discs: tuple[DiscReading, ...]) -> tuple[int, int] | None:
    """Row and column of the first abnormal grade from the head, or the first grade at all."""
    places = [(row, TASKS.index(task)) for row, disc in enumerate(discs) for task in disc.grades]
    abnormal = [(row, column) for row, column in places if discs[row].grades[TASKS[column]].is_abnormal]
    return next(iter([*abnormal, *places]), None)


def _agreement_text(comparison: Comparison) -> str:
    lines = []
    for agreement in comparison.agreements:
        kappa = "" if agreement.kappa is None else _(", kappa {value}").format(value=f"{agreement.kappa:.2f}")
        lines.append(
            _("{task}: {same} the same{kappa} ({discs} discs)").format(
                task=agreement.task.title, same=f"{agreement.exact:.0%}", kappa=kappa, discs=agreement.discs
            )
        )
    return "\n".join(lines)
