"""Runs each type checker over a folder and returns its errors in one form.

All five see the installed package, as the checker of an application does. Their settings are in
the files beside this one; mypy takes those of `pyproject.toml`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

FOLDER: Final = Path(__file__).resolve().parent
PROJECT: Final = FOLDER.parent


class Complaint(NamedTuple):
    """An error or a warning of a checker. `line` counts from 1."""

    file: str
    line: int
    rule: str
    text: str


class CheckerError(Exception):
    """A checker did not run: it is not installed, or its settings are wrong."""


class _MypyLine(msgspec.Struct):
    file: str
    line: int
    message: str
    severity: str
    code: str | None


def ask_mypy(folder: Path, files: Sequence[str]) -> list[Complaint]:
    """mypy, with the settings of `pyproject.toml`, and strict in any case.

    It has a cache of its own, because other settings would empty the project's cache each time.
    """
    output = _run(
        folder.parent,
        "mypy",
        f"--config-file={PROJECT / 'pyproject.toml'}",
        f"--cache-dir={PROJECT / '.mypy_cache' / 'typecheck'}",
        "--strict",
        "--warn-unreachable",
        "--enable-error-code=deprecated",
        "--output=json",
        *_paths(folder, files),
    )
    lines = [msgspec.json.decode(line, type=_MypyLine) for line in output.splitlines()]
    return [
        Complaint(Path(one.file).name, one.line, one.code or "", one.message)
        for one in lines
        if one.severity == "error"
    ]


class _Position(msgspec.Struct):
    line: int


class _Range(msgspec.Struct):
    start: _Position


class _PyrightLine(msgspec.Struct):
    file: str
    severity: str
    message: str
    range: _Range
    rule: str = ""


class _PyrightSummary(msgspec.Struct, rename="camel"):
    files_analyzed: int


class _PyrightReport(msgspec.Struct, rename="camel"):
    general_diagnostics: list[_PyrightLine]
    summary: _PyrightSummary


def ask_basedpyright(folder: Path, files: Sequence[str]) -> list[Complaint]:
    """basedpyright, with the settings of `basedpyright.json`."""
    return _ask_pyright("basedpyright", folder, files)


def ask_pyright(folder: Path, files: Sequence[str]) -> list[Complaint]:
    """pyright, with the settings of `pyright.json`. Its package brings pyright and Node.js."""
    return _ask_pyright("pyright", folder, files)


def _ask_pyright(checker: str, folder: Path, files: Sequence[str]) -> list[Complaint]:
    output = _run(
        folder.parent,
        checker,
        "--outputjson",
        f"--project={folder / f'{checker}.json'}",
        f"--pythonpath={sys.executable}",
    )
    report = msgspec.json.decode(output, type=_PyrightReport)
    if report.summary.files_analyzed != len(files):
        raise CheckerError(f"{checker} read {report.summary.files_analyzed} files")
    return [
        Complaint(
            Path(one.file).name, one.range.start.line + 1, one.rule, one.message.splitlines()[0]
        )
        for one in report.general_diagnostics
        if one.severity in {"error", "warning"}
    ]


class _Begin(msgspec.Struct):
    begin: _Position


class _TyLocation(msgspec.Struct):
    path: str
    positions: _Begin


class _TyLine(msgspec.Struct):
    check_name: str
    description: str
    location: _TyLocation


def ask_ty(folder: Path, files: Sequence[str]) -> list[Complaint]:
    """ty, with the settings of `ty.toml`."""
    output = _run(
        folder.parent,
        "ty",
        "check",
        f"--config-file={folder / 'ty.toml'}",
        f"--python={sys.prefix}",
        "--output-format=gitlab",
        *_paths(folder, files),
    )
    return [
        Complaint(
            Path(one.location.path).name,
            one.location.positions.begin.line,
            one.check_name,
            one.description,
        )
        for one in msgspec.json.decode(output, type=list[_TyLine])
    ]


class _PyreflyLine(msgspec.Struct):
    line: int
    path: str
    name: str
    description: str


class _PyreflyReport(msgspec.Struct):
    errors: list[_PyreflyLine]


def ask_pyrefly(folder: Path, files: Sequence[str]) -> list[Complaint]:
    """pyrefly, with the settings of `pyrefly.toml`."""
    output = _run(
        folder.parent,
        "pyrefly",
        "check",
        f"--config={folder / 'pyrefly.toml'}",
        f"--python-interpreter-path={sys.executable}",
        "--output-format=json",
        *_paths(folder, files),
    )
    return [
        Complaint(Path(one.path).name, one.line, one.name, one.description.splitlines()[0])
        for one in msgspec.json.decode(output, type=_PyreflyReport).errors
    ]


CHECKERS: Final[dict[str, Callable[[Path, Sequence[str]], list[Complaint]]]] = {
    "mypy": ask_mypy,
    "basedpyright": ask_basedpyright,
    "pyright": ask_pyright,
    "ty": ask_ty,
    "pyrefly": ask_pyrefly,
}


class _Completeness(msgspec.Struct, rename="camel"):
    completeness_score: float
    symbols: list[_Symbol]


class _Symbol(msgspec.Struct, rename="camel"):
    name: str
    is_exported: bool
    is_type_known: bool
    is_type_ambiguous: bool


class _VerifyReport(msgspec.Struct, rename="camel"):
    type_completeness: _Completeness


def symbols_without_a_known_type() -> list[str]:
    """The exported symbols whose type pyright must guess, as `pyright --verifytypes` finds them."""
    output = _run(
        PROJECT,
        "pyright",
        "--verifytypes=igniter_connectors",
        "--ignoreexternal",
        "--outputjson",
        f"--pythonpath={sys.executable}",
    )
    report = msgspec.json.decode(output, type=_VerifyReport)
    return [
        symbol.name
        for symbol in report.type_completeness.symbols
        if symbol.is_exported and (symbol.is_type_ambiguous or not symbol.is_type_known)
    ]


def _paths(folder: Path, files: Sequence[str]) -> list[str]:
    return [f"{folder.name}/{file}" for file in files]


def _run(where: Path, *command: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", *command], cwd=where, capture_output=True, text=True, check=False
    )
    if ran.returncode not in {0, 1}:
        raise CheckerError(f"{command[0]}: {ran.stderr or ran.stdout}")
    return ran.stdout
