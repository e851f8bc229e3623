"""Migrations of a SQLite file: rows from before them."""

from __future__ import annotations

from pathlib import Path

from igniter_connectors import SQLiteStore
from tests.adapters.sqlite.test_inbox import file_of_version


async def test_accounts_become_a_part_of_their_rows(tmp_path: Path) -> None:
    """A row with one account keeps it. Of several nobody knows which is right, so none is kept."""
    path = tmp_path / "connectors.db"
    accounts = {"one": ["T1"], "several": ["T1", "T2"], "none": [], "gone": ["T1"]}
    with file_of_version(path, 5) as connection:
        for name, teams in accounts.items():
            status = "disconnected" if name == "gone" else "ok"
            connection.execute(
                "INSERT INTO connections (scope, identity, connector, account, id, public_config,"
                " sealed_config, enabled, version, created_at, updated_at, status, failures,"
                " unresolved) VALUES ('organization', ?, 'chat', 'default', ?, x'', x'', 1, 1, 0,"
                " 0, ?, 0, 0)",
                (name, f"row-{name}", status),
            )
            for team in teams:
                for row in (f"row-{name}", "row-before"):
                    connection.execute(
                        "INSERT OR IGNORE INTO webhook_accounts VALUES"
                        " ('chat', ?, 'organization', ?, 'default', ?)",
                        (team, name, row),
                    )
    connection.close()
    store = SQLiteStore(path)
    await store.open()
    try:
        (found,) = await store.routing.find_by_account("chat", "T1")
        assert (found.key.identity, found.upstream) == ("one", "T1")
        assert await store.routing.find_by_account("chat", "T2") == []
        page = await store.routing.list_of_connector("chat", after=None, limit=9)
        assert [(one.key.identity, one.upstream) for one in page] == [
            ("none", None),
            ("one", "T1"),
            ("several", None),
        ]
    finally:
        await store.close()
