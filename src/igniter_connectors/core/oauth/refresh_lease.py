"""The right to refresh one connection, across processes.

At a provider that rotates refresh tokens and revokes a grant when one is used twice, two
requests with one token lose the grant. So whoever refreshes first takes a lease, in one
statement on the database, and sends the token that this statement returned, no other.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from igniter_connectors.core.connection.record import ConnectionRecord, Status

DEADLINE: Final = timedelta(seconds=10)
"""How long after it asked for the lease a holder may still be waiting for the provider."""

DURATION: Final = timedelta(seconds=15)
"""How long a lease lasts; the difference to the deadline is for reading and committing."""

COMMIT_RETRY_INTERVAL: Final = timedelta(seconds=1)
"""The longest a holder waits between two tries to store what the provider gave."""

SETTLE_TIME: Final = timedelta(seconds=1.5)
"""The wait after another process's unresolved attempt. It is longer than
`COMMIT_RETRY_INTERVAL`, so that an answer that did arrive there is stored first."""

POLL_INTERVAL: Final = timedelta(milliseconds=100)
"""How often is looked whether another's lease has ended or its answer has come."""


class Lease(msgspec.Struct, frozen=True):
    """What the statement returned that took the lease.

    `owner` is 128 fresh random bits. `unresolved_before` says that an earlier attempt's
    outcome is not known: its holder crashed, or its answer was lost.
    """

    row: str
    owner: str
    sealed_tokens: bytes
    generation: int
    failures: int
    unresolved_before: bool

    def __repr__(self) -> str:
        return f"Lease(row={self.row!r}, generation={self.generation})"


def matches_lease(record: ConnectionRecord | None, lease: Lease) -> bool:
    """Whether the row is the one that the lease was taken on, with the same tokens.

    Looked at after an earlier holder's answer had time to be stored.
    """
    return (
        record is not None
        and record.id == lease.row
        and record.grant is not None
        and record.grant.generation == lease.generation
    )


def dead_status(lease: Lease) -> Status:
    """What a dead grant is called: probably lost in rotation, where an earlier attempt's
    outcome was never known; else refused."""
    return "lost_rotation" if lease.unresolved_before else "needs_reauth"
