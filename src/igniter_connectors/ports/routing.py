"""Accounts at providers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord


class RoutingStore(Protocol):
    """Which connections belong to an account at the provider, for webhooks of an application.

    Every method raises `StoreUnavailable` where the database does not answer.
    """

    async def add_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Says that a connection's row belongs to an account there, beside those it has. The row
        may come later, or never."""
        ...

    async def keep_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Forgets every other account of a connection's row."""
        ...

    async def forget_accounts(self, key: ConnectionKey) -> None:
        """Forgets all accounts of a connection, whatever its row."""
        ...

    async def find_by_account(self, connector: str, account: str) -> Sequence[ConnectionRecord]:
        """The connections of any tenant that belong to an account, 1,000 at most."""
        ...

    async def find_by_subject(self, connector: str, subject: str) -> Sequence[ConnectionRecord]:
        """The connections of any tenant that a subject authorized, 1,000 at most."""
        ...
