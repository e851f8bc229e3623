"""A database with an application's own table, which counts the effects of handlers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import psycopg

from igniter_connectors import PostgresStore, SQLiteStore

INSERT = "INSERT INTO effects (letter) VALUES ('{}')"


class Effects:
    """The table `effects` on a SQLite file or a PostgreSQL URL."""

    def __init__(self, kind: str, location: str) -> None:
        self.kind = kind
        self.location = location

    def create(self) -> None:
        """Creates the table."""
        self._run("CREATE TABLE effects (letter text)")

    def store(self) -> SQLiteStore | PostgresStore:
        """A new store on the same database."""
        return SQLiteStore(self.location) if self.kind == "sqlite" else PostgresStore(self.location)

    def letters(self) -> list[str]:
        """The letters whose effect was committed."""
        return [row[0] for row in self._run("SELECT letter FROM effects")]

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.location)) as file, file:
                return file.execute(statement).fetchall()
        with psycopg.connect(self.location, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
