"""What the extension's CMake files would build and install, told without CMake or Slicer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTED = "qt-scripted-modules"
"""Stands for the folder of scripted modules, in the build and once installed."""

_COMMAND = re.compile(r"(\w+)\s*\(((?:[^()\"]|\"[^\"]*\")*)\)")
_ARGUMENT = re.compile(r'"([^"]*)"|([^\s"]+)')
_WITHOUT_EFFECT = {"cmake_minimum_required", "find_package", "include"}


@dataclass
class Package:
    """variables: the top file's. built, installed: the source of every file, by its place beside `SCRIPTED`."""

    variables: dict[str, str] = field(default_factory=dict)
    built: dict[str, Path] = field(default_factory=dict)
    installed: dict[str, Path] = field(default_factory=dict)


def read_package(root: Path) -> Package:
    """Follow the top CMakeLists.txt; raises ValueError at a command or argument that has no stand-in here."""
    package = Package()
    here = {"Slicer_QTSCRIPTEDMODULES_LIB_DIR": SCRIPTED, "Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR": SCRIPTED}
    folder = _Folder(root, package, here | {"CMAKE_BINARY_DIR": "build"})
    folder.run(_commands(root))
    package.variables = folder.variables
    return package


Command = tuple[str, list[tuple[str, bool]]]


def _commands(folder: Path) -> list[Command]:
    """Every command with its arguments, and whether each is quoted."""
    lines = (folder / "CMakeLists.txt").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    rest = _COMMAND.sub("", text).strip()
    if rest:
        raise ValueError(f"{folder}: cannot read {rest!r}")
    return [
        (name, [(quoted or bare, bool(quoted)) for quoted, bare in _ARGUMENT.findall(arguments)])
        for name, arguments in _COMMAND.findall(text)
    ]


class _Folder:
    def __init__(self, source: Path, package: Package, variables: dict[str, str]) -> None:
        self.source, self.package = source, package
        self.variables = variables | {"CMAKE_CURRENT_SOURCE_DIR": str(source)}
        self.does: dict[str, Callable[..., None]] = {
            "project": lambda name: self.variables.update(PROJECT_NAME=name),
            "set": lambda name, *values: self.variables.update({name: ";".join(values)}),
            "file": self.file,
            "get_filename_component": self.get_filename_component,
            "configure_file": self.configure_file,
            "install": self.install,
            "add_subdirectory": lambda name: _Folder(source / name, package, dict(variables)).run(
                _commands(source / name)
            ),
            "slicerMacroBuildScriptedModule": self.build_scripted_module,
        }

    def run(self, commands: list[Command]) -> None:
        waiting = iter(commands)
        for name, arguments in waiting:
            if name == "foreach":
                variable, *items = self.expanded(arguments)
                body = list(_until_endforeach(waiting))
                for item in items:
                    self.variables[variable] = item
                    self.run(body)
            elif name not in _WITHOUT_EFFECT:
                if name not in self.does:
                    raise ValueError(f"{self.source}: no stand-in for {name}")
                self.does[name](*self.expanded(arguments))

    def expanded(self, arguments: list[tuple[str, bool]]) -> list[str]:
        out: list[str] = []
        for text, is_quoted in arguments:
            value = re.sub(r"\$\{(\w+)\}", lambda match: self.variables[match[1]], text)
            out += [value] if is_quoted else [part for part in value.split(";") if part]
        return out

    def file(self, kind: str, variable: str, depends: str, relative: str, base: str, *patterns: str) -> None:
        if (kind in {"GLOB", "GLOB_RECURSE"}, depends, relative) != (True, "CONFIGURE_DEPENDS", "RELATIVE"):
            raise ValueError(f"{self.source}: no stand-in for file({kind} ... {depends} {relative})")
        found: set[str] = set()
        for pattern in patterns:
            place = Path(base) / Path(pattern).parent
            names = place.rglob(Path(pattern).name) if kind == "GLOB_RECURSE" else place.glob(Path(pattern).name)
            found |= {path.relative_to(base).as_posix() for path in names if path.is_file()}
        self.variables[variable] = ";".join(sorted(found))

    def get_filename_component(self, variable: str, path: str, mode: str) -> None:
        if mode != "DIRECTORY":
            raise ValueError(f"{self.source}: no stand-in for get_filename_component(... {mode})")
        self.variables[variable] = Path(path).parent.as_posix()

    def configure_file(self, source: str, target: str, mode: str) -> None:
        if mode != "COPYONLY":
            raise ValueError(f"{self.source}: {source} would be changed on its way")
        self._put(self.package.built, source, target.removeprefix("build/"))

    def install(self, *arguments: str) -> None:
        files, source, destination, target, component, name = arguments
        if (files, destination, component, name) != ("FILES", "DESTINATION", "COMPONENT", "RuntimeLibraries"):
            raise ValueError(f"{self.source}: no stand-in for install({files} ... {component} {name})")
        self._put(self.package.installed, source, f"{target}/{Path(source).name}")

    def build_scripted_module(self, *arguments: str) -> None:
        """As Slicer's: scripts and resources keep their relative paths, in a folder of their own WITH_SUBDIR."""
        given: dict[str, list[str]] = {}
        for argument in arguments:
            if argument in {"NAME", "SCRIPTS", "RESOURCES", "WITH_SUBDIR", "WITH_GENERIC_TESTS"}:
                part = given.setdefault(argument, [])
            else:
                part.append(argument)
        folder = f"{SCRIPTED}/{self.source.name}" if "WITH_SUBDIR" in given else SCRIPTED
        for path in given["SCRIPTS"] + given.get("RESOURCES", []):
            self._put(self.package.built, path, f"{folder}/{path}")
            self._put(self.package.installed, path, f"{folder}/{path}")

    def _put(self, places: dict[str, Path], source: str, target: str) -> None:
        if not (self.source / source).is_file():
            raise ValueError(f"{self.source}: there is no file {source}")
        places[target] = self.source / source


def _until_endforeach(commands: Iterator[Command]) -> Iterator[Command]:
    for command in commands:
        if command[0] == "endforeach":
            return
        yield command
