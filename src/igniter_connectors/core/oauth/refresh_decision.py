"""What to do next with a connection whose access token has to be renewed. Pure."""

from __future__ import annotations

import msgspec

from igniter_connectors.core.connection.record import ConnectionRecord, Grant, Status
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh_lease import Lease
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


Step = UseStored | GiveUp | TakeLease | WaitForHolder


def decide(
    record: ConnectionRecord | None, *, seen: int, was_refused: bool, connector: str
) -> Step:
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


def is_still_ours(record: ConnectionRecord | None, lease: Lease) -> bool:
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
