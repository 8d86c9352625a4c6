from __future__ import annotations

import json

from panel_using import wait_until

from SpineNetLib.devices import DeviceSearch


def test_the_settings_say_which_device_was_found_whenever_they_are_opened(a_widget):
    class Found:
        def new_lines(self):
            return [json.dumps({"gpus": ["NVIDIA H100"], "built_for_gpu": True})]

        def exit_status(self):
            return 0

        def end(self):
            pass

    class Missing(Found):
        def new_lines(self):
            return ["ModuleNotFoundError: No module named 'torch'"]

    a_widget.panel.devices._search = DeviceSearch(lambda *_: Found())
    assert a_widget.ui.deviceLabel.text == ""
    a_widget.ui.settingsSection.collapsed = False
    assert a_widget.ui.deviceLabel.text == "Looking for a GPU..."
    wait_until(lambda: a_widget.ui.deviceLabel.text == "Found: NVIDIA H100. Automatic uses it.")
    a_widget.ui.settingsSection.collapsed = True
    a_widget.panel.devices._search = DeviceSearch(lambda *_: Missing())
    a_widget.ui.settingsSection.collapsed = False
    wait_until(lambda: "not installed yet" in a_widget.ui.deviceLabel.text)
