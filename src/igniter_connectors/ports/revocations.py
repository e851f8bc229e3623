"""The queue of tokens to be revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.oauth.revocation import PendingRevocation


class RevocationStore(Protocol):
    """Tokens to be revoked, stored until the provider has confirmed.

    All instants are the store's own clock's.
    Every method raises `StoreUnavailable` if the database does not answer.
    """

    async def add(self, pending: PendingRevocation, *, due_in: timedelta) -> None:
        """Adds a revocation. Adding its id again does nothing: an answer may have been lost."""
        ...

    async def claim(self, *, limit: int, duration: timedelta) -> Sequence[PendingRevocation]:
        """Claims those that are due, the longest due first, at most `limit`.

        No other process gets them for `duration`. After that they are due again, for example
        because this process crashed.
        """
        ...

    async def postpone(self, id: str, *, attempts: int, retry_in: timedelta) -> None:
        """Makes a revocation due later, and sets its number of attempts."""
        ...

    async def end(self, id: str) -> None:
        """Deletes a revocation."""
        ...

    async def is_authorization_pending(self, key: ConnectionKey) -> bool:
        """Whether the key's tenant has begun an authorization at the key's connector."""
        ...

    async def is_grant_shared(self, connector: str, client_id: str, subject: str | None) -> bool:
        """Whether a connection of any tenant uses a grant of this client and subject.

        With `subject` None: a grant whose subject is not known.
        """
        ...
