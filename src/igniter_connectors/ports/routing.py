"""Accounts at providers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord


class RoutingStore(Protocol):
    """Which connections belong to an account at the provider, for webhooks of an application.

    Every method raises `StoreUnavailable` if the database does not answer.
    """

    async def add_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Adds an account to those of a connection's row. The row need not exist yet."""
        ...

    async def keep_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Deletes every other account of a connection's row."""
        ...

    async def forget_accounts(self, key: ConnectionKey) -> None:
        """Deletes all accounts of a connection, of every row that it had."""
        ...

    async def find_by_account(self, connector: str, account: str) -> Sequence[ConnectionRecord]:
        """The connections of any tenant that belong to an account, at most 1,000."""
        ...

    async def find_by_subject(self, connector: str, subject: str) -> Sequence[ConnectionRecord]:
        """The connections of any tenant that a subject authorized, at most 1,000."""
        ...
