"""`migrate`: the schema of a PostgreSQL database."""

from __future__ import annotations

import asyncio

import click

from igniter_connectors.settings import Settings


def migrate_database(*, only_plan: bool) -> None:
    """Applies what is missing, or prints what would be applied.

    Raises:
        WrongWiring: `DATABASE_URL` is missing or wrong.
        StoreUnavailable: the database does not answer, or a newer version made its schema.
    """
    from igniter_connectors.adapters.sqlite import SQLiteStore

    store = Settings.from_environment().store()
    if isinstance(store, SQLiteStore):
        click.echo("a SQLite file is brought up to date when it is opened: nothing to do")
        return
    from igniter_connectors.adapters.postgres import PostgresStore

    assert isinstance(store, PostgresStore)
    names = asyncio.run(store.plan() if only_plan else store.migrate())
    for name in names:
        click.echo(f"{'would apply' if only_plan else 'applied'} {name}")
    if not names:
        click.echo("the schema is up to date")
