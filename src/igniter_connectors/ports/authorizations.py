"""Authorizations under way."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from igniter_connectors.core.oauth.state import PendingAuthorization


class AuthorizationStore(Protocol):
    """Authorizations that have begun. One use, and gone when their time is over."""

    async def add_authorization(
        self, pending: PendingAuthorization, *, lifetime: timedelta
    ) -> None:
        """Keeps one for a while, by the store's own clock; clears away some that are over."""
        ...

    async def take_authorization(
        self, handle_hash: bytes, binding_hash: bytes
    ) -> PendingAuthorization | None:
        """Deletes and returns one, in one statement, where both hashes match and it lives."""
        ...
