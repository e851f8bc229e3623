"""Pending authorizations."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from igniter_connectors.core.oauth.state import PendingAuthorization


class AuthorizationStore(Protocol):
    """Authorizations that have begun. Each can be taken once, until it expires.

    Every method raises `StoreUnavailable` if the database does not answer.
    """

    async def add_authorization(
        self, pending: PendingAuthorization, *, lifetime: timedelta
    ) -> None:
        """Stores an authorization, which expires by the store's own clock.

        Also deletes some that have expired.
        """
        ...

    async def take_authorization(
        self, handle_hash: bytes, binding_hash: bytes
    ) -> PendingAuthorization | None:
        """Deletes and returns an authorization, in one statement.

        None if not both hashes match, or if it has expired.
        """
        ...
