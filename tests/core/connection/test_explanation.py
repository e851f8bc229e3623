"""The explanation of a connection: one state and one remedy, for the most serious cause."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from igniter_connectors.core.connection.explanation import Remedy, State, explain
from igniter_connectors.core.connection.record import ConnectionRecord, Status
from igniter_connectors.core.oauth.refresh_decision import freshness
from tests.core.examples import NOW, granted, record

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("row", "opens", "state", "remedy"),
    [
        (None, False, "not_connected", "connect"),
        (record(), True, "working", "none"),
        (granted(), True, "working", "none"),
        (granted(expires_at=NOW + HOUR), True, "working", "none"),
        (record(enabled=False), True, "disabled", "enable"),
        (record(), False, "broken", "check_keys_or_config"),
        (record(status="lost_rotation"), True, "lost_rotation", "authorize_again"),
        (record(status="needs_reauth"), True, "needs_reauth", "authorize_again"),
        (record(status="config_changed"), True, "config_changed", "authorize_again"),
        (granted(expires_at=NOW - HOUR), True, "expired", "none"),
        (granted(expires_at=NOW - HOUR, refreshable=False), True, "expired", "authorize_again"),
    ],
)
def test_each_state_has_its_remedy(
    row: ConnectionRecord | None, opens: bool, state: State, remedy: Remedy
) -> None:
    """The remedy follows from the state."""
    explanation = explain(row, opens=opens, now=NOW)
    assert (explanation.state, explanation.remedy) == (state, remedy)
    assert explanation.because
    assert explanation.retry_at is None


@pytest.mark.parametrize("status", ["ok", "needs_reauth", "lost_rotation"])
def test_the_tenants_own_switch_comes_first(status: Status) -> None:
    """A disabled connection is `disabled`, even if it is also broken or needs reauthorization."""
    row = record(enabled=False, status=status)
    assert explain(row, opens=False, now=NOW).state == "disabled"


@pytest.mark.parametrize("status", ["needs_reauth", "lost_rotation"])
def test_authorizing_again_is_not_advised_where_the_row_does_not_open(status: Status) -> None:
    """Without the keys, a new authorization does not help."""
    assert explain(record(status=status), opens=False, now=NOW).state == "broken"


@pytest.mark.parametrize(
    ("next_attempt", "state"),
    [(NOW - SECOND, "expired"), (NOW, "expired"), (NOW + SECOND, "waiting_to_retry")],
)
def test_waiting_ends_when_the_next_attempt_is_due(next_attempt: object, state: State) -> None:
    """At exactly that instant, the next call refreshes. Before it, the state is waiting."""
    row = replace(granted(expires_at=NOW - HOUR), failures=2, next_attempt_at=next_attempt)
    explanation = explain(row, opens=True, now=NOW)
    assert explanation.state == state
    assert explanation.retry_at == (next_attempt if state == "waiting_to_retry" else None)


def test_waiting_tells_how_often_it_failed() -> None:
    """The explanation contains the count from the row."""
    row = replace(granted(expires_at=NOW), failures=7, next_attempt_at=NOW + HOUR)
    assert "7" in explain(row, opens=True, now=NOW).because


def test_a_token_expires_at_its_very_instant() -> None:
    """Instants just before and after the limit have different states."""
    assert explain(granted(expires_at=NOW), opens=True, now=NOW).state == "expired"
    assert explain(granted(expires_at=NOW + HOUR), opens=True, now=NOW).state == "working"


@given(st.integers(min_value=-3_600, max_value=3_600))
@example(0)
@example(1)
@example(10)
@example(11)
def test_explaining_and_renewing_agree_on_what_is_expired(seconds: int) -> None:
    """A working connection never has a token that a call finds expired, and vice versa."""
    row = granted(refreshed_at=NOW - HOUR, expires_at=NOW + timedelta(seconds=seconds))
    assert row.grant is not None
    told = explain(row, opens=True, now=NOW).state == "working"
    used = freshness(now=NOW, refreshed_at=row.grant.refreshed_at, expires_at=row.grant.expires_at)
    assert told == (used != "expired")
