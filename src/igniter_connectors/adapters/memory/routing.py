"""Accounts at providers, and the connections that belong to them, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord


@final
class MemoryRouting:
    """`RoutingStore`. Stores accounts in a set, and searches all connections."""

    def __init__(self, rows: Mapping[ConnectionKey, ConnectionRecord]) -> None:
        self._rows = rows
        self._accounts: set[tuple[ConnectionKey, str, str]] = set()

    async def add_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Adds an account to those of a connection's row."""
        self._accounts.add((key, row, account))

    async def keep_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Deletes every other account of a connection's row."""
        self._accounts -= {
            one for one in self._accounts if one[:2] == (key, row) and one[2] != account
        }

    async def forget_accounts(self, key: ConnectionKey) -> None:
        """Deletes all accounts of a connection."""
        self._accounts -= {one for one in self._accounts if one[0] == key}

    async def find_by_account(self, connector: str, account: str) -> Sequence[ConnectionRecord]:
        """The connections that belong to an account."""
        return [
            record
            for record in self._rows.values()
            if record.key.connector == connector
            and (record.key, record.id, account) in self._accounts
        ]

    async def find_by_subject(self, connector: str, subject: str) -> Sequence[ConnectionRecord]:
        """The connections that a subject authorized."""
        return [
            record
            for record in self._rows.values()
            if record.key.connector == connector
            and record.grant is not None
            and record.grant.subject == subject
        ]
