"""The schema's version: what the package's numbered files make, and what a database holds."""

from __future__ import annotations

from importlib import resources
from typing import Final

import msgspec

from igniter_connectors.adapters.postgres.connection import Link
from igniter_connectors.adapters.postgres.errors import MIGRATE
from igniter_connectors.ports import StoreUnavailable

SCHEMA_VERSION: Final = 3
"""What this version of the library reads and writes: the number of the last migration."""


class Migration(msgspec.Struct, frozen=True):
    """One numbered file. It brings a schema from the version before to its own."""

    version: int
    name: str
    script: str


def migrations() -> tuple[Migration, ...]:
    """All of them, in order, from 1 without a gap."""
    folder = resources.files("igniter_connectors.adapters.postgres") / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return tuple(
        Migration(number, file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for number, file in enumerate(files, start=1)
    )


async def stored_version(link: Link) -> int:
    """The version of a database's schema, 0 where nothing was ever migrated."""
    found = await link.execute("SELECT to_regclass('igniter_migrations') IS NOT NULL")
    if await found.fetchone() != (True,):
        return 0
    found = await link.execute("SELECT coalesce(max(version), 0) FROM igniter_migrations")
    row = await found.fetchone()
    return 0 if row is None else int(row[0])


async def require_current(link: Link) -> None:
    """Makes sure that the schema is this library's.

    Raises:
        StoreUnavailable: it is not; the reason says what to do.
    """
    version = await stored_version(link)
    if version == 0:
        raise StoreUnavailable(f"PostgreSQL: the database has no tables yet: {MIGRATE}")
    if version < SCHEMA_VERSION:
        raise StoreUnavailable(
            f"PostgreSQL: the schema is version {version}, this library reads"
            f" {SCHEMA_VERSION}: {MIGRATE}"
        )
    refuse_newer(version)


def refuse_newer(version: int) -> None:
    """Refuses a schema from the future.

    Raises:
        StoreUnavailable: a newer library made it.
    """
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"PostgreSQL: the schema is version {version}, this library reads"
            f" {SCHEMA_VERSION}: install a newer igniter-connectors"
        )
