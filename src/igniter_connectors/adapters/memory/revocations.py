"""The queue of tokens to be revoked, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import final

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.revocation import PendingRevocation
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.ports import Clock


@final
class MemoryRevocations:
    """`RevocationStore`. Reads the rows and the pending authorizations of its store."""

    def __init__(
        self,
        clock: Clock,
        rows: Mapping[ConnectionKey, ConnectionRecord],
        authorizations: Mapping[bytes, tuple[datetime, PendingAuthorization]],
    ) -> None:
        self._clock = clock
        self._rows = rows
        self._authorizations = authorizations
        self._due: dict[str, tuple[datetime, PendingRevocation]] = {}

    def keep(self, pending: PendingRevocation, due_at: datetime) -> None:
        """Stores a revocation, also one that the store queues as a part of another step."""
        self._due[pending.id] = (due_at, pending)

    async def add(self, pending: PendingRevocation, *, due_in: timedelta) -> None:
        """Adds a revocation."""
        if pending.id not in self._due:
            self.keep(pending, self._clock.now() + due_in)

    async def claim(self, *, limit: int, duration: timedelta) -> Sequence[PendingRevocation]:
        """Claims those that are due."""
        now = self._clock.now()
        due = sorted((at, id) for id, (at, _) in self._due.items() if at <= now)[:limit]
        claimed = [self._due[id][1] for _, id in due]
        for pending in claimed:
            self.keep(pending, now + duration)
        return claimed

    async def postpone(self, id: str, *, attempts: int, retry_in: timedelta) -> None:
        """Makes a revocation due later."""
        if id in self._due:
            pending = replace(self._due[id][1], attempts=attempts)
            self.keep(pending, self._clock.now() + retry_in)

    async def end(self, id: str) -> None:
        """Deletes a revocation."""
        _ = self._due.pop(id, None)

    async def is_authorization_pending(self, key: ConnectionKey) -> bool:
        """Whether the tenant has begun an authorization at the connector."""
        now = self._clock.now()
        return any(
            (one.key.scope, one.key.identity, one.key.connector)
            == (key.scope, key.identity, key.connector)
            for at, one in self._authorizations.values()
            if at > now
        )

    async def is_grant_shared(self, connector: str, client_id: str, subject: str | None) -> bool:
        """Whether a connection uses a grant of this client and subject."""
        return any(
            record.key.connector == connector
            and record.grant is not None
            and record.grant.sealed_tokens != b""
            and (record.grant.client_id, record.grant.subject) == (client_id, subject)
            for record in self._rows.values()
        )
