"""The next step of a refresh, from the stored row only: no instants are compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh_decision import (
    EXPIRY_MARGIN,
    MAX_LEAD,
    Freshness,
    GiveUp,
    TakeLease,
    UseStored,
    WaitForHolder,
    decide,
    freshness,
    is_minted_by,
)
from igniter_connectors.core.oauth.refresh_lease import (
    Lease,
)
from igniter_connectors.core.problem import NeedsReauth, RefreshFailed

SECOND = timedelta(seconds=1)
MICRO = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


NOW = datetime(2026, 1, 1, tzinfo=UTC)
GRANT = Grant(b"sealed", 3, "grant", (), refreshable=True, refreshed_at=NOW)
ROW = ConnectionRecord(
    ConnectionKey("organization", "acme", "mail"), "row", b"{}", b"", True, 1, NOW, NOW, grant=GRANT
)
LEASE = Lease("row", "owner", b"sealed", 3, 0, unresolved_before=False)


@pytest.mark.parametrize("was_refused", [False, True])
def test_a_newer_generation_is_always_used(was_refused: bool) -> None:
    """Without a request, even if that token also needs a refresh."""
    row = replace(ROW, lease_owner="other", next_attempt_at=NOW)
    assert decide(row, seen=2, was_refused=was_refused, connector="mail") == UseStored(row)


def test_the_lease_is_asked_for_first() -> None:
    """The store judges an old back-off in the row, by its own clock."""
    for row in (ROW, replace(ROW, next_attempt_at=NOW), replace(ROW, lease_owner="other")):
        assert decide(row, seen=3, was_refused=False, connector="mail") == TakeLease(3)


def test_a_refused_lease_means_a_holder_or_a_back_off() -> None:
    """A holder is waited for. A back-off is returned with its end."""
    held = replace(ROW, lease_owner="other", next_attempt_at=NOW)
    assert decide(held, seen=3, was_refused=True, connector="mail") == WaitForHolder()
    early = replace(ROW, next_attempt_at=NOW)
    assert decide(early, seen=3, was_refused=True, connector="mail") == GiveUp(
        RefreshFailed("mail", NOW)
    )
    assert decide(ROW, seen=3, was_refused=True, connector="mail") == WaitForHolder()


@pytest.mark.parametrize("was_refused", [False, True])
def test_a_dead_or_absent_grant_is_given_up(was_refused: bool) -> None:
    """The provider is not asked again until the tenant authorizes."""
    for row, reason in (
        (None, "disconnected"),
        (replace(ROW, grant=None), "disconnected"),
        (replace(ROW, status="needs_reauth"), "needs_reauth"),
        (replace(ROW, status="lost_rotation"), "lost_rotation"),
    ):
        assert decide(row, seen=3, was_refused=was_refused, connector="mail") == GiveUp(
            NeedsReauth("mail", reason)
        )


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
def test_a_refresh_token_is_sent_only_by_its_client(
    client: str, minted_at: str, has_tenant_host: bool, is_ours: bool
) -> None:
    """If a tenant names the host, only to that host. An application's host may change."""
    provider = OAuthProvider(
        authorization_url="https://p.example/a",
        token_url="https://p.example/t",
        client_id="app",
        has_tenant_host=has_tenant_host,
    )
    grant = replace(GRANT, client_id=client, token_url=minted_at)
    assert is_minted_by(grant, provider) is is_ours


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (HOUR, "fresh"),
        (timedelta(minutes=12) + MICRO, "fresh"),
        (timedelta(minutes=12), "due"),
        (timedelta(minutes=12) - MICRO, "due"),
        (EXPIRY_MARGIN + MICRO, "due"),
        (EXPIRY_MARGIN, "expired"),
        (EXPIRY_MARGIN - MICRO, "expired"),
        (timedelta(), "expired"),
        (-DAY, "expired"),
    ],
)
def test_a_token_of_an_hour(left: timedelta, state: Freshness) -> None:
    """A refresh is due 12 minutes before the end, a fifth of its lifetime.

    It has expired 10 seconds before.
    """
    expires_at = NOW + HOUR
    judged = freshness(now=expires_at - left, refreshed_at=NOW, expires_at=expires_at)
    assert judged == state


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (MAX_LEAD + MICRO, "fresh"),
        (MAX_LEAD, "due"),
        (MAX_LEAD - MICRO, "due"),
        (EXPIRY_MARGIN, "expired"),
    ],
)
def test_a_token_of_a_day(left: timedelta, state: Freshness) -> None:
    """A refresh is due 15 minutes before the end, not a fifth of the day."""
    expires_at = NOW + DAY
    judged = freshness(now=expires_at - left, refreshed_at=NOW, expires_at=expires_at)
    assert judged == state


def test_a_token_without_an_end_stays_fresh() -> None:
    """It is used until the provider refuses it."""
    assert freshness(now=NOW + 9999 * DAY, refreshed_at=NOW, expires_at=None) == "fresh"


ORDER: list[Freshness] = ["fresh", "due", "expired"]


SPANS = st.timedeltas(min_value=-DAY, max_value=400 * DAY)


@given(SPANS, SPANS, SPANS)
def test_freshness_is_monotone_in_now(life: timedelta, one: timedelta, other: timedelta) -> None:
    """As time passes, a token never becomes fresh again."""
    earlier, later = sorted([one, other])
    states = [
        freshness(now=NOW + passed, refreshed_at=NOW, expires_at=NOW + life)
        for passed in (earlier, later)
    ]
    assert ORDER.index(states[0]) <= ORDER.index(states[1])


@given(SPANS, SPANS)
def test_a_token_past_its_end_is_expired(life: timedelta, passed: timedelta) -> None:
    """Whatever its lifetime, and even if clocks went backwards."""
    assume(passed >= life)
    state = freshness(now=NOW + passed, refreshed_at=NOW, expires_at=NOW + life)
    assert state == "expired"


@given(st.timedeltas(min_value=timedelta(minutes=1), max_value=400 * DAY))
def test_a_new_token_is_fresh(life: timedelta) -> None:
    """A refresh is not followed at once by another, for lifetimes of a minute or more."""
    assert freshness(now=NOW, refreshed_at=NOW, expires_at=NOW + life) == "fresh"
