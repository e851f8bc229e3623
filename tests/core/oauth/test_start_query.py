"""What a browser may ask of the start route."""

from __future__ import annotations

import pytest

from igniter_connectors.core.oauth.start_query import Ticket, Upgrade, parse_start_query
from igniter_connectors.core.problem import (
    AccountInvalid,
    OAuthStateInvalid,
    ParameterInvalid,
    Problem,
    problem_of,
)

STATE = OAuthStateInvalid("mail")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ticket=abc", Ticket("abc")),
        ("ticket=abc&account=&oauth_scopes=", Ticket("abc")),
        ("utm=x&ticket=abc&utm=y", Ticket("abc")),
        ("account=default", Upgrade("default", ())),
        ("account=second+one&oauth_scopes=read+write", Upgrade("second one", ("read", "write"))),
        ("ticket=&account=a&oauth_scopes=read%20write", Upgrade("a", ("read", "write"))),
    ],
)
def test_a_query_is_a_ticket_or_an_upgrade(query: str, expected: Ticket | Upgrade) -> None:
    """An empty parameter counts as absent, and an unknown one is ignored."""
    assert parse_start_query(query, connector="mail").unwrap() == expected


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", STATE),
        ("ticket=", STATE),
        ("oauth_scopes=read", STATE),
        ("ticket=abc&ticket=abc", STATE),
        ("ticket=&ticket=abc", STATE),
        ("ticket=abc&%74icket=abd", STATE),
        ("account=a&account=a", ParameterInvalid("account")),
        ("account=a&account=b", ParameterInvalid("account")),
        ("account=a&oauth_scopes=read&oauth_scopes=admin", ParameterInvalid("oauth_scopes")),
        ("ticket=abc&account=a", ParameterInvalid("account")),
        ("account=%00", AccountInvalid("mail")),
        ("account=a%0Ab", AccountInvalid("mail")),
        ("account=" + "a" * 256, AccountInvalid("mail")),
        ("&".join(f"x{i}=1" for i in range(65)), STATE),
    ],
)
def test_an_ambiguous_or_unusable_query_is_refused(query: str, problem: Problem) -> None:
    """A parameter is given at most once (RFC 6749, section 3.1)."""
    assert problem_of(parse_start_query(query, connector="mail")) == problem


def test_a_ticket_is_not_shown() -> None:
    """It is a capability."""
    assert "abc" not in repr(Ticket("abc"))
