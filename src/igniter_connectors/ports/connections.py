"""Rows of connections and the grants in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant, Status
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.oauth.revocation import RevocationRequest


class ConnectionStore(Protocol):
    """Connections. Each write names what it changes and the condition under which it may.

    Every method raises `StoreUnavailable` where the database does not answer.
    """

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None; a tombstone is None too."""
        ...

    async def last_grant(self, key: ConnectionKey) -> str | None:
        """What an authorization that begins now will find: the id of the row's grant, or of its
        tombstone; None where neither stands."""
        ...

    async def insert(self, record: ConnectionRecord) -> bool:
        """Adds a row, also in a tombstone's place; False where one stands under its key."""
        ...

    async def replace_config(
        self,
        key: ConnectionKey,
        *,
        row: str,
        version: int,
        public_config: bytes,
        sealed_config: bytes,
        now: datetime,
    ) -> bool:
        """Writes the config where the row's id and version still match, and counts one up."""
        ...

    async def replace_config_ending_grant(
        self,
        key: ConnectionKey,
        *,
        row: str,
        version: int,
        public_config: bytes,
        sealed_config: bytes,
        now: datetime,
        grant_id: str,
        revocation: RevocationRequest | None,
    ) -> bool:
        """As `replace_config`, and ends the grant, which was minted under the config before.

        The tokens go, the generation counts up, the grant's id becomes the new one given, and
        the status `config_changed`; lease, mark, failures and next attempt are cleared. In the
        same step, the old tokens with the old config are handed over to be revoked.
        """
        ...

    async def set_enabled(self, key: ConnectionKey, *, enabled: bool, now: datetime) -> bool:
        """Switches a connection; False where there is none. Counts the version up on a change."""
        ...

    async def disconnect(
        self, key: ConnectionKey, *, revocation: RevocationRequest | None, now: datetime
    ) -> ConnectionRecord | None:
        """Takes a row away, its webhook endpoints with it, and returns it; None if absent.

        Where it held a grant, a tombstone stays with the generation counted up and no secret.
        It names the grant by another id than the row did (`…-ended`), so that an authorization
        that began before does not land on it. In the same step, tokens that are not shared are
        handed over.
        """
        ...

    async def purge_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no pending authorization may still meet; at most 1,000."""
        ...

    async def save_authorized(
        self,
        record: ConnectionRecord,
        *,
        expected_grant: str | None,
        revocation: RevocationRequest | None = None,
        keep_config: bool = False,
    ) -> bool:
        """Writes config, grant and status of a finished authorization.

        Without `expected_grant` it adds the row, where neither row nor tombstone stands under
        its key. With it, it overwrites a tombstone of that grant as if nothing stood there, or
        the row of the record's id, whose grant is the expected one and whose generation is one
        below the record's: then `enabled` and `created_at` stay, the version counts up, lease,
        mark, failures and next attempt are cleared, and in the same step the tokens that stood
        there, unless shared, are handed over. With `keep_config` the row's config stays as it
        is then, and not as the record has it. False where that did not hold.
        """
        ...

    async def take_lease(
        self, key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        """Takes the right to refresh, in one statement, by the store's own clock.

        Sets owner, end, and the mark that the outcome is unknown, where the generation is
        the one seen, the status is ok, no lease is running and no next attempt lies ahead.
        Returns the tokens and the mark as it stood before; None where that did not hold.
        """
        ...

    async def put_back_lease(
        self, key: ConnectionKey, lease: Lease, *, failures: int, retry_in: timedelta
    ) -> bool:
        """Ends a lease after a definite failure, and restores the mark that stood before it.

        Only where row, generation and owner are the lease's. The next attempt lies ahead
        by the store's own clock.
        """
        ...

    async def save_grant_status(self, key: ConnectionKey, lease: Lease, status: Status) -> bool:
        """Writes that the grant is dead, where row, generation and owner are the lease's.

        Clears lease and mark.
        """
        ...

    async def release_lease(self, key: ConnectionKey, lease: Lease) -> bool:
        """Ends a lease whose attempt's outcome is not known; the mark stays.

        Only where row, generation and owner are the lease's.
        """
        ...

    async def save_renewed(
        self, key: ConnectionKey, *, row: str, generation: int, grant: Grant
    ) -> bool:
        """Writes a renewed grant where the row's id and generation still match.

        Whoever holds the lease, or nobody: what the provider gave must not be lost. Writes
        tokens, generation, no failures, no lease, no mark, and status ok unless the config
        was changed; nothing of config or `enabled`.
        """
        ...

    async def list_expiring(self, *, within: timedelta, limit: int) -> Sequence[ConnectionRecord]:
        """Rows of all tenants whose refresh token lapses soon, the soonest first.

        Soon is `within`, and the last fifth of the token's life.
        Only those that may be refreshed now: enabled, status ok, no lease held, no next
        attempt ahead, by the store's own clock.
        """
        ...

    async def list(
        self, scope: str, identity: str, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One tenant's rows by connector and account, after a place, at most `limit`."""
        ...

    async def count(self, scope: str, identity: str) -> int:
        """How many connections one tenant has."""
        ...

    async def count_by_connector(self) -> Mapping[str, int]:
        """How many connections each connector has, over all tenants."""
        ...
