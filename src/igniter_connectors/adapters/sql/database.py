"""What the shared methods need of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString, Protocol, TypeVar

import msgspec

from igniter_connectors.adapters.sql.statements import Statements
from igniter_connectors.ports import StoreRefused

R = TypeVar("R", bound=msgspec.Struct)


class RowUnreadable(StoreRefused):
    """A value does not have the type of its column; the database itself works."""


class SqlDatabase(Protocol):
    """Runs single statements, each its own transaction.

    Values are given by the names of the parameters: texts, bytes, numbers, booleans, aware
    instants, and lists of texts. A timedelta is a duration from now, by the clock that decides:
    the server's on PostgreSQL, the host's on SQLite.

    Every method raises `StoreUnavailable` if the database does not answer, and `RowUnreadable`
    if a row is not of the class `kind`.
    """

    async def read(
        self, statement: LiteralString, values: Mapping[str, Any], kind: type[R]
    ) -> list[R]:
        """The rows of a SELECT. A caller that is cancelled may cancel the statement."""
        ...

    async def write(self, statement: LiteralString, values: Mapping[str, Any]) -> int:
        """Runs a statement that ends in RETURNING; returns how many rows it changed.

        A caller that is cancelled returns at once; the statement is completed or fails whole.
        """
        ...

    async def write_returning(
        self, statement: LiteralString, values: Mapping[str, Any], kind: type[R]
    ) -> list[R]:
        """As `write`, and returns the rows of RETURNING."""
        ...


class SqlPart:
    """One of the ports of a store, on a database, by the statements in its dialect."""

    def __init__(self, database: SqlDatabase, statements: Statements) -> None:
        self._database = database
        self._sql = statements
