"""Refresh leases: which process may refresh a grant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from igniter_connectors.core.connection.record import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    Status,
)
from igniter_connectors.core.oauth.refresh_lease import Lease


class LeaseStore(Protocol):
    """Refresh leases, and what their holders write.

    All instants are the store's own clock's. Three methods are fenced: `put_back_lease`,
    `release_lease` and `save_grant_status` write only if row, generation and owner are still the
    lease's, and return False otherwise.
    Every method raises `StoreUnavailable` if the database does not answer.
    """

    async def take_lease(
        self, key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        """Takes the right to refresh, in one statement.

        Sets the owner, the end of the lease, and the mark that the outcome is unknown, if all of
        this holds: the generation is the given one, the status is ok, no lease runs, and no next
        attempt is still in the future. Returns the tokens, and the mark as it was before; None
        if the condition fails. The owner of a running lease gets it again, with the same mark,
        and for `duration` from now: the first answer may have been lost.
        """
        ...

    async def put_back_lease(
        self, key: ConnectionKey, lease: Lease, *, failures: int, retry_in: timedelta
    ) -> bool:
        """Ends a lease after a definite failure, and restores the mark as it was before. Fenced.

        The next attempt may begin after `retry_in`.
        """
        ...

    async def save_grant_status(self, key: ConnectionKey, lease: Lease, status: Status) -> bool:
        """Writes that the grant is dead, and clears lease and mark. Fenced."""
        ...

    async def release_lease(self, key: ConnectionKey, lease: Lease) -> bool:
        """Ends a lease after an attempt with an unknown outcome; the mark stays. Fenced."""
        ...

    async def save_renewed(
        self, key: ConnectionKey, *, row: str, generation: int, grant: Grant
    ) -> bool:
        """Writes a renewed grant if the row's id and generation match.

        Whoever holds the lease: tokens that a provider issued must not be lost. Writes the
        grant, resets failures, next attempt, lease and mark, and sets the status to ok unless
        the config was changed. Does not write the config or `enabled`.
        """
        ...

    async def list_expiring(self, *, within: timedelta, limit: int) -> Sequence[ConnectionRecord]:
        """Rows of all tenants whose refresh token expires soon, the soonest first.

        Soon means both `within` and the last fifth of the token's life. Returns only rows that
        may be refreshed now: enabled, status ok, no running lease, no next attempt in the future.
        """
        ...
