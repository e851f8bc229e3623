"""`migrate` in real processes."""

from __future__ import annotations

from pathlib import Path

from tests.cli.command_line import run
from tests.postgres.databases import Databases


def test_migrations_are_planned_and_applied(databases: Databases, tmp_path: Path) -> None:
    """The second run applies nothing. SQLite needs none. A missing server is one line."""
    with databases.empty() as url:
        planned = run("migrate", "--plan", DATABASE_URL=url)
        assert planned.stdout.startswith("would apply 0001"), planned.stderr
        assert run("migrate", DATABASE_URL=url).stdout.startswith("applied 0001")
        assert run("migrate", DATABASE_URL=url).stdout == "the schema is up to date\n"
    assert "nothing to do" in run("migrate", DATABASE_URL=f"sqlite:///{tmp_path}/c.db").stdout
    away = run("migrate", DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert (away.returncode, away.stderr.count("\n")) == (1, 1), away.stderr
