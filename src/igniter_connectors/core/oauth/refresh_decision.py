"""Decides whether an access token needs a refresh, and what to do next about it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal
from zlib import crc32

import msgspec

from igniter_connectors.core.connection.record import ConnectionRecord, Grant
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import NeedsReauth, RefreshFailed


class UseStored(msgspec.Struct, frozen=True):
    """Another caller already refreshed: the row holds a newer generation."""

    record: ConnectionRecord


class GiveUp(msgspec.Struct, frozen=True):
    """No refresh is possible, now or ever."""

    problem: NeedsReauth | RefreshFailed


class TakeLease(msgspec.Struct, frozen=True):
    """Try to take the lease for this generation."""

    generation: int


class WaitForHolder(msgspec.Struct, frozen=True):
    """Another process is refreshing, or crashed while refreshing. Read the row again soon."""


RefreshStep = UseStored | GiveUp | TakeLease | WaitForHolder


def decide(
    record: ConnectionRecord | None, *, seen: int, was_refused: bool, connector: str
) -> RefreshStep:
    """The next step, based on the current row.

    Args:
        record: Just read; None if the connection is gone.
        seen: The generation whose token the caller found expired.
        was_refused: Whether the store refused the lease for that generation. The store uses its
            own clock for that, so this function compares no instants.
        connector: The connector's key, for problems.
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
    """Whether the provider's client issued a grant, so that its refresh token may be sent.

    A connection stores the client and the endpoint that issued its tokens. If a tenant's
    config chooses them, a different one must not receive the refresh token. If the application
    declares the endpoint, the endpoint may change.
    """
    if not grant.client_id:
        return True
    is_elsewhere = provider.has_tenant_host and grant.token_url != provider.token_url
    return grant.client_id == provider.client_id and not is_elsewhere


EXPIRY_MARGIN: Final = timedelta(seconds=10)
"""A token this close to its expiry counts as expired, because the call takes time too."""


MAX_LEAD: Final = timedelta(minutes=15)


_LEAD_SHARE: Final = 0.2


Freshness = Literal["fresh", "due", "expired"]


def freshness(
    *, now: datetime, refreshed_at: datetime, expires_at: datetime | None, spread: str = ""
) -> Freshness:
    """Whether a token is `fresh`, `due` for a refresh in the background, or `expired`.

    A token is due 15 minutes before its expiry, or when a fifth of its life is left, whichever
    is later, less up to half of that time. `spread` determines how much less, so that
    connections that were created together are not refreshed together, and every process computes
    the same instant. A token without a known expiry is fresh until the provider refuses it.
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
