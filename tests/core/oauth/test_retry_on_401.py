"""Whether a token is refreshed after an API refused it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from igniter_connectors.core.oauth.retry_on_401 import (
    MIN_TOKEN_AGE,
    is_same_account,
    may_refresh_after_401,
)
from tests.core.examples import GRANT, NOW, record


@pytest.mark.parametrize(
    ("age", "is_renewed"),
    [
        (MIN_TOKEN_AGE - timedelta(microseconds=1), False),
        (MIN_TOKEN_AGE, True),
        (MIN_TOKEN_AGE + timedelta(microseconds=1), True),
        (timedelta(0), False),
        (timedelta(seconds=-5), False),
        # The clock was set back by an hour.
        (timedelta(hours=-1), True),
    ],
)
def test_a_token_younger_than_a_minute_stays(age: timedelta, is_renewed: bool) -> None:
    """An API that refuses every call does not cause a refresh for each call."""
    assert may_refresh_after_401(record(grant=GRANT), now=NOW + age) is is_renewed


def test_what_cannot_be_renewed_is_not_tried() -> None:
    """One refused call does not change its status."""
    later = NOW + timedelta(days=1)
    assert not may_refresh_after_401(record(grant=replace(GRANT, refreshable=False)), now=later)
    assert not may_refresh_after_401(record(grant=None), now=later)


def test_a_call_goes_on_as_the_account_that_it_began_as() -> None:
    """A refreshed row is the same account. A row that was connected anew is not."""
    ada = replace(GRANT, subject="ada")
    called = record(grant=ada)
    assert is_same_account(record(grant=replace(ada, generation=9)), called)
    assert is_same_account(record(grant=GRANT), record(grant=GRANT))
    assert not is_same_account(None, called)
    assert not is_same_account(record(grant=ada, id="another"), called)
    assert not is_same_account(record(grant=replace(ada, subject="eve")), called)
    assert not is_same_account(record(grant=None), called)
    assert not is_same_account(called, record(grant=None))
