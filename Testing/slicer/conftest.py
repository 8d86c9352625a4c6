"""What the tests on Slicer's real MRML share."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

HERE = Path(__file__).resolve().parent

# slicer-core takes every folder called `slicer` on the path for a part of itself and imports all it finds there:
# this folder must not be on offer when it is first imported.
_path = list(sys.path)
sys.path[:] = [entry for entry in _path if Path(entry).resolve() != HERE.parent]
import slicer.util  # noqa: E402, F401

sys.path[:] = _path

import pytest  # noqa: E402
import slicer_window  # noqa: E402
from headless_slicer import HeadlessSlicer, SliceView, scan_node  # noqa: E402
from PySide6.QtCore import QCoreApplication, QSettings  # noqa: E402
from report_making import a_report  # noqa: E402

from SpineNetCore.report import write_report  # noqa: E402
from SpineNetLib.analysis import Analysis  # noqa: E402
from SpineNetLib.results import Result, read_result  # noqa: E402
from SpineNetLib.scan_nodes import Node  # noqa: E402
from SpineNetLib.scene import add_result  # noqa: E402


@pytest.fixture(autouse=True)
def own_settings(tmp_path) -> None:
    """Slicer's settings as on a new computer."""
    QCoreApplication.setOrganizationName("SpineNet tests")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))


@pytest.fixture(scope="session")
def a_result_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("analysis") / "result"
    write_report(a_report(), folder)
    return folder


@pytest.fixture(scope="session")
def a_result(a_result_folder) -> Result:
    return read_result(a_result_folder)


@pytest.fixture
def an_application(tmp_path) -> Iterator[HeadlessSlicer]:
    application = HeadlessSlicer(tmp_path / "cache")
    yield application
    application.close()


@pytest.fixture
def another_application(tmp_path) -> Iterator[HeadlessSlicer]:
    application = HeadlessSlicer(tmp_path / "another cache")
    yield application
    application.close()


@pytest.fixture
def a_scene(an_application) -> Node:
    return an_application.scene


@pytest.fixture
def a_scan_node(a_scene) -> Node:
    return scan_node(a_scene, a_report().scan)


@pytest.fixture(scope="session")
def the_module() -> ModuleType:
    return slicer_window.install()


@pytest.fixture
def an_analysis(a_scene, a_scan_node, a_result) -> Analysis:
    return add_result(a_scene, a_scan_node, a_result)


@pytest.fixture
def a_view(an_application) -> SliceView:
    return SliceView(an_application, "Yellow", "Sagittal", (300, 300))


@pytest.fixture
def a_widget(the_module, an_application, a_view) -> Iterator[SimpleNamespace]:
    widget = slicer_window.opened(the_module)
    yield widget
    slicer_window.close(widget)


@pytest.fixture
def a_shown_analysis(a_widget, an_analysis) -> Analysis:
    a_widget.panel.grades.show(an_analysis)
    return an_analysis


@pytest.fixture
def temporary_files(tmp_path, monkeypatch) -> Path:
    """An empty folder that stands for the computer's folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder
