"""Why a connection works or does not, and what to do: in words and as data."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.oauth.refresh_decision import freshness
from igniter_connectors.core.webhook.inbox import WebhookEvent

State = Literal[
    "not_connected",
    "working",
    "disabled",
    "expired",
    "waiting_to_retry",
    "needs_reauth",
    "lost_rotation",
    "config_changed",
    "broken",
]
Remedy = Literal["none", "connect", "enable", "wait", "authorize_again", "check_keys_or_config"]


class Explanation(msgspec.Struct, frozen=True):
    """What state a connection is in, why, and what to do.

    `retry_at` is when a refresh is tried next; None where none is due. `last_webhook` is the
    latest event that came in and its outcome; None where none did.
    """

    state: State
    because: str
    remedy: Remedy
    retry_at: datetime | None = None
    last_webhook: WebhookEvent | None = None


def explain(record: ConnectionRecord | None, *, opens: bool, now: datetime) -> Explanation:
    """Reads a row. `opens`: whether its secrets and config could be opened just now."""
    if record is None:
        return Explanation(
            "not_connected", "the tenant never connected, or disconnected", "connect"
        )
    if not record.enabled:
        return Explanation("disabled", "somebody switched the connection off", "enable")
    if not opens:
        return Explanation(
            "broken",
            "the stored secrets do not open with the keys at hand, or the config type changed",
            "check_keys_or_config",
        )
    if record.status == "lost_rotation":
        return Explanation(
            "lost_rotation",
            "the provider rotated the refresh token and its answer never arrived (probable)",
            "authorize_again",
        )
    if record.status == "needs_reauth":
        return Explanation(
            "needs_reauth",
            "the provider says that the grant is gone",
            "authorize_again",
        )
    if record.status == "config_changed":
        return Explanation(
            "config_changed",
            "the config leads to another endpoint or client than those that granted the tokens",
            "authorize_again",
        )
    grant = record.grant
    if (
        grant is not None
        and freshness(now=now, refreshed_at=grant.refreshed_at, expires_at=grant.expires_at)
        == "expired"
    ):
        if record.next_attempt_at is not None and record.next_attempt_at > now:
            return Explanation(
                "waiting_to_retry",
                f"the token expired and {record.failures} refreshes in a row brought no other",
                "wait",
                record.next_attempt_at,
            )
        if not grant.refreshable:
            return Explanation(
                "expired",
                "the token expired and the provider gave no refresh token",
                "authorize_again",
            )
        return Explanation("expired", "the token expired; the next call renews it", "none")
    return Explanation("working", "the connection opens and nothing stands in its way", "none")
