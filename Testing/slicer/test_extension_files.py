from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cmake_reading import SCRIPTED, Package, read_package
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
RAW = "https://raw.githubusercontent.com/spinenet-slicer/SlicerSpineNet/main/"


@pytest.fixture(scope="module")
def the_package() -> Package:
    return read_package(ROOT)


@pytest.fixture(scope="module")
def the_s4ext() -> dict[str, str]:
    lines = (ROOT / "SpineNet.s4ext").read_text("utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith("#"))


@pytest.fixture(scope="module")
def the_json() -> dict[str, object]:
    return json.loads((ROOT / "SpineNet.json").read_text("utf-8"))


def files(folder: Path, pattern: str) -> set[Path]:
    return {path for path in folder.rglob(pattern) if path.is_file() and "__pycache__" not in path.parts}


def test_every_file_of_core_module_and_resources_is_installed(the_package):
    expected = set.union(*(files(ROOT / "SpineNetCore", kind) for kind in ("*.py", "*.json", "*.csv")))
    expected |= files(ROOT / "SpineNetSlicer", "*.py") | files(ROOT / "Resources", "*")
    expected -= files(ROOT / "Resources" / "Screenshots", "*") | {ROOT / "Resources" / "CMakeLists.txt"}
    assert set(the_package.installed.values()) == expected


def test_what_is_installed_lies_where_the_build_has_it(the_package):
    assert the_package.installed == the_package.built


def test_the_core_finds_its_resources_beside_itself(the_package):
    core = Path(next(place for place in the_package.installed if place.endswith("SpineNetCore/__init__.py")))
    sample = the_package.installed[str(core.parent.parent / "Resources/Samples/spider_110_t2_space.nii.gz")]
    assert sample == ROOT / "Resources/Samples/spider_110_t2_space.nii.gz"


def test_no_helper_lies_where_slicer_would_take_it_for_a_module(the_package):
    scripts = {Path(place).name for place in the_package.installed if Path(place).parent == Path(SCRIPTED)}
    assert scripts <= {"SpineNet.py"}


def test_the_three_descriptions_name_the_same_extension(the_package, the_s4ext, the_json):
    fields = {name: value for name, value in the_package.variables.items() if name.startswith("EXTENSION_")}
    named = {"EXTENSION_" + name.upper(): value for name, value in the_s4ext.items() if not name.startswith("scm")}
    assert named == fields
    assert the_json["category"] == fields["EXTENSION_CATEGORY"]
    assert the_json["build_dependencies"] == fields["EXTENSION_DEPENDS"].split()
    assert the_json["build_subdirectory"] == fields["EXTENSION_BUILD_SUBDIRECTORY"]
    assert (the_json["scm_url"], the_json["scm_revision"]) == (the_s4ext["scmurl"], the_s4ext["scmrevision"])
    assert the_json["scm_url"] == fields["EXTENSION_HOMEPAGE"] + ".git"


def test_the_project_is_called_as_its_catalogue_entry(the_package):
    assert (ROOT / f"{the_package.variables['PROJECT_NAME']}.json").exists()


def test_the_catalogue_entry_holds_only_what_its_schema_allows(the_json):
    optional = {"scm_revision", "build_dependencies", "build_subdirectory", "tier"}
    assert {"$schema", "category", "scm_url"} <= set(the_json) <= {"$schema", "category", "scm_url"} | optional


def test_every_extension_field_stands_on_one_line(the_package):
    text = (ROOT / "CMakeLists.txt").read_text("utf-8")
    on_one_line = set(re.findall(r"^set\((EXTENSION_\w+) .+\)$", text, re.MULTILINE))
    assert on_one_line == {name for name in the_package.variables if name.startswith("EXTENSION_")}


def test_pictures_named_in_the_description_are_in_the_repository(the_package):
    urls = [the_package.variables["EXTENSION_ICONURL"], *the_package.variables["EXTENSION_SCREENSHOTURLS"].split()]
    for url in urls:
        with Image.open(ROOT / url.removeprefix(RAW)) as picture:
            assert picture.format == "PNG"


def test_the_icon_measures_128_pixels():
    with Image.open(ROOT / "Resources/Icons/SpineNet.png") as icon:
        assert icon.size == (128, 128)


def test_the_module_leads_to_the_extensions_homepage(the_package):
    module = (ROOT / "SpineNetSlicer" / "SpineNet.py").read_text("utf-8")
    assert f'HOMEPAGE = "{the_package.variables["EXTENSION_HOMEPAGE"]}"' in module


def test_a_file_that_is_not_there_is_told(tmp_path):
    (tmp_path / "CMakeLists.txt").write_text("slicerMacroBuildScriptedModule(NAME A SCRIPTS missing.py)\n")
    with pytest.raises(ValueError, match=r"missing\.py"):
        read_package(tmp_path)
