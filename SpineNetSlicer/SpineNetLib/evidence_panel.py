"""The part of the panel that lays the evidence for a grade over the scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from SpineNetCore.anatomy import Task
from SpineNetLib.analysis import Analysis
from SpineNetLib.heat_maps import Overlay, hide_heat_maps, is_heat_map_shown, show_heat_map
from SpineNetLib.messages import Messages
from SpineNetLib.readings import levels_shown
from SpineNetLib.tables import current_readings


@dataclass(frozen=True)
class Pick:
    """What a reader looks at. level: as the disc is called now."""

    analysis: Analysis
    level: str
    task: Task


class EvidencePanel:
    """picked: what the reader looks at, None before anything was picked."""

    def __init__(self, ui: Any, scene: Any, messages: Messages, picked: Callable[[], Pick | None]) -> None:
        self._ui, self._scene, self._messages, self._picked = ui, scene, messages, picked
        for slider in (ui.opacitySlider, ui.thresholdSlider):
            slider.connect("valueChanged(double)", lambda *_value: messages.try_to(self._show_picked))
        for box in (ui.thisDiscCheckBox, ui.abnormalOnlyCheckBox):
            box.connect("toggled(bool)", lambda *_checked: messages.try_to(self._show_picked))
        ui.hideButton.connect("clicked(bool)", lambda *_checked: messages.try_to(self.hide))

    def show(self, pick: Pick) -> None:
        """Lay the evidence for the picked grade over the scan, of the discs that the boxes ask for."""
        if not pick.analysis.heat_maps():
            hide_heat_maps(self._scene)
            self._ui.evidenceLabel.setText(_("The scan was analysed without evidence."))
            return
        level = pick.level if self._ui.thisDiscCheckBox.checked else None
        levels = levels_shown(current_readings(pick.analysis), pick.task, level, self._ui.abnormalOnlyCheckBox.checked)
        overlay = Overlay(self._ui.opacitySlider.value, self._ui.thresholdSlider.value, levels)
        show_heat_map(pick.analysis, pick.task, overlay)
        self._ui.evidenceLabel.setText(_evidence_text(pick, levels))

    def show_again(self) -> None:
        """Where evidence is shown, show it as the grades are now."""
        if is_heat_map_shown(self._scene):
            self._show_picked()

    def hide(self) -> None:
        """Take all evidence off the views, whatever is picked."""
        self.drop()
        self._ui.evidenceLabel.setText(_("The evidence is hidden."))

    def drop(self) -> None:
        """The same without a word, for evidence of what is no longer looked at."""
        hide_heat_maps(self._scene)
        self._ui.evidenceLabel.setText("")

    @contextmanager
    def dropped_unless_done(self) -> Iterator[None]:
        """Drop the evidence shown before where the block does not come to its end: it may lie elsewhere by now."""
        with ExitStack() as undo:
            undo.callback(self.drop)
            yield
            undo.pop_all()

    def _show_picked(self) -> None:
        with self.dropped_unless_done():
            pick = self._picked()
            if pick is not None:
                self.show(pick)


def _evidence_text(pick: Pick, levels: tuple[str, ...] | None) -> str:
    text = _("{task}: no grade to show evidence for.") if levels == () else _("Shown: evidence for {task}.")
    return str(text.format(task=pick.task.title))
