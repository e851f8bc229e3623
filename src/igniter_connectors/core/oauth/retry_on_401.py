"""Whether a token that an API answered 401 to is renewed. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from igniter_connectors.core.connection.record import ConnectionRecord

MIN_TOKEN_AGE: Final = timedelta(seconds=60)
"""A token younger than this is not renewed for a 401: a new one would fare no better, and an
API that refuses everybody would turn each call into a refresh."""


def is_same_account(current: ConnectionRecord | None, called: ConnectionRecord) -> bool:
    """Whether the row may serve a call that began on an earlier reading of it.

    False where it is gone, was connected anew, or is another account's by now: what a
    handler began as one account is not finished as another.
    """
    return (
        current is not None
        and current.id == called.id
        and current.grant is not None
        and called.grant is not None
        and current.grant.subject == called.grant.subject
    )


def may_refresh_after_401(record: ConnectionRecord, *, now: datetime) -> bool:
    """Whether the row's own token, which an API refused, is worth a refresh.

    Args:
        record: Just read, and its token is the one refused.
        now: Aware.

    Returns:
        False without a refresh token, and for a token that is younger than 60 s. A grant
        that cannot be refreshed is not condemned for a 401: the API may refuse this one
        call alone.
    """
    grant = record.grant
    return grant is not None and grant.refreshable and now - grant.refreshed_at >= MIN_TOKEN_AGE
