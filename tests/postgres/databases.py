"""Databases for tests: each is a clone of one that was migrated once."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from igniter_connectors.adapters.postgres import PostgresStore


class Databases:
    """Creates and drops databases of one server. Names are random, so runs do not collide.

    `url` names any database of the server. Its user may create databases.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._template: str | None = None

    @contextmanager
    def migrated(self) -> Generator[str, None, None]:
        """The URL of a fresh database with the library's tables: a clone, in about 30 ms."""
        if self._template is None:
            self._template = self._create("template1")
            _migrate(self._url_of(self._template))
        with self._lasting(self._template) as url:
            yield url

    @contextmanager
    def empty(self) -> Generator[str, None, None]:
        """The URL of a fresh, empty database."""
        with self._lasting("template1") as url:
            yield url

    def close(self) -> None:
        """Drops the template."""
        if self._template is not None:
            self._drop(self._template)
            self._template = None

    @contextmanager
    def _lasting(self, template: str) -> Generator[str, None, None]:
        name = self._create(template)
        try:
            yield self._url_of(name)
        finally:
            self._drop(name)

    def _create(self, template: str) -> str:
        name = f"igniter_test_{secrets.token_hex(6)}"
        # A copy of the files is faster than a copy through the log while they are small.
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return name

    def _drop(self, name: str) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _url_of(self, name: str) -> str:
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))


def name_in(url: str) -> str:
    """The database's name in a URL."""
    return urlsplit(url).path.removeprefix("/")


def _migrate(url: str) -> None:
    # In a thread, since the caller's may be running a loop already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(PostgresStore(url).migrate())).result()
