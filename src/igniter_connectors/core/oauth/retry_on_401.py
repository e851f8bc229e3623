"""Whether an access token is refreshed after an API answered 401. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from igniter_connectors.core.connection.record import ConnectionRecord

MIN_TOKEN_AGE: Final = timedelta(seconds=60)
"""A younger token is not refreshed after a 401. A new one would not help, and an API that refuses
every call would cause a refresh for each call.
"""


def is_same_account(current: ConnectionRecord | None, called: ConnectionRecord) -> bool:
    """Whether the current row may continue a call that began with an earlier version of it.

    False if the row is gone, was connected anew, or has another account: a call must not begin
    as one account and end as another.
    """
    return (
        current is not None
        and current.id == called.id
        and current.grant is not None
        and called.grant is not None
        and current.grant.subject == called.grant.subject
    )


def may_refresh_after_401(record: ConnectionRecord, *, now: datetime) -> bool:
    """Whether the current token, which an API refused, may be refreshed.

    Args:
        record: Just read. Its token is the refused one.
        now: Aware.

    Returns:
        False without a refresh token, and for a token younger than 60 s. A token from the future
        is not young: the clock was set back. A 401 does not change the status of the grant: the
        API may refuse only this one call.
    """
    grant = record.grant
    if grant is None or not grant.refreshable:
        return False
    return abs(now - grant.refreshed_at) >= MIN_TOKEN_AGE
