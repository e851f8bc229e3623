"""Tokens to be revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.oauth.revocation import PendingRevocation


class RevocationStore(Protocol):
    """Tokens to be revoked, kept until the provider has confirmed."""

    async def add(self, pending: PendingRevocation, *, due_in: timedelta) -> None:
        """Keeps one, due by the store's own clock."""
        ...

    async def claim(self, *, limit: int, duration: timedelta) -> Sequence[PendingRevocation]:
        """Takes those that are due, the longest waiting first: nobody else gets them for
        `duration`. Whoever crashes meanwhile leaves them to the next."""
        ...

    async def postpone(self, id: str, *, attempts: int, retry_in: timedelta) -> None:
        """Makes one due later."""
        ...

    async def end(self, id: str) -> None:
        """Deletes one."""
        ...

    async def is_authorization_pending(self, key: ConnectionKey) -> bool:
        """Whether the key's tenant has begun an authorization at the key's connector."""
        ...

    async def is_grant_shared(self, connector: str, client_id: str, subject: str | None) -> bool:
        """Whether a connection of any tenant lives on a grant of this client and subject.

        Grants whose subject is not known are taken for one another.
        """
        ...
