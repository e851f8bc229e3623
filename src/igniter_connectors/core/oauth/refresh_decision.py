"""What to do next with a connection whose access token has to be renewed. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal
from zlib import crc32

import msgspec

from igniter_connectors.core.connection.record import ConnectionRecord, Grant
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import NeedsReauth, RefreshFailed


class UseStored(msgspec.Struct, frozen=True):
    """Somebody renewed it already: the row holds a newer generation than the one seen."""

    record: ConnectionRecord


class GiveUp(msgspec.Struct, frozen=True):
    """There is nothing to do now, or ever."""

    problem: NeedsReauth | RefreshFailed


class TakeLease(msgspec.Struct, frozen=True):
    """Ask for the lease of this generation."""

    generation: int


class WaitForHolder(msgspec.Struct, frozen=True):
    """Somebody else refreshes, or died doing so: look again in a moment."""


RefreshStep = UseStored | GiveUp | TakeLease | WaitForHolder


def decide(
    record: ConnectionRecord | None, *, seen: int, was_refused: bool, connector: str
) -> RefreshStep:
    """The next step, from the row as it is now.

    Args:
        record: Just read; None where the connection is gone.
        seen: The generation that the caller found expired.
        was_refused: Whether the lease of that generation was asked for and not given. The
            store judges its time by its own clock, so no instant is compared here.
        connector: Named in problems.
    """
    if record is None or record.grant is None:
        return GiveUp(NeedsReauth(connector, "disconnected"))
    if record.grant.generation > seen:
        return UseStored(record)
    if record.status != "ok":
        return GiveUp(NeedsReauth(connector, record.status))
    if not was_refused:
        return TakeLease(record.grant.generation)
    if record.lease_owner is None and record.next_attempt_at is not None:
        return GiveUp(RefreshFailed(connector, record.next_attempt_at))
    return WaitForHolder()


def is_minted_by(grant: Grant, provider: OAuthProvider) -> bool:
    """Whether a grant is of the provider's client, and so its refresh token may be sent.

    A connection remembers the client and the endpoint that minted its tokens. Where a tenant's
    config chooses them, another one is not given what the first granted; where the application
    declares the endpoint, it may move.
    """
    if not grant.client_id:
        return True
    is_elsewhere = provider.has_tenant_host and grant.token_url != provider.token_url
    return grant.client_id == provider.client_id and not is_elsewhere


EXPIRY_MARGIN: Final = timedelta(seconds=10)
"""A token this close to its end counts as expired: the call that carries it takes time too."""


MAX_LEAD: Final = timedelta(minutes=15)


_LEAD_SHARE: Final = 0.2


Freshness = Literal["fresh", "due", "expired"]


def freshness(
    *, now: datetime, refreshed_at: datetime, expires_at: datetime | None, spread: str = ""
) -> Freshness:
    """Whether a token serves (`fresh`), serves while one renewal runs (`due`), or is `expired`.

    Due from 15 minutes or a fifth of its life before the end, whichever is later, less up to
    half of that. How much less hangs on `spread`, so that connections that were made together
    are not renewed together, and every process finds the same. A token without a known end is
    fresh until the provider refuses it.
    """
    if expires_at is None:
        return "fresh"
    left = expires_at - now
    if left <= EXPIRY_MARGIN:
        return "expired"
    lead = min(MAX_LEAD, (expires_at - refreshed_at) * _LEAD_SHARE)
    if left > lead:
        return "fresh"
    jitter = crc32(spread.encode()) / 2**32 if spread else 0.0
    return "due" if left <= lead * (1 - jitter / 2) else "fresh"
