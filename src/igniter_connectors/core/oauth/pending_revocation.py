"""Tokens that nobody needs any more, on their way to be revoked. RFC 7009, RFC 9700 section 4.14.

A grant that was disconnected, or that another replaced, is still alive at its provider until it
is revoked there. Its tokens are kept, sealed, until the provider has confirmed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant

HELD_BACK: Final = timedelta(seconds=30)
"""How long a revocation waits that would end a whole grant: longer than a callback takes from
the code's exchange to its commit, so that a connection just made of the same grant is seen."""

CLAIM: Final = timedelta(seconds=60)
"""For how long a revocation is one process's, longer than its request may take."""

MOST_ATTEMPTS: Final = 20
"""After so many refusals to answer, about a day of them, the tokens are given up and deleted."""


class RevocationRequest(msgspec.Struct, frozen=True):
    """Asks a store to queue tokens for revocation in the step that ends their grant.

    `id` is the new revocation's; `due_in` counts from now. While a refresh lease runs, the
    revocation is due when the lease ends, so that it does not overtake the lease's holder.
    """

    id: str
    due_in: timedelta


class PendingRevocation(msgspec.Struct, frozen=True):
    """What is to be revoked: the grant as its row held it, with the config it was minted under.

    `row` and `grant.generation` are those that the tokens were sealed for. `attempts` counts
    requests that brought no answer.
    """

    id: str
    key: ConnectionKey
    row: str
    public_config: bytes
    sealed_config: bytes
    grant: Grant
    attempts: int = 0


def revocation_of(record: ConnectionRecord, grant: Grant, *, id: str) -> PendingRevocation:
    """The revocation of a grant that was minted under a record's config."""
    return PendingRevocation(
        id, record.key, record.id, record.public_config, record.sealed_config, grant
    )
