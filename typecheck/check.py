"""Holds `accepted.py` and `refused.py` to what they say, under mypy and basedpyright.

Run `python -m typecheck.check`: a line for each violation, and exit code 1 where there is one.

- `accepted.py`: no error under either checker.
- `refused.py`: an error under both on each line that ends in `# refused: N …`, an error under
  basedpyright alone on each that ends in `# refused by basedpyright: N …`, and none elsewhere.
- Neither file silences a checker, and N counts from 1 without a gap.

Both checkers see the installed package, as an application's checker does.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

FOLDER: Final = Path(__file__).resolve().parent
PROJECT: Final = FOLDER.parent
ACCEPTED: Final = "accepted.py"
REFUSED: Final = "refused.py"

MARK: Final = re.compile(r"# refused(?P<alone> by basedpyright)?: (?P<number>\d+) (?P<why>.+)")
SILENCER: Final = re.compile(r"#\s*(?:type|mypy|pyright|basedpyright):")
UNUSED: Final = "reportUnusedCallResult"
PROVES_NOTHING: Final = frozenset({UNUSED, "reportUnusedExpression"})
"""What basedpyright says of any expression that stands alone, right or wrong."""


class Complaint(NamedTuple):
    """An error of one checker. `line` counts from 1."""

    file: str
    line: int
    rule: str
    text: str


class Misuse(NamedTuple):
    """A marked line. `by_both` is False where basedpyright alone has a rule for it."""

    number: int
    by_both: bool
    code: str


class CheckerError(Exception):
    """A checker gave no verdict: it is not installed, or its settings are wrong."""


def violations(folder: Path = FOLDER) -> list[str]:
    """What does not hold, one line each; empty where all does.

    Args:
        folder: This one, or a copy of it under the same name.

    Raises:
        CheckerError: a checker could not be run.
    """
    with ThreadPoolExecutor() as pool:
        asked = {
            "mypy": pool.submit(ask_mypy, folder),
            "basedpyright": pool.submit(ask_basedpyright, folder),
        }
        answers = {checker: future.result() for checker, future in asked.items()}
    found = list(silenced(folder / ACCEPTED)) + list(silenced(folder / REFUSED))
    misuses = marked(folder / REFUSED)
    numbers = [misuse.number for misuse in misuses.values()]
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"{folder.name}/{REFUSED}: the numbers do not count from 1 without a gap")
    lines = (folder / ACCEPTED).read_text().splitlines()
    for checker, complaints in answers.items():
        found += judge_accepted(checker, complaints, lines)
        found += judge_refused(checker, complaints, misuses)
    return [line.replace("{folder}", folder.name) for line in found]


def judge_accepted(
    checker: str, complaints: Sequence[Complaint], lines: Sequence[str]
) -> Iterator[str]:
    """Every complaint outside of `refused.py`; the value of `assert_type` is for nobody."""
    for one in complaints:
        if one.file == REFUSED:
            continue
        if one.rule == UNUSED and lines[one.line - 1].lstrip().startswith("assert_type("):
            continue
        yield f"{{folder}}/{one.file}:{one.line}: {checker} refuses it: {one.text} ({one.rule})"


def judge_refused(
    checker: str, complaints: Sequence[Complaint], misuses: dict[int, Misuse]
) -> Iterator[str]:
    """Misuses that the checker accepts, and complaints where nothing is marked."""
    refused: set[int] = set()
    for one in complaints:
        if one.file != REFUSED:
            continue
        misuse = misuses.get(one.line)
        if misuse is None or (checker == "mypy" and not misuse.by_both):
            yield (
                f"{{folder}}/{REFUSED}:{one.line}: {checker} refuses what is not marked so: "
                f"{one.text} ({one.rule})"
            )
        elif not misuse.by_both or one.rule not in PROVES_NOTHING:
            refused.add(one.line)
    for line, misuse in misuses.items():
        if line not in refused and (misuse.by_both or checker != "mypy"):
            yield f"{{folder}}/{REFUSED}:{line}: {checker} accepts it: {misuse.code}"


def marked(path: Path) -> dict[int, Misuse]:
    """The marked lines of a file, by number."""
    found: dict[int, Misuse] = {}
    for token in comments(path):
        mark = MARK.fullmatch(token.string)
        if mark is not None:
            code = token.line[: token.start[1]].strip()
            found[token.start[0]] = Misuse(int(mark["number"]), mark["alone"] is None, code)
    return found


def silenced(path: Path) -> Iterator[str]:
    """Comments that would keep a checker quiet."""
    for token in comments(path):
        if SILENCER.match(token.string):
            yield f"{{folder}}/{path.name}:{token.start[0]}: silences a checker: {token.string}"


def comments(path: Path) -> Iterator[tokenize.TokenInfo]:
    """The comments of a file; a string that looks like one is none."""
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT:
                yield token


class _MypyLine(msgspec.Struct):
    file: str
    line: int
    message: str
    severity: str
    code: str | None


def ask_mypy(folder: Path) -> list[Complaint]:
    """What mypy says of both files, with the settings of `pyproject.toml`, strict in any case.

    A cache of its own, since settings that differ would empty the other one each time.
    """
    output = _run(
        folder.parent,
        "mypy",
        f"--config-file={PROJECT / 'pyproject.toml'}",
        f"--cache-dir={PROJECT / '.mypy_cache' / 'typecheck'}",
        "--strict",
        "--warn-unreachable",
        "--output=json",
        f"{folder.name}/{ACCEPTED}",
        f"{folder.name}/{REFUSED}",
    )
    said = [msgspec.json.decode(line, type=_MypyLine) for line in output.splitlines()]
    return [
        Complaint(Path(one.file).name, one.line, one.code or "", one.message)
        for one in said
        if one.severity == "error"
    ]


class _Position(msgspec.Struct):
    line: int


class _Range(msgspec.Struct):
    start: _Position


class _Diagnostic(msgspec.Struct):
    file: str
    severity: str
    message: str
    range: _Range
    rule: str = ""


class _Summary(msgspec.Struct, rename="camel"):
    files_analyzed: int


class _Report(msgspec.Struct, rename="camel"):
    general_diagnostics: list[_Diagnostic]
    summary: _Summary


def ask_basedpyright(folder: Path) -> list[Complaint]:
    """What basedpyright says of both files, with the settings of `pyrightconfig.json`."""
    output = _run(
        folder.parent,
        "basedpyright",
        "--outputjson",
        f"--project={folder / 'pyrightconfig.json'}",
        f"--pythonpath={sys.executable}",
    )
    report = msgspec.json.decode(output, type=_Report)
    if report.summary.files_analyzed != 2:
        raise CheckerError(f"basedpyright read {report.summary.files_analyzed} files, not 2")
    return [
        Complaint(
            Path(one.file).name, one.range.start.line + 1, one.rule, one.message.splitlines()[0]
        )
        for one in report.general_diagnostics
        if one.severity in {"error", "warning"}
    ]


def _run(where: Path, *command: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", *command], cwd=where, capture_output=True, text=True, check=False
    )
    if ran.returncode not in {0, 1}:
        raise CheckerError(f"{command[0]}: {ran.stderr or ran.stdout}")
    return ran.stdout


def main() -> int:
    """Prints what does not hold."""
    found = violations()
    for line in found:
        print(line)
    if not found:
        print(f"all {len(marked(FOLDER / REFUSED))} misuses are refused, and nothing else is")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
