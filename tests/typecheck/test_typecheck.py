"""What five type checkers accept and refuse of the public API."""

from __future__ import annotations

import shutil
from pathlib import Path

from typecheck.check import ACCEPTED, EXCEPTIONS, REFUSED, Misuse, judge_misuses, violations
from typecheck.checkers import CHECKERS, FOLDER, Complaint, symbols_without_a_known_type

ADDED = """\
connectors.scope(System())  # refused: 1000 a tenant of a kind that is registered
connectors.scope(User("u"))
connectors.scope(User("u"))  # type: ignore[arg-type]
"""


def test_the_checkers_accept_and_refuse_what_is_written() -> None:
    """Under mypy, basedpyright, pyright, ty and pyrefly, and no line silences one of them."""
    assert violations() == []


def test_every_public_symbol_has_a_known_type() -> None:
    """`pyright --verifytypes` finds nothing to guess."""
    assert symbols_without_a_known_type() == []


def test_a_violation_is_reported_with_its_line(tmp_path: Path) -> None:
    """A legal line that is marked, a misuse that is not, a silenced checker, a wrong type."""
    copy = tmp_path / FOLDER.name
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / ACCEPTED).open("a") as accepted:
        accepted.write("assert_type(System(), Organization)\n")
    last = len((copy / ACCEPTED).read_text().splitlines())
    with (copy / REFUSED).open("a") as refused:
        refused.write(ADDED)
    first = len((FOLDER / REFUSED).read_text().splitlines()) + 1
    reported = violations(copy, {"mypy", "basedpyright"})
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
        assert any(one.startswith(line) for one in reported), line


def test_an_exception_that_is_none_any_more_is_reported() -> None:
    """When a checker learns to refuse a misuse, its exception must go."""
    misuses = {7: Misuse(1, "a misuse"), 8: Misuse(2, "another")}
    refuses_one = [Complaint(REFUSED, 7, "rule", "text")]
    reported = list(judge_misuses("ty", REFUSED, refuses_one, misuses, {1: "why", 2: "why"}))
    assert reported == [
        f"{{folder}}/{REFUSED}:7: ty refuses it now, so 1 is no exception any more: a misuse"
    ]


def test_every_checker_has_its_exceptions() -> None:
    """Also where there are none."""
    assert EXCEPTIONS.keys() == CHECKERS.keys()
