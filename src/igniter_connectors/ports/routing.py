"""Accounts at providers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord


class RoutingStore(Protocol):
    """Which connections belong to an account at the provider, for webhooks of an application.

    The account is a part of a connection's row: `ConnectionRecord.upstream`, or the subject of
    its grant. It is written together with the config or the grant, never by itself.
    Every method raises `StoreUnavailable` if the database does not answer.
    """

    async def find_by_account(self, connector: str, account: str) -> Sequence[ConnectionRecord]:
        """The connections of any tenant whose `upstream` is an account, at most 1,000."""
        ...

    async def find_by_subject(self, connector: str, subject: str) -> Sequence[ConnectionRecord]:
        """The connections of any tenant that a subject authorized, at most 1,000.

        Not those whose config leads elsewhere since then (`config_changed`).
        """
        ...

    async def list_of_connector(
        self, connector: str, *, after: ConnectionKey | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One page of a connector's connections, of all tenants, at most `limit`.

        Ordered by scope, identity and account. `after` is the key of the last row of the page
        before.
        """
        ...

    async def correct_account(
        self, key: ConnectionKey, *, row: str, version: int, account: str | None
    ) -> bool:
        """Writes the account that a row's config names; False if row or version do not match.

        For rows that an older version of the library or of the application wrote. The version
        stays.
        """
        ...
