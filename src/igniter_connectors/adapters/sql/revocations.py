"""The queue of tokens to be revoked, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, LiteralString, final

from igniter_connectors.adapters.sql.database import SqlPart
from igniter_connectors.adapters.sql.records import key_values, revocation_values, to_revocation
from igniter_connectors.adapters.sql.tables import ExistsRow, RevocationRow
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.oauth.revocation import PendingRevocation


@final
class SqlRevocations(SqlPart):
    """`RevocationStore`: one statement each. Several processes share what is due."""

    async def add(self, pending: PendingRevocation, *, due_in: timedelta) -> None:
        """Adds a revocation."""
        values = {**revocation_values(pending), "due_in": due_in}
        _ = await self._database.write(self._sql.revocations.add, values)

    async def claim(self, *, limit: int, duration: timedelta) -> Sequence[PendingRevocation]:
        """Claims those that are due."""
        values = {"row_limit": limit, "duration": duration}
        rows = await self._database.write_returning(
            self._sql.revocations.claim, values, RevocationRow
        )
        return [to_revocation(row) for row in rows]

    async def postpone(self, id: str, *, attempts: int, retry_in: timedelta) -> None:
        """Makes a revocation due later."""
        values = {"id": id, "attempts": attempts, "retry_in": retry_in}
        _ = await self._database.write(self._sql.revocations.postpone, values)

    async def end(self, id: str) -> None:
        """Deletes a revocation."""
        _ = await self._database.write(self._sql.revocations.delete, {"id": id})

    async def is_authorization_pending(self, key: ConnectionKey) -> bool:
        """Whether the tenant has begun an authorization at the connector."""
        return await self._exists(self._sql.revocations.is_authorization_pending, key_values(key))

    async def is_grant_shared(self, connector: str, client_id: str, subject: str | None) -> bool:
        """Whether a connection uses a grant of this client and subject."""
        values = {"connector": connector, "client_id": client_id, "subject": subject}
        if subject is None:
            return await self._exists(self._sql.revocations.is_unknown_grant_shared, values)
        return await self._exists(self._sql.revocations.is_grant_shared, values)

    async def _exists(self, statement: LiteralString, values: dict[str, Any]) -> bool:
        (row,) = await self._database.read(statement, values, ExistsRow)
        return row.exists
