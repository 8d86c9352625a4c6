"""The part of the panel that holds the grades against a reader's, and writes them to files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from SpineNetCore.errors import InputError
from SpineNetLib.analysis import Analysis
from SpineNetLib.comparison import Agreement, compare, read_reference
from SpineNetLib.export import export_scores
from SpineNetLib.messages import Messages
from SpineNetLib.page import export_page
from SpineNetLib.reference_table import keep_reference, kept_reference
from SpineNetLib.tables import current_readings

_CSV_FILES = "CSV (*.csv)"
_PAGES = "HTML (*.html)"


class ComparePanel:
    """chosen: the analysis shown. on_change: called when a reference came beside its grades."""

    def __init__(
        self, ui: Any, messages: Messages, chosen: Callable[[], Analysis], on_change: Callable[[], None]
    ) -> None:
        self._ui, self._messages, self._chosen, self._on_change = ui, messages, chosen, on_change
        ui.referenceButton.connect("clicked(bool)", lambda *_checked: self._ask_reference())
        ui.exportButton.connect("clicked(bool)", lambda *_checked: self._ask_export())
        ui.exportPageButton.connect("clicked(bool)", lambda *_checked: self._ask_page())

    def refresh(self, analysis: Analysis | None) -> None:
        """Say how well the grades agree with the reference kept with the analysis, if there is one."""
        reference = {} if analysis is None else kept_reference(analysis)
        text = _agreement_text(compare(current_readings(analysis), reference)) if analysis and reference else ""
        self._ui.agreementLabel.setText(text)
        self._ui.agreementLabel.setVisible(bool(text))

    def load_reference(self, path: Path) -> None:
        """Keep the grades of a file beside the scores; raises InputError where they do not belong together."""
        analysis, reference = self._chosen(), read_reference(path)
        if not compare(current_readings(analysis), reference):
            raise InputError(
                _("'{path}' grades none of the discs shown: check its levels and columns.").format(path=path)
            )
        keep_reference(analysis, reference)
        self._on_change()

    def export(self, path: Path) -> None:
        export_scores(self._chosen(), _with_ending(path, ".csv"))

    def export_page(self, path: Path) -> None:
        export_page(self._chosen(), _with_ending(path, ".html"))

    def _ask_reference(self) -> None:
        path = qt.QFileDialog.getOpenFileName(None, _("Load reference grades"), "", _CSV_FILES)
        if path:
            self._messages.try_to(self.load_reference, Path(path))

    def _ask_export(self) -> None:
        path = qt.QFileDialog.getSaveFileName(None, _("Export grades"), "scores.csv", _CSV_FILES)
        if path:
            self._messages.try_to(self.export, Path(path))

    def _ask_page(self) -> None:
        path = qt.QFileDialog.getSaveFileName(None, _("Export page"), "report.html", _PAGES)
        if path:
            self._messages.try_to(self.export_page, Path(path))


def _with_ending(path: Path, ending: str) -> Path:
    """A name without its ending gets it; raises InputError where a file, of which nobody was asked, is called so."""
    if path.suffix.lower() == ending:
        return path
    whole = path.with_name(path.name + ending)
    if whole.exists():
        raise InputError(_("'{path}' is there already: choose it by its whole name to replace it.").format(path=whole))
    return whole


def _agreement_text(agreements: tuple[Agreement, ...]) -> str:
    lines = []
    for agreement in agreements:
        kappa = "" if agreement.kappa is None else _(", kappa {value}").format(value=f"{agreement.kappa:.2f}")
        lines.append(
            _("{task}: {same} the same, {near} within one{kappa} (discs: {discs})").format(
                task=agreement.task.title,
                same=f"{agreement.exact:.0%}",
                near=f"{agreement.within_one:.0%}",
                kappa=kappa,
                discs=agreement.discs,
            )
        )
    return "\n".join(lines)
