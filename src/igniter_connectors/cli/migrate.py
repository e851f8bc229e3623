"""`migrate`: brings the schema of a PostgreSQL database up to date."""

from __future__ import annotations

import asyncio

from igniter_connectors.cli.output import print_line
from igniter_connectors.settings import Settings


def migrate_database(*, only_plan: bool) -> None:
    """Applies the missing migrations, or with `only_plan` prints them.

    Raises:
        WrongWiring: `DATABASE_URL` is missing or invalid.
        StoreUnavailable: the database does not answer, or its schema is from a newer version.
    """
    from igniter_connectors.adapters.sqlite import SQLiteStore

    store = Settings.from_environment().store()
    if isinstance(store, SQLiteStore):
        print_line("nothing to do: a SQLite schema is updated when the file is opened")
        return
    from igniter_connectors.adapters.postgres import PostgresStore

    assert isinstance(store, PostgresStore)
    names = asyncio.run(store.plan() if only_plan else store.migrate(on_wait=_print_wait))
    for name in names:
        print_line(f"{'would apply' if only_plan else 'applied'} {name}")
    if not names:
        print_line("the schema is up to date")


def _print_wait(line: str) -> None:
    print_line(line, to_stderr=True)
