"""Accounts at providers, and the connections that belong to them, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord


@final
class MemoryRouting:
    """`RoutingStore`. Searches all connections."""

    def __init__(self, rows: dict[ConnectionKey, ConnectionRecord]) -> None:
        self._rows = rows

    async def find_by_account(self, connector: str, account: str) -> Sequence[ConnectionRecord]:
        """The connections that belong to an account."""
        return [
            record
            for record in self._rows.values()
            if record.key.connector == connector and record.upstream == account
        ]

    async def find_by_subject(self, connector: str, subject: str) -> Sequence[ConnectionRecord]:
        """The connections that a subject authorized."""
        return [
            record
            for record in self._rows.values()
            if record.key.connector == connector
            and record.status != "config_changed"
            and record.grant is not None
            and record.grant.subject == subject
        ]

    async def list_of_connector(
        self, connector: str, *, after: ConnectionKey | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One page of a connector's connections, of all tenants."""
        rows = {
            _place(key): record
            for key, record in self._rows.items()
            if key.connector == connector and (after is None or _place(key) > _place(after))
        }
        return [rows[place] for place in sorted(rows)][:limit]

    async def correct_account(
        self, key: ConnectionKey, *, row: str, version: int, account: str | None
    ) -> bool:
        """Writes the account that a row's config names, if row and version match."""
        record = self._rows.get(key)
        if record is None or (record.id, record.version) != (row, version):
            return False
        self._rows[key] = replace(record, upstream=account)
        return True


def _place(key: ConnectionKey) -> tuple[str, str, str]:
    return (key.scope, key.identity, key.account)
