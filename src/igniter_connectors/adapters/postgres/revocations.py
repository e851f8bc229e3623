"""Tokens that wait to be revoked, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString, final

from igniter_connectors.adapters.postgres import statements as sql
from igniter_connectors.adapters.postgres.database import Database
from igniter_connectors.adapters.postgres.rows import revocation_values, to_revocation
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.oauth.revocation import PendingRevocation


@final
class PostgresRevocations:
    """The port's methods as one statement each. Several processes share what is due."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, pending: PendingRevocation, *, due_in: timedelta) -> None:
        """Keeps one."""
        _ = await self._database.write(sql.ADD_REVOCATION, (*revocation_values(pending), due_in))

    async def claim(self, *, limit: int, duration: timedelta) -> Sequence[PendingRevocation]:
        """Takes those that are due."""
        rows = await self._database.write(sql.CLAIM_REVOCATIONS, (duration, limit))
        return [to_revocation(row) for row in rows]

    async def postpone(self, id: str, *, attempts: int, retry_in: timedelta) -> None:
        """Makes one due later."""
        _ = await self._database.write(sql.POSTPONE_REVOCATION, (attempts, retry_in, id))

    async def end(self, id: str) -> None:
        """Deletes one."""
        _ = await self._database.write(sql.END_REVOCATION, (id,))

    async def is_authorization_pending(self, key: ConnectionKey) -> bool:
        """Whether the tenant has begun an authorization at the connector."""
        values = (key.scope, key.identity, key.connector)
        return await self._is(sql.IS_AUTHORIZATION_PENDING, *values)

    async def is_grant_shared(self, connector: str, client_id: str, subject: str | None) -> bool:
        """Whether a connection lives on a grant of this client and subject."""
        if subject is None:
            return await self._is(sql.IS_UNKNOWN_GRANT_SHARED, connector, client_id)
        return await self._is(sql.IS_GRANT_SHARED, connector, client_id, subject)

    async def _is(self, question: LiteralString, *values: str) -> bool:
        rows = await self._database.run(question, values, until=self._database.until())
        return bool(rows[0][0])
