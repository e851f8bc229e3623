"""A connection keeps the account for which it was made."""

from __future__ import annotations

import pytest

from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.oauth.identity_pinning import judge_identity
from igniter_connectors.core.problem import IdentityMismatch
from tests.core.examples import granted


@pytest.mark.parametrize(
    ("stands", "signed_in", "replaces", "is_refused"),
    [
        (None, "ada", False, False),
        ("ada", "ada", False, False),
        ("ada", "eve", False, True),
        ("ada", "eve", True, False),
        ("ada", None, False, True),
        ("ada", None, True, False),
        (None, None, False, False),
    ],
)
def test_another_account_is_refused(
    stands: str | None, signed_in: str | None, replaces: bool, is_refused: bool
) -> None:
    """Unless the application asked for it. An unknown account differs from a known one."""
    judged = judge_identity(
        granted(subject=stands).grant if stands else None,
        UpstreamAccount(signed_in) if signed_in else None,
        replace_account=replaces,
        connector="github",
    )
    assert judged == (IdentityMismatch("github") if is_refused else None)


def test_two_unknown_accounts_are_the_same() -> None:
    """A provider without user info pins nothing."""
    standing = granted(subject=None).grant
    assert judge_identity(standing, None, replace_account=False, connector="github") is None
