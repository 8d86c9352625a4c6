"""The part of the panel that lets a reader put a disc elsewhere and have it graded there."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from SpineNetCore.errors import InputError
from SpineNetLib.analysis import Analysis
from SpineNetLib.analysis_panel import AnalysisPanel
from SpineNetLib.corrections import Signature
from SpineNetLib.disc_line import add_disc_line, lined_disc, remove_disc_line
from SpineNetLib.evidence_panel import Pick
from SpineNetLib.grades_panel import GradesPanel
from SpineNetLib.messages import Messages
from SpineNetLib.rescoring import Rescoring, asked_rescoring, take_in
from SpineNetLib.results import Result


class MovePanel:
    """Works on the disc that is picked among the grades; `runner` grades it."""

    def __init__(self, ui: Any, messages: Messages, runner: AnalysisPanel, grades: GradesPanel) -> None:
        self._ui, self._runner, self._grades = ui, runner, grades
        ui.moveDiscButton.connect("clicked(bool)", lambda *_checked: messages.try_to(self.start))
        ui.rescoreButton.connect("clicked(bool)", lambda *_checked: messages.try_to(self.rescore))
        ui.dropMoveButton.connect("clicked(bool)", lambda *_checked: messages.try_to(self.drop))
        self.refresh()

    def refresh(self) -> None:
        """Offer what can be done with the disc that is looked at; nothing while a disc or a scan is graded."""
        pick = self._looked_at()
        is_moving = pick is not None and lined_disc(pick.analysis) is not None
        is_free = not self._runner.is_running
        self._ui.moveDiscButton.setEnabled(is_free and pick is not None and not is_moving)
        for button in (self._ui.rescoreButton, self._ui.dropMoveButton):
            button.setEnabled(is_free and is_moving)
        self._ui.moveLabel.setVisible(is_moving)

    def start(self) -> None:
        """Lay a line along the picked disc."""
        add_disc_line(self._analysis(), self._pick().level)
        self.refresh()

    def rescore(self) -> None:
        """Grade the disc where the line has it; its place and grades change once the result is there."""
        analysis, signature = self._analysis(), self._grades.signature()
        rescoring = asked_rescoring(analysis)
        self._runner.rescore(
            analysis.scan, rescoring, lambda result: self._take_in(analysis, rescoring, result, signature)
        )

    def drop(self) -> None:
        """Leave the disc where it was."""
        remove_disc_line(self._analysis())
        self.refresh()

    def _take_in(self, analysis: Analysis, rescoring: Rescoring, result: Result, signature: Signature) -> None:
        if analysis.record.GetScene() is None:
            raise InputError(_("The analysis was removed while its disc was graded: analyse the scan again."))
        take_in(analysis, rescoring, result, signature)
        self._grades.look_again()

    def _looked_at(self) -> Pick | None:
        """None, too, where the analysis was removed meanwhile: to be told once something is done with it."""
        try:
            return self._grades.pick_or_none()
        except InputError:
            return None

    def _pick(self) -> Pick:
        pick = self._grades.pick_or_none()
        if pick is None:
            raise InputError(_("No disc is picked: pick one in the table."))
        return pick

    def _analysis(self) -> Analysis:
        return self._pick().analysis
