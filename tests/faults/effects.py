"""A database with a table of the application's own, for counting what took effect."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import psycopg

from igniter_connectors import PostgresStore, SQLiteStore

INSERT = "INSERT INTO effects (letter) VALUES ('{}')"


class Effects:
    """On SQLite's file or PostgreSQL's URL."""

    def __init__(self, kind: str, place: str) -> None:
        self.kind = kind
        self.place = place

    def create(self) -> None:
        """Makes the table."""
        self._run("CREATE TABLE effects (letter text)")

    def store(self) -> SQLiteStore | PostgresStore:
        """Another store on the same database."""
        return SQLiteStore(self.place) if self.kind == "sqlite" else PostgresStore(self.place)

    def told(self) -> list[str]:
        """What took effect."""
        return [row[0] for row in self._run("SELECT letter FROM effects")]

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.place)) as file, file:
                return file.execute(statement).fetchall()
        with psycopg.connect(self.place, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
