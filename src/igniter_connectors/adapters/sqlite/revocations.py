"""Tokens that wait to be revoked, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import final

from igniter_connectors.adapters.sqlite import statements as sql
from igniter_connectors.adapters.sqlite.database import Database
from igniter_connectors.adapters.sqlite.rows import (
    revocation_values,
    to_micros,
    to_revocation,
)
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.oauth.revocation import PendingRevocation
from igniter_connectors.ports import Clock


@final
class SQLiteRevocations:
    """The port's methods as one statement each, by the host's clock."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, pending: PendingRevocation, *, due_in: timedelta) -> None:
        """Keeps one."""
        values = (*revocation_values(pending), self._at(due_in))
        _ = await self._database.write(sql.ADD_REVOCATION, values)

    async def claim(self, *, limit: int, duration: timedelta) -> Sequence[PendingRevocation]:
        """Takes those that are due."""
        values = (self._at(duration), self._at(timedelta()), limit)
        rows = await self._database.write(sql.CLAIM_REVOCATIONS, values)
        return [to_revocation(row) for row in rows]

    async def postpone(self, id: str, *, attempts: int, retry_in: timedelta) -> None:
        """Makes one due later."""
        _ = await self._database.write(sql.POSTPONE_REVOCATION, (attempts, self._at(retry_in), id))

    async def end(self, id: str) -> None:
        """Deletes one."""
        _ = await self._database.write(sql.END_REVOCATION, (id,))

    async def is_authorization_pending(self, key: ConnectionKey) -> bool:
        """Whether the tenant has begun an authorization at the connector."""
        values = (key.scope, key.identity, key.connector, self._at(timedelta()))
        rows = await self._database.read(sql.IS_AUTHORIZATION_PENDING, values)
        return bool(rows[0][0])

    async def is_grant_shared(self, connector: str, client_id: str, subject: str | None) -> bool:
        """Whether a connection lives on a grant of this client and subject."""
        values = (connector, client_id, subject)
        rows = await self._database.read(sql.IS_GRANT_SHARED, values)
        return bool(rows[0][0])

    def _at(self, later: timedelta) -> int:
        return to_micros(self._clock.now() + later)
