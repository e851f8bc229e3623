"""Explains why a connection works or not, and what to do about it."""

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
    """A connection's state, the reason for it, and the remedy.

    `retry_at` is when the next refresh is tried; None if none is planned. `last_webhook` is the
    latest webhook event and its outcome; None if there was none.
    """

    state: State
    because: str
    remedy: Remedy
    retry_at: datetime | None = None
    last_webhook: WebhookEvent | None = None


def explain(record: ConnectionRecord | None, *, opens: bool, now: datetime) -> Explanation:
    """Explains a row. `opens`: whether its secrets and config could just be decrypted."""
    if record is None:
        return Explanation(
            "not_connected", "the tenant has never connected, or has disconnected", "connect"
        )
    if not record.enabled:
        return Explanation("disabled", "the connection was switched off", "enable")
    if not opens:
        return Explanation(
            "broken",
            "the stored secrets cannot be decrypted with these keys, or the config type changed",
            "check_keys_or_config",
        )
    if record.status == "lost_rotation":
        return Explanation(
            "lost_rotation",
            "the provider probably rotated the refresh token, but its answer was lost",
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
            "the config now names another endpoint or client than the one that issued the tokens",
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
                f"the token expired and {record.failures} refreshes in a row failed",
                "wait",
                record.next_attempt_at,
            )
        if not grant.refreshable:
            return Explanation(
                "expired",
                "the token expired and the provider issued no refresh token",
                "authorize_again",
            )
        return Explanation("expired", "the token expired; the next call refreshes it", "none")
    return Explanation(
        "working", "the connection can be decrypted, is enabled and has no known problem", "none"
    )
