"""The retry policy: when a failed event is retried, and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.webhook.retry_policy import (
    DeliveryLimits,
    Retries,
    limits_fault,
    retries_fault,
    retry_pause,
)

TEN = Retries(attempts=5, first_after=timedelta(seconds=10), longest=timedelta(seconds=60))
ZERO = timedelta(0)


@pytest.mark.parametrize(
    ("attempt", "fraction", "seconds"),
    [(1, 1.0, 10), (1, 0.0, 5), (2, 1.0, 20), (3, 1.0, 40), (4, 1.0, 60), (4, 0.5, 45)],
)
def test_pauses_double_up_to_the_longest(attempt: int, fraction: float, seconds: float) -> None:
    """The jitter shortens them to a half at most."""
    assert retry_pause(TEN, attempt, fraction=fraction) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        (timedelta(seconds=9), timedelta(seconds=10)),
        (timedelta(seconds=11), timedelta(seconds=11)),
        (timedelta(days=1), timedelta(days=1)),
        (timedelta(days=1, seconds=1), timedelta(days=1)),
    ],
)
def test_a_handler_can_ask_for_a_longer_pause(asked: timedelta, pause: timedelta) -> None:
    """Of at most a day; never for a shorter one, nor for another attempt after the last."""
    assert retry_pause(TEN, 1, fraction=1.0, at_least=asked) == pause
    assert retry_pause(TEN, 5, fraction=1.0, at_least=asked) is None


def test_the_last_attempt_is_the_last() -> None:
    """At the exact number, and one step on either side."""
    assert retry_pause(TEN, 4, fraction=0) is not None
    assert retry_pause(TEN, 5, fraction=0) is None
    assert retry_pause(TEN, 6, fraction=0) is None


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_no_pause_is_longer_than_the_longest(attempt: int, fraction: float) -> None:
    """For every attempt number, and without an overflow."""
    endless = Retries(attempts=10**9 + 1)
    pause = retry_pause(endless, attempt, fraction=fraction)
    assert pause is not None
    assert endless.first_after / 2 <= pause <= endless.longest


def test_an_invalid_retry_policy_is_explained() -> None:
    """At the limits."""
    second = timedelta(seconds=1)
    assert retries_fault(Retries(attempts=1, first_after=second, longest=second)) is None
    assert "attempts must be at least 1" in str(retries_fault(Retries(attempts=0)))
    assert "pauses" in str(retries_fault(Retries(first_after=ZERO)))
    shorter = Retries(first_after=second, longest=second - timedelta(microseconds=1))
    assert "pauses" in str(retries_fault(shorter))


def test_invalid_limits_are_explained() -> None:
    """At the limits."""
    assert limits_fault(DeliveryLimits()) is None
    assert limits_fault(DeliveryLimits(handlers_at_once=0, stop_within=ZERO)) is None
    assert "handlers_at_once must be at least 0" in str(
        limits_fault(DeliveryLimits(handlers_at_once=-1))
    )
    assert "received_at_once at least 1" in str(limits_fault(DeliveryLimits(received_at_once=0)))
    assert limits_fault(DeliveryLimits(received_at_once=1)) is None
    for limits in (
        DeliveryLimits(lease=ZERO),
        DeliveryLimits(sweep_every=ZERO),
        DeliveryLimits(stop_within=timedelta(microseconds=-1)),
    ):
        assert "over 0" in str(limits_fault(limits))
