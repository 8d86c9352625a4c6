"""One place of the panel that says in one sentence what went wrong, with the details behind a button."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from SpineNetCore.errors import InputError
from SpineNetLib.worker import AnalysisError


class Messages:
    """Runs what the user asked for, and says so where it cannot be done."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        ui.detailsButton.connect("toggled(bool)", self._show_details)

    def try_to(self, action: Callable[..., object], *arguments: object) -> bool:
        """Do what the user asked for, and return whether it was done; otherwise the user has read why not."""
        self.clear()
        return self.try_unasked(action, *arguments)

    def try_unasked(self, action: Callable[..., object], *arguments: object) -> bool:
        """The same for what goes on by itself: a sentence still to be read stays."""
        try:
            action(*arguments)
        except AnalysisError as error:
            self.say(str(error), error.details)
        except InputError as error:
            self.say(str(error))
        except Exception as error:  # a fault of ours becomes a sentence too, and the window lives on
            logging.exception("SpineNet")
            self.say(
                _("That did not work ({reason}): try again, and report the details.").format(reason=error),
                traceback.format_exc(),
            )
        else:
            return True
        return False

    def say(self, sentence: str, details: str = "") -> None:
        """Show a sentence until the next action."""
        self._ui.messageLabel.setText(sentence)
        self._ui.detailsText.setPlainText(details)
        self._ui.detailsButton.setChecked(False)
        self._ui.detailsButton.setVisible(bool(details))
        self._ui.installButton.setVisible(False)
        self._ui.messageFrame.setVisible(bool(sentence))

    def clear(self) -> None:
        self.say("")

    def _show_details(self, is_shown: bool) -> None:
        self._ui.detailsText.setVisible(is_shown)
        self._ui.detailsButton.setText(_("Hide details") if is_shown else _("Show details"))
