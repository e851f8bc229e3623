"""Holds `accepted.py` and `refused.py` to what they say, under five type checkers.

Run `python -m typecheck.check`. It prints a line for each violation, and exits with 1 if there
is one. The checkers are mypy, basedpyright, pyright, ty and pyrefly.

- `accepted.py`: no checker reports an error.
- `refused.py`: every checker reports an error on each line that ends in `# refused: N …`, except
  for the pairs in `EXCEPTIONS`, and on no other line. N counts from 1 without a gap.
- A generated module with 160 connectors: likewise.
- No file silences a checker.
"""

from __future__ import annotations

import re
import shutil
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from typecheck.checkers import CHECKERS, FOLDER, Complaint
from typecheck.many_connectors import module_of_many_connectors

ACCEPTED: Final = "accepted.py"
REFUSED: Final = "refused.py"
MANY: Final = "many.py"
FILES: Final = (ACCEPTED, REFUSED, MANY)

MARK: Final = re.compile(r"# refused: (?P<number>\d+) (?P<why>.+)")
SILENCER: Final = re.compile(r"#\s*(?:type|mypy|pyright|basedpyright|ty|pyrefly):")

UNUSED: Final = "reportUnusedCallResult"
PROVES_NOTHING: Final = frozenset({UNUSED, "reportUnusedExpression"})
"""Rules of pyright and basedpyright that report any expression on a line of its own."""

IGNORED_RESULTS: Final = (170, 171, 182)
"""Misuses in which a Result is ignored. `UNUSED` is the rule that reports them."""

SECRETS_AND_STRINGS: Final = (201, 202)
"""Misuses in which a Secret is compared with a str, by an overload that is deprecated."""

NO_RULE: Final = "has no rule for the value of a call that is not used"
NO_OPERATOR: Final = "reports a deprecated overload of a call, not of an operator"
EXCEPTIONS: Final[Mapping[str, Mapping[int, str]]] = {
    "mypy": dict.fromkeys(IGNORED_RESULTS, NO_RULE),
    "basedpyright": {},
    "pyright": {},
    "ty": dict.fromkeys(IGNORED_RESULTS, NO_RULE)
    | dict.fromkeys(SECRETS_AND_STRINGS, NO_OPERATOR)
    | {42: "reports a forgotten await of an `async def` only, not of a method that returns one"},
    "pyrefly": dict.fromkeys(IGNORED_RESULTS, NO_RULE)
    | dict.fromkeys(SECRETS_AND_STRINGS, NO_OPERATOR),
}
"""The misuses of `refused.py` that a checker does not refuse, each with its reason."""


class Misuse(NamedTuple):
    """A marked line of a file."""

    number: int
    code: str


def violations(folder: Path = FOLDER, checkers: Collection[str] = CHECKERS.keys()) -> list[str]:
    """What does not hold, one line each; empty if all holds.

    Args:
        folder: This one, or a copy of it with the same name.
        checkers: The names of those to ask.

    Raises:
        CheckerError: a checker did not run.
    """
    with TemporaryDirectory() as temporary:
        copy = Path(temporary) / folder.name
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / MANY).write_text(module_of_many_connectors())
        with ThreadPoolExecutor() as pool:
            running = {
                name: pool.submit(ask, copy, FILES)
                for name, ask in CHECKERS.items()
                if name in checkers
            }
            answers = {name: future.result() for name, future in running.items()}
        found = [line for file in (ACCEPTED, REFUSED) for line in silenced(copy / file)]
        for file in FILES:
            found += judge_file(copy / file, answers)
    return [line.replace("{folder}", folder.name) for line in found]


def judge_file(path: Path, answers: Mapping[str, Sequence[Complaint]]) -> Iterator[str]:
    """What does not hold of one file."""
    misuses = marked(path)
    numbers = [misuse.number for misuse in misuses.values()]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{{folder}}/{path.name}: the numbers do not count from 1 without a gap"
    lines = path.read_text().splitlines()
    for checker, complaints in answers.items():
        here = [one for one in complaints if one.file == path.name]
        yield from judge_unmarked_lines(checker, path.name, here, misuses, lines)
        exceptions = EXCEPTIONS[checker] if path.name == REFUSED else {}
        yield from judge_misuses(checker, path.name, here, misuses, exceptions)


def judge_unmarked_lines(
    checker: str,
    file: str,
    complaints: Sequence[Complaint],
    misuses: Mapping[int, Misuse],
    lines: Sequence[str],
) -> Iterator[str]:
    """Complaints about lines that are not marked. The value of `assert_type` may go unused."""
    for one in complaints:
        if one.line in misuses:
            continue
        if one.rule == UNUSED and lines[one.line - 1].lstrip().startswith("assert_type("):
            continue
        verb = "refuses what is not marked so" if file == REFUSED else "refuses it"
        yield f"{{folder}}/{file}:{one.line}: {checker} {verb}: {one.text} ({one.rule})"


def judge_misuses(
    checker: str,
    file: str,
    complaints: Sequence[Complaint],
    misuses: Mapping[int, Misuse],
    exceptions: Mapping[int, str],
) -> Iterator[str]:
    """Marked lines that the checker accepts, and exceptions that it refuses after all."""
    refused = {
        one.line
        for one in complaints
        if one.rule not in PROVES_NOTHING
        or (
            one.rule == UNUSED
            and one.line in misuses
            and misuses[one.line].number in IGNORED_RESULTS
            and file == REFUSED
        )
    }
    for line, misuse in misuses.items():
        is_exception = misuse.number in exceptions
        if line not in refused and not is_exception:
            yield f"{{folder}}/{file}:{line}: {checker} accepts it: {misuse.code}"
        if line in refused and is_exception:
            yield (
                f"{{folder}}/{file}:{line}: {checker} refuses it now, so {misuse.number} is no "
                f"exception any more: {misuse.code}"
            )


def marked(path: Path) -> dict[int, Misuse]:
    """The marked lines of a file, by line number."""
    found: dict[int, Misuse] = {}
    for token in comments(path):
        mark = MARK.fullmatch(token.string)
        if mark is not None:
            code = token.line[: token.start[1]].strip()
            found[token.start[0]] = Misuse(int(mark["number"]), code)
    return found


def silenced(path: Path) -> Iterator[str]:
    """Comments that would silence a checker."""
    for token in comments(path):
        if SILENCER.match(token.string):
            yield f"{{folder}}/{path.name}:{token.start[0]}: silences a checker: {token.string}"


def comments(path: Path) -> Iterator[tokenize.TokenInfo]:
    """The comments of a file, without strings that look like one."""
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT:
                yield token


def main() -> int:
    """Prints what does not hold."""
    found = violations()
    for line in found:
        print(line)
    if not found:
        print(f"{len(marked(FOLDER / REFUSED))} misuses are refused, and nothing else is")
        for checker, exceptions in EXCEPTIONS.items():
            for number, why in exceptions.items():
                print(f"{checker} does not refuse {number}: it {why}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
