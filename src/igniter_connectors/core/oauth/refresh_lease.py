"""The refresh lease: the exclusive right to refresh one connection, across processes.

A provider that rotates refresh tokens revokes a grant if a token is used twice. So a process first
takes a lease with one database statement, and sends only the token that this statement returned.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from igniter_connectors.core.connection.record import ConnectionRecord, Status

DEADLINE: Final = timedelta(seconds=10)
"""How long after requesting the lease its holder may still wait for the provider."""

DURATION: Final = timedelta(seconds=15)
"""How long a lease lasts. The difference to the deadline is time for reading and committing."""

COMMIT_RETRY_INTERVAL: Final = timedelta(seconds=1)
"""The longest wait between two attempts to store the provider's tokens."""

SETTLE_TIME: Final = timedelta(seconds=1.5)
"""The wait after another process's unresolved attempt. It is longer than
`COMMIT_RETRY_INTERVAL`, so that an answer that did arrive there is stored first."""

POLL_INTERVAL: Final = timedelta(milliseconds=100)
"""How often a waiting process checks for the end of another lease, or for new tokens."""


class Lease(msgspec.Struct, frozen=True):
    """The result of the statement that took the lease.

    `owner` is 128 random bits. `unresolved_before` means that the outcome of an earlier attempt
    is unknown: its holder crashed, or the answer was lost.
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
    """Whether the row and its tokens are still those for which the lease was taken.

    Check this after an earlier holder had time to store its answer.
    """
    return (
        record is not None
        and record.id == lease.row
        and record.grant is not None
        and record.grant.generation == lease.generation
    )


def dead_status(lease: Lease) -> Status:
    """The status of a dead grant.

    `lost_rotation` (probable) if the outcome of an earlier attempt is unknown; else
    `needs_reauth`.
    """
    return "lost_rotation" if lease.unresolved_before else "needs_reauth"
