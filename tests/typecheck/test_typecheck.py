"""What type checkers accept and refuse of the public API."""

from __future__ import annotations

import shutil
from pathlib import Path

from typecheck.check import ACCEPTED, FOLDER, REFUSED, violations

ADDED = """\
connectors.scope(System())  # refused: 1000 a tenant of a kind that is registered
connectors.scope(User("u"))
connectors.scope(User("u"))  # type: ignore[arg-type]
"""


def test_the_checkers_accept_and_refuse_what_is_written() -> None:
    """Under mypy and basedpyright, without a line that silences either."""
    assert violations() == []


def test_a_file_that_does_not_hold_is_told_line_by_line(tmp_path: Path) -> None:
    """A legal line that is marked, a misuse that is not, a silenced checker, a wrong type."""
    copy = tmp_path / FOLDER.name
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / ACCEPTED).open("a") as accepted:
        accepted.write("assert_type(System(), Organization)\n")
    last = len((copy / ACCEPTED).read_text().splitlines())
    with (copy / REFUSED).open("a") as refused:
        refused.write(ADDED)
    first = len((FOLDER / REFUSED).read_text().splitlines()) + 1
    told = violations(copy)
    for line in (
        f"typecheck/{REFUSED}: the numbers do not count from 1 without a gap",
        f"typecheck/{REFUSED}:{first}: mypy accepts it: ",
        f"typecheck/{REFUSED}:{first}: basedpyright accepts it: ",
        f"typecheck/{REFUSED}:{first + 1}: mypy refuses what is not marked so: ",
        f"typecheck/{REFUSED}:{first + 1}: basedpyright refuses what is not marked so: ",
        f"typecheck/{REFUSED}:{first + 2}: silences a checker: ",
        f"typecheck/{ACCEPTED}:{last}: mypy refuses it: ",
        f"typecheck/{ACCEPTED}:{last}: basedpyright refuses it: ",
    ):
        assert any(one.startswith(line) for one in told), line
