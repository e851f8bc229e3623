"""The scopes that an action needs are compared with the scopes that the connection has."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.http.base_url import parse_base_url
from igniter_connectors.core.oauth.required_scopes import check_required_scopes
from igniter_connectors.core.problem import MissingScopes
from tests.core.examples import NOW

BASE = parse_base_url("https://own.example").unwrap()
GRANT = Grant(b"sealed", 1, "grant", ("read", "write"), refreshable=True, refreshed_at=NOW)
RECORD = ConnectionRecord(
    ConnectionKey("organization", "acme", "mail"), "row", b"{}", b"", True, 1, NOW, NOW, grant=GRANT
)


@pytest.mark.parametrize("required", [set(), {"read"}, {"read", "write"}])
def test_a_connection_with_every_scope_passes(required: set[str]) -> None:
    """Scopes that no action needs do no harm."""
    assert check_required_scopes(RECORD, frozenset(required), BASE, {}) is None


def test_missing_scopes_are_sorted_and_come_with_the_upgrade_url() -> None:
    """Only the missing scopes are named."""
    problem = check_required_scopes(RECORD, frozenset({"send", "read", "admin"}), BASE, {})
    assert problem == MissingScopes(
        "mail",
        ("admin", "send"),
        "https://own.example/connectors/mail/oauth/start?account=default&oauth_scopes=admin+send",
    )


def test_a_connection_without_a_grant_has_no_scopes() -> None:
    """Without a base URL there is no upgrade URL either."""
    record = replace(RECORD, grant=None)
    problem = check_required_scopes(record, frozenset({"read"}), None, {})
    assert problem == MissingScopes("mail", ("read",), "")
