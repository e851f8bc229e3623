"""Rows of connections, and how grants come and go in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.revocation import RevocationRequest


class ConfigChange(msgspec.Struct, frozen=True):
    """A new config for a row, and the condition under which it is written.

    `row` and `version` are the row's id and version as the caller read them. `sealed_config` is
    an envelope. `upstream` is the account that the config names, or None: it is stored in the
    same row, so a webhook's route and the config never differ. `now` becomes `updated_at`.
    """

    row: str
    version: int
    public_config: bytes
    sealed_config: bytes
    now: datetime
    upstream: str | None = None


class ConnectionStore(Protocol):
    """Connections. Each write has a condition, and changes nothing if the condition fails.

    A disconnected row that held a grant stays as a tombstone until it is purged. Only
    `last_grant`, `insert` and `save_authorized` see tombstones.
    Every method raises `StoreUnavailable` if the database does not answer.
    """

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None."""
        ...

    async def last_grant(self, key: ConnectionKey) -> str | None:
        """The id of the grant in the row or in its tombstone; None without either.

        An authorization that begins now expects this grant when it ends.
        """
        ...

    async def insert(self, record: ConnectionRecord) -> bool:
        """Adds a row, also in a tombstone's place; False if the key has a row."""
        ...

    async def replace_config(self, key: ConnectionKey, change: ConfigChange) -> bool:
        """Writes the config and increments the version; False if row or version do not match."""
        ...

    async def replace_config_ending_grant(
        self,
        key: ConnectionKey,
        change: ConfigChange,
        *,
        grant_id: str,
        revocation: RevocationRequest | None,
    ) -> bool:
        """As `replace_config`, and ends the grant, which the old config obtained.

        Deletes the tokens, increments the generation, sets `grant_id` and the status
        `config_changed`; clears lease, mark, failures and next attempt. In the same step, the old
        tokens and the old config are queued for revocation.
        """
        ...

    async def set_enabled(self, key: ConnectionKey, *, enabled: bool, now: datetime) -> bool:
        """Enables or disables a connection; False if there is none.

        Increments the version if this changes something.
        """
        ...

    async def disconnect(
        self, key: ConnectionKey, *, revocation: RevocationRequest | None, now: datetime
    ) -> ConnectionRecord | None:
        """Deletes a row and its webhook endpoints, and returns the row; None if there is none.

        If the row held a grant, a tombstone stays, with the next generation and no secret. It
        names the grant by another id (`…-ended`), so that an authorization that began before
        does not overwrite it. In the same step, tokens that are not shared are queued for
        revocation.
        """
        ...

    async def purge_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no pending authorization can meet any more.

        Returns how many, at most 1,000.
        """
        ...

    async def save_authorized(
        self,
        record: ConnectionRecord,
        *,
        expected_grant: str | None,
        revocation: RevocationRequest | None = None,
        keep_config: bool = False,
        version: int | None = None,
    ) -> bool:
        """Writes config, grant and status at the end of an authorization.

        - `expected_grant` is None: adds the row, if its key has neither row nor tombstone.
        - The key has a tombstone of the expected grant: overwrites it, as a new row.
        - The row has the record's id, the expected grant, the generation before the record's, and
          `version` (None: any): overwrites it. `enabled` and `created_at` stay, the version is
          incremented, and lease, mark, failures and next attempt are cleared. In the same step, the
          row's old tokens are queued for revocation, unless they are shared.

        With `keep_config` the row keeps its current config, instead of the record's.
        Returns False if none of these applies.
        """
        ...

    async def list(
        self, scope: str, identity: str, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One page of a tenant's rows, ordered by connector and account.

        `after` is the connector and account of the last row of the page before. At most `limit`.
        """
        ...

    async def count(self, scope: str, identity: str) -> int:
        """How many connections one tenant has."""
        ...

    async def count_by_connector(self) -> Mapping[str, int]:
        """How many connections each connector has, over all tenants."""
        ...
