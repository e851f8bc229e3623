"""The next step of a renewal: from the row alone, no instant compared."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh_decision import (
    GiveUp,
    TakeLease,
    UseStored,
    WaitForHolder,
    dead_status,
    decide,
    is_minted_by,
    is_still_ours,
)
from igniter_connectors.core.oauth.refresh_lease import (
    COMMIT_RETRY,
    DEADLINE,
    DURATION,
    SETTLING,
    Lease,
)
from igniter_connectors.core.problem import NeedsReauth, RefreshFailed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GRANT = Grant(b"sealed", 3, "grant", (), refreshable=True, refreshed_at=NOW)
ROW = ConnectionRecord(
    ConnectionKey("organization", "acme", "mail"), "row", b"{}", b"", True, 1, NOW, NOW, grant=GRANT
)
LEASE = Lease("row", "owner", b"sealed", 3, 0, unresolved_before=False)


@pytest.mark.parametrize("was_refused", [False, True])
def test_a_newer_generation_is_used_whatever_else_stands_in_the_row(was_refused: bool) -> None:
    """Without a request, even when the newest token needs attention in its turn."""
    row = replace(ROW, lease_owner="other", next_attempt_at=NOW)
    assert decide(row, seen=2, was_refused=was_refused, connector="mail") == UseStored(row)


def test_the_lease_is_asked_for_first() -> None:
    """An old back-off in the row is for the store to judge, by its own clock."""
    for row in (ROW, replace(ROW, next_attempt_at=NOW), replace(ROW, lease_owner="other")):
        assert decide(row, seen=3, was_refused=False, connector="mail") == TakeLease(3)


def test_a_refused_lease_means_somebody_else_or_too_early() -> None:
    """A holder is waited for; a back-off is told with its end."""
    held = replace(ROW, lease_owner="other", next_attempt_at=NOW)
    assert decide(held, seen=3, was_refused=True, connector="mail") == WaitForHolder()
    early = replace(ROW, next_attempt_at=NOW)
    assert decide(early, seen=3, was_refused=True, connector="mail") == GiveUp(
        RefreshFailed("mail", NOW)
    )
    assert decide(ROW, seen=3, was_refused=True, connector="mail") == WaitForHolder()


@pytest.mark.parametrize("was_refused", [False, True])
def test_a_dead_or_absent_grant_is_given_up(was_refused: bool) -> None:
    """Nobody asks the provider again until the tenant authorizes."""
    for row, reason in (
        (None, "disconnected"),
        (replace(ROW, grant=None), "disconnected"),
        (replace(ROW, status="needs_reauth"), "needs_reauth"),
        (replace(ROW, status="lost_rotation"), "lost_rotation"),
    ):
        assert decide(row, seen=3, was_refused=was_refused, connector="mail") == GiveUp(
            NeedsReauth("mail", reason)
        )


def test_what_the_lease_was_taken_on_is_row_and_generation() -> None:
    """Another row, another generation, no grant, no row: read again."""
    assert is_still_ours(ROW, LEASE)
    for row in (
        None,
        replace(ROW, id="other"),
        replace(ROW, grant=None),
        replace(ROW, grant=replace(GRANT, generation=4)),
    ):
        assert not is_still_ours(row, LEASE)


def test_a_mark_that_stood_before_makes_a_dead_grant_a_lost_rotation() -> None:
    """Probable, not proven; without one the provider simply refused."""
    assert dead_status(LEASE) == "needs_reauth"
    assert dead_status(replace(LEASE, unresolved_before=True)) == "lost_rotation"


def test_the_times_fit_into_one_another() -> None:
    """A holder has time to commit after its deadline; who takes over waits out a retry."""
    assert DEADLINE < DURATION
    assert SETTLING > COMMIT_RETRY


def test_a_lease_shows_no_token() -> None:
    """Nor its owner, which fences."""
    assert repr(LEASE) == "Lease(row='row', generation=3)"


@pytest.mark.parametrize(
    ("client", "minted_at", "has_tenant_host", "is_ours"),
    [
        ("", "", True, True),
        ("app", "https://p.example/t", False, True),
        ("app", "https://before.example/t", False, True),
        ("app", "https://p.example/t", True, True),
        ("app", "https://before.example/t", True, False),
        ("another", "https://p.example/t", False, False),
    ],
)
def test_a_refresh_token_goes_to_the_client_that_minted_it(
    client: str, minted_at: str, has_tenant_host: bool, is_ours: bool
) -> None:
    """And, where a tenant names the host, to no other host; an application's may move."""
    provider = OAuthProvider(
        authorization_url="https://p.example/a",
        token_url="https://p.example/t",
        client_id="app",
        has_tenant_host=has_tenant_host,
    )
    grant = replace(GRANT, client_id=client, token_url=minted_at)
    assert is_minted_by(grant, provider) is is_ours
