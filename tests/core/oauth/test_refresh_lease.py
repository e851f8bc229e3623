"""The refresh lease: its times, and what it compares."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.oauth.refresh_lease import (
    COMMIT_RETRY_INTERVAL,
    DEADLINE,
    DURATION,
    SETTLE_TIME,
    Lease,
    dead_status,
    matches_lease,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GRANT = Grant(b"sealed", 3, "grant", (), refreshable=True, refreshed_at=NOW)
ROW = ConnectionRecord(
    ConnectionKey("organization", "acme", "mail"), "row", b"{}", b"", True, 1, NOW, NOW, grant=GRANT
)
LEASE = Lease("row", "owner", b"sealed", 3, 0, unresolved_before=False)


def test_what_the_lease_was_taken_on_is_row_and_generation() -> None:
    """With another row or generation, without a grant or a row: read again."""
    assert matches_lease(ROW, LEASE)
    for row in (
        None,
        replace(ROW, id="other"),
        replace(ROW, grant=None),
        replace(ROW, grant=replace(GRANT, generation=4)),
    ):
        assert not matches_lease(row, LEASE)


def test_a_mark_that_stood_before_makes_a_dead_grant_a_lost_rotation() -> None:
    """This is probable, not proven. Without the mark, the provider simply refused."""
    assert dead_status(LEASE) == "needs_reauth"
    assert dead_status(replace(LEASE, unresolved_before=True)) == "lost_rotation"


def test_the_times_fit_into_one_another() -> None:
    """After its deadline, a holder has time to commit. The next holder waits for a commit retry."""
    assert DEADLINE < DURATION
    assert SETTLE_TIME > COMMIT_RETRY_INTERVAL


def test_a_lease_shows_no_token() -> None:
    """It does not show its owner either, which is a fencing token."""
    assert repr(LEASE) == "Lease(row='row', generation=3)"
