"""Token revocation and its queue. RFC 7009."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from igniter_connectors.core.http.messages import DEADLINE, HttpFailed
from igniter_connectors.core.oauth.revocation import (
    CLAIM_DURATION,
    GRANT_REVOCATION_DELAY,
    Revocation,
    Revoked,
    RevokeLater,
    RevokeRefused,
    TokenKind,
    judge_revocation,
    revocation_of,
    revoke_request,
    tokens_to_revoke,
)
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.secret import Secret
from tests.core.examples import granted

from .providers import PROVIDER, answer, provider
from .test_client_assertion import SIGNING, signing

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIVE = timedelta(seconds=5)
URL = "https://provider.example/revoke"


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_the_request_names_the_token_and_its_kind(kind: TokenKind) -> None:
    """A form with the client's authentication (section 2.1)."""
    judged = provider(revocation_url=URL, token_parameters={"audience": "api"}, token_body="json")
    request = revoke_request(judged, Secret("45ghiukldjahdnhzdauz"), kind=kind)
    assert request is not None
    assert (request.method, request.url) == ("POST", URL)
    assert dict(parse_qsl(request.body.decode())) == {
        "token": "45ghiukldjahdnhzdauz",
        "token_type_hint": kind,
    }
    assert request.header("authorization") is not None
    assert request.header("content-type") == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("json", b'{"token":"t","token_type_hint":"access_token"}'),
        ("kind", b"access_token=t"),
        ("access_token", b"access_token=t"),
        ("bearer", b""),
    ],
)
def test_a_provider_may_have_a_request_of_its_own(body: str, sent: bytes) -> None:
    """In JSON, in a field named after the kind, or in the header."""
    judged = provider(
        revocation_url=URL, revocation_body=body, request_headers={"Notion-Version": "1"}
    )
    request = revoke_request(judged, Secret("t"), kind="access_token")
    assert request is not None
    assert request.body == sent
    assert request.header("notion-version") == "1"
    assert (request.header("authorization") == "Bearer t") == (body == "bearer")


@pytest.mark.parametrize(
    ("changes", "expires_in", "kinds"),
    [
        ({}, 1, ["refresh_token", "access_token"]),
        ({}, None, ["refresh_token", "access_token"]),
        ({}, 0, ["refresh_token"]),
        ({"revocation_ends": "grant"}, 1, ["refresh_token"]),
        ({"revocation_body": "access_token"}, 1, ["access_token"]),
        ({"revocation_body": "bearer"}, 0, ["access_token"]),
    ],
)
def test_both_tokens_are_revoked_unless_one_ends_the_grant(
    changes: dict[str, str], expires_in: int | None, kinds: list[str]
) -> None:
    """A server need not end the access token with the refresh token (section 2.1)."""
    end = None if expires_in is None else NOW + timedelta(seconds=expires_in)
    tokens = TokenSet(Secret("a"), Secret("r"), expires_at=end)
    found = tokens_to_revoke(provider(**changes), tokens, now=NOW)
    assert [kind for kind, _ in found] == kinds
    assert dict(found).get("access_token") in (None, Secret("a"))


def test_a_token_that_is_missing_is_not_revoked() -> None:
    """Neither an empty access token, nor an absent refresh token."""
    only = TokenSet(Secret("a"))
    assert tokens_to_revoke(PROVIDER, only, now=NOW) == (("access_token", Secret("a")),)
    rest = TokenSet(Secret(""), Secret("r"))
    assert tokens_to_revoke(PROVIDER, rest, now=NOW) == (("refresh_token", Secret("r")),)


def test_a_client_that_signs_revokes_too() -> None:
    """With its own assertion."""
    request = revoke_request(
        signing(revocation_url=URL), Secret("t"), kind="refresh_token", signing=SIGNING
    )
    assert request is not None
    assert b"client_assertion=" in request.body


def test_a_provider_without_the_endpoint_revokes_nothing() -> None:
    """There is no request."""
    assert revoke_request(PROVIDER, Secret("t"), kind="refresh_token") is None


@pytest.mark.parametrize(
    ("status", "body", "headers", "became"),
    [
        (200, b"", {}, Revoked()),
        (200, b"{}", {}, Revoked()),
        (204, b"", {}, Revoked()),
        (299, b"<html>", {}, Revoked()),
        (400, {"error": "invalid_token"}, {}, Revoked()),
        (200, {"error": "invalid_token"}, {}, Revoked()),
        (503, b"", {}, RevokeLater(None, "other")),
        (503, b"", {"retry_after": "120"}, RevokeLater(timedelta(minutes=2), "other")),
        (503, b"", {"retry_after": "999999"}, RevokeLater(timedelta(hours=1), "other")),
        (503, {"error": "invalid_token"}, {}, RevokeLater(None, "other")),
        (500, b"", {}, RevokeLater(None, "other")),
        (502, b"<html>", {}, RevokeLater(None, "other")),
        (599, b"", {}, RevokeLater(None, "other")),
        (429, b"", {"retry_after": "5"}, RevokeLater(FIVE, "other")),
        (400, {"error": "INVALID_TOKEN"}, {}, Revoked()),
        (400, {"error": "invalid_grant"}, {}, Revoked()),
        (
            400,
            {"error": "temporarily_unavailable"},
            {},
            RevokeLater(None, "temporarily_unavailable"),
        ),
        (200, {"error": "server_error"}, {"retry_after": "5"}, RevokeLater(FIVE, "server_error")),
        (400, {"error": "slow_down"}, {}, RevokeLater(None, "slow_down")),
        (400, {"error": "unsupported_token_type"}, {}, RevokeRefused("unsupported_token_type")),
        (400, {"error": "invalid_request"}, {}, RevokeLater(None, "invalid_request")),
        (401, {"error": "invalid_client"}, {}, RevokeLater(None, "invalid_client")),
        (200, {"error": "invalid_client"}, {}, RevokeLater(None, "invalid_client")),
        (401, b"", {}, RevokeLater(None, "other")),
        (403, b"<html>", {}, RevokeLater(None, "other")),
        (200, {"ok": False, "error": "zqCanary"}, {}, RevokeLater(None, "other")),
        (400, {"error": {"code": "zqCanary"}}, {}, RevokeLater(None, "other")),
        (199, b"", {}, RevokeLater(None, "other")),
        (300, b"", {}, RevokeLater(None, "other")),
        (307, b"", {"retry_after": "5"}, RevokeLater(FIVE, "other")),
        (404, b"<html>", {}, RevokeLater(None, "other")),
        (428, b"", {}, RevokeLater(None, "other")),
        (430, b"", {}, RevokeLater(None, "other")),
        (499, b"", {}, RevokeLater(None, "other")),
    ],
)
def test_what_became_of_the_token(
    status: int, body: object, headers: dict[str, str], became: Revocation
) -> None:
    """Only an answer about this token ends it; anything else is tried later (section 2.2)."""
    judged = judge_revocation(answer(body, status, **headers), PROVIDER, received_at=NOW)
    assert judged == became


@pytest.mark.parametrize("sent", [True, False])
def test_no_answer_is_asked_again(sent: bool) -> None:
    """Revoking twice does no harm."""
    assert judge_revocation(HttpFailed(sent), PROVIDER, received_at=NOW) == RevokeLater()


@given(st.binary(), st.integers(100, 599))
def test_any_answer_is_judged(body: bytes, status: int) -> None:
    """For any bytes."""
    assert isinstance(judge_revocation(answer(body, status), PROVIDER, received_at=NOW), Revocation)


def test_a_revocation_holds_the_grant_and_the_config_that_minted_it() -> None:
    """It holds the given grant, not the row's: a refresh may have returned tokens that could not be
    stored."""
    record = granted()
    assert record.grant is not None
    newer = replace(record.grant, generation=7)
    pending = revocation_of(record, newer, id="id")
    assert (pending.id, pending.key, pending.row) == ("id", record.key, record.id)
    assert (pending.public_config, pending.sealed_config) == (
        record.public_config,
        record.sealed_config,
    )
    assert (pending.grant, pending.attempts) == (newer, 0)


def test_a_grant_is_held_back_longer_than_a_callback_takes() -> None:
    """Exchange and user info both end within their deadlines. A claim outlasts its request."""
    assert GRANT_REVOCATION_DELAY > 2 * DEADLINE
    assert CLAIM_DURATION > DEADLINE
    assert timedelta(minutes=5) > GRANT_REVOCATION_DELAY
