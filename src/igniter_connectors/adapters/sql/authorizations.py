"""Pending authorizations in SQL."""

from __future__ import annotations

from datetime import timedelta

from igniter_connectors.adapters.sql.database import SqlPart
from igniter_connectors.adapters.sql.records import authorization_values, to_authorization
from igniter_connectors.adapters.sql.tables import AuthorizationRow
from igniter_connectors.core.oauth.state import PendingAuthorization


class SqlAuthorizations(SqlPart):
    """`AuthorizationStore`."""

    async def add_authorization(
        self, pending: PendingAuthorization, *, lifetime: timedelta
    ) -> None:
        """Stores an authorization for its lifetime, and deletes some that have expired."""
        _ = await self._database.write(self._sql.authorizations.delete_expired, {})
        values = {**authorization_values(pending), "lifetime": lifetime}
        _ = await self._database.write(self._sql.authorizations.add, values)

    async def take_authorization(
        self, handle_hash: bytes, binding_hash: bytes
    ) -> PendingAuthorization | None:
        """Deletes and returns an authorization if both hashes match and it has not expired."""
        rows = await self._database.write_returning(
            self._sql.authorizations.take,
            {"handle_hash": handle_hash, "binding_hash": binding_hash},
            AuthorizationRow,
        )
        return to_authorization(rows[0]) if rows else None
