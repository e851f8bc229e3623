"""Fixtures, as a plugin: one server a session, a fresh database for each test."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from tests.postgres.databases import Databases
from tests.postgres.server import Server


@pytest.fixture(scope="session")
def own_server() -> Generator[Server, None, None]:
    """A server that a test may pause and stop. The test has to start it again."""
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def own_databases(own_server: Server) -> Databases:
    """The databases of that server."""
    return Databases(own_server.url())


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Generator[Databases, None, None]:
    """The databases of the server that `DATABASE_URL` names, or of our own server."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith(("postgres://", "postgresql://")):
        yield request.getfixturevalue("own_databases")
        return
    databases = Databases(url)
    yield databases
    databases.close()


@pytest.fixture
def database_url(databases: Databases) -> Generator[str, None, None]:
    """A fresh database with the library's tables."""
    with databases.migrated() as url:
        yield url


@pytest.fixture
def empty_database_url(databases: Databases) -> Generator[str, None, None]:
    """A fresh, empty database."""
    with databases.empty() as url:
        yield url


@pytest.fixture
def own_database_url(own_databases: Databases) -> Generator[str, None, None]:
    """A fresh database with the library's tables, on the server that a test may stop."""
    with own_databases.migrated() as url:
        yield url
