"""When a token is refreshed, and what the response means for the grant."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh import (
    DefiniteFailure,
    GrantDead,
    Refreshed,
    RefreshOutcome,
    RefreshTokenOnly,
    UnknownOutcome,
    back_off,
    judge_refresh,
    refresh_request,
)
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.secret import Secret
from tests.core.examples import NOW

from .providers import PROVIDER, SPENT, answer, provider

STRAVA = {
    "message": "Bad Request",
    "errors": [{"resource": "RefreshToken", "field": "refresh_token", "code": "invalid"}],
}
ATLASSIAN = {"error_description": "refresh_token is invalid"}
SECOND = timedelta(seconds=1)
MICRO = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def judge(
    response: HttpResponse | HttpFailed,
    judged: OAuthProvider = PROVIDER,
    spent: TokenSet = SPENT,
) -> RefreshOutcome:
    return judge_refresh(response, judged, spent, connector="telegram", received_at=NOW)


# --- freshness ------------------------------------------------------------------------------


# --- the request ----------------------------------------------------------------------------


def test_the_request_has_the_refresh_token() -> None:
    """With the client's authentication and without a scope, so the scopes stay as granted."""
    request = refresh_request(PROVIDER, Secret("r%t:&"))
    assert request.url == PROVIDER.token_url
    assert request.header("authorization") is not None
    assert dict(parse_qsl(request.body.decode("ascii"))) == {
        "grant_type": "refresh_token",
        "refresh_token": "r%t:&",
    }


# --- the answer -----------------------------------------------------------------------------


def renewed(outcome: RefreshOutcome) -> TokenSet:
    assert isinstance(outcome, Refreshed)
    return outcome.tokens


@given(
    st.none() | st.text(st.characters(codec="utf-8")),
    st.none() | st.text(st.characters(codec="utf-8"), min_size=1).map(Secret),
)
def test_a_refresh_never_loses_the_refresh_token(said: str | None, spent: Secret | None) -> None:
    """The new one if there is one, else the one that was sent (RFC 6749 section 6)."""
    tokens = renewed(
        judge(
            answer({"access_token": "new", "refresh_token": said}),
            spent=TokenSet(Secret("old"), spent),
        )
    )
    assert tokens.refresh_token == (Secret(said) if said else spent)
    assert tokens.access_token == Secret("new")


def test_an_absent_refresh_token_keeps_the_old_one() -> None:
    """Google sends none on a refresh."""
    tokens = renewed(judge(answer({"access_token": "new", "expires_in": 60})))
    assert tokens.refresh_token == Secret("old-refresh")
    assert tokens.expires_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("said", "scopes"),
    [(None, ("read", "write")), ("read", ("read",)), ("", ()), (["a", "b"], ("a", "b"))],
)
def test_scopes_stay_unless_the_response_has_others(said: object, scopes: tuple[str, ...]) -> None:
    """Absent means unchanged; fewer scopes mean fewer."""
    outcome = judge(answer({"access_token": "new", "scope": said}))
    assert renewed(outcome).oauth_scopes == scopes


def test_the_expiry_of_the_old_token_is_not_kept() -> None:
    """A new token without an expiry has none."""
    spent = TokenSet(Secret("old"), Secret("r"), expires_at=NOW)
    assert renewed(judge(answer({"access_token": "new"}), spent=spent)).expires_at is None


@pytest.mark.parametrize("sent", [True, False])
def test_a_missing_response_ends_no_grant(sent: bool) -> None:
    """The provider may have received a request that was sent.

    A request that was not sent spent nothing.
    """
    assert judge(HttpFailed(sent)) == (UnknownOutcome() if sent else DefiniteFailure())


@pytest.mark.parametrize("status", [200, 400, 401, 403, 499])
def test_invalid_grant_ends_the_grant(status: int) -> None:
    """In JSON or as a form, and with status 200 too."""
    assert judge(answer({"error": "invalid_grant"}, status)) == GrantDead()
    assert judge(answer(b"error=invalid_grant", status)) == GrantDead()


@pytest.mark.parametrize("status", [500, 501, 502, 504, 599])
def test_after_a_5xx_the_outcome_is_unknown(status: int) -> None:
    """Even a body with `invalid_grant` may come from a gateway."""
    assert judge(answer({"error": "invalid_grant"}, status)) == UnknownOutcome()
    assert judge(answer(b"<html>", status)) == UnknownOutcome()


@pytest.mark.parametrize("status", [429, 503])
def test_overload_is_a_failure_that_is_retried(status: int) -> None:
    """Nothing was spent, whatever the body says."""
    assert judge(answer({"error": "invalid_grant"}, status)) == DefiniteFailure()


@pytest.mark.parametrize(
    "error", ["invalid_client", "invalid_request", "temporarily_unavailable", "slow_down", "x"]
)
def test_other_errors_end_no_grant(error: str) -> None:
    """A wrong client secret is the application's mistake, and no tenant loses a grant for it."""
    outcome = judge(answer({"error": error}, 400))
    assert outcome == DefiniteFailure(is_client_credentials=error == "invalid_client")


def test_a_provider_may_declare_its_own_code_for_a_dead_grant() -> None:
    """Slack's `token_revoked` ends a grant only where it is declared."""
    slack = provider(dead_grant_errors=frozenset({"token_revoked"}))
    assert judge(answer({"ok": False, "error": "token_revoked"}), slack) == GrantDead()
    assert judge(answer({"error": "token_revoked"}, 400)) == DefiniteFailure()
    assert judge(answer({"error": "invalid_grant"}, 400), slack) == DefiniteFailure()


@pytest.mark.parametrize(
    ("errors", "texts", "status", "body"),
    [
        ((), (), 400, {"error": "INVALID_GRANT"}),
        ((), (), 400, {"error": "Invalid grant"}),
        ((), (), 400, {"error": {"code": "invalid_grant"}}),
        ((), (), 400, {"error": {"type": "invalidGrant", "message": "zq"}}),
        ((), (), 400, {"error": ["invalid_grant"]}),
        ((), (), 400, {"errors": [{"errorType": "invalid_grant", "message": "zq"}]}),
        ((), (), 400, {"errors": {"code": "invalid_grant"}}),
        ((), (), 200, {"errors": [{"errorType": "invalid_grant"}]}),
        ((), (), 400, {"code": "invalid_grant"}),
        ((), (), 400, b'\xef\xbb\xbf{"error":"invalid_grant"}'),
        ((), (), 400, b'{"error":"invalid_grant","error_description":"\\ud83d"}'),
        (("invalid_code",), (), 200, {"error": "invalid_code"}),
        (("BAD_REFRESH_TOKEN",), (), 400, {"status": "BAD_REFRESH_TOKEN", "message": "zq"}),
        (("RefreshToken.invalid",), (), 400, STRAVA),
        ((), ("refresh_token is invalid",), 403, {"error": "unauthorized_client", **ATLASSIAN}),
        ((), ("Invalid refresh token",), 400, {"status": 400, "message": "Invalid refresh token"}),
    ],
)
def test_a_dead_grant_is_recognized_in_each_form(
    errors: tuple[str, ...], texts: tuple[str, ...], status: int, body: object
) -> None:
    """Nested, in a list, in capitals, with a byte order mark; or as a declared word or text."""
    declared = provider(
        dead_grant_errors=frozenset({"invalid_grant", *errors}), dead_grant_texts=frozenset(texts)
    )
    assert judge(answer(body, status), declared) == GrantDead()
    assert judge(answer(body, 503), declared) == DefiniteFailure()


def test_a_declared_word_counts_only_in_its_place() -> None:
    """Strava's `invalid` ends a grant for a refresh token, and not for the application."""
    strava = provider(dead_grant_errors=frozenset({"refresh_token.invalid"}))
    application = {"errors": [{"resource": "Application", "code": "invalid"}]}
    assert judge(answer(application, 400), strava) == DefiniteFailure()
    atlassian = provider(dead_grant_texts=frozenset({"refresh_token is invalid"}))
    refused = answer({"error": "unauthorized_client", "error_description": "zq"}, 403)
    assert judge(refused, atlassian) == DefiniteFailure(may_be_client=True)
    assert judge(answer(STRAVA, 400)) == DefiniteFailure()


def test_a_providers_parser_reads_its_errors_too() -> None:
    """It converts an answer to `error`; if it fails, the answer is read without it."""

    def parse(said: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return {"error": "invalid_grant"} if said["errcode"] == 40030 else said

    wechat = provider(parse_token=parse)
    assert judge(answer({"errcode": 40030}), wechat) == GrantDead()
    assert judge(answer({"error": "invalid_grant"}, 400), wechat) == GrantDead()
    assert judge(answer({"errcode": 5, "access_token": "new"}), wechat) != GrantDead()


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"access_token":5}', b'{"error":{}}'])
@pytest.mark.parametrize("status", [200, 302, 400, 404, 500])
def test_an_unreadable_response_ends_no_grant(body: bytes, status: int) -> None:
    """The grant may be alive. A 2xx or a 500 may have rotated it."""
    is_unknown = status in (200, 500)
    assert judge(answer(body, status)) == (UnknownOutcome() if is_unknown else DefiniteFailure())


@pytest.mark.parametrize("access", ["tök", "a\n", "", 5, None])
def test_a_new_refresh_token_is_kept_although_its_access_token_is_unusable(access: object) -> None:
    """Nobody else knows it. The spent access token stays, for as long as it lives."""
    bad = {"access_token": access, "refresh_token": "rotated", "expires_in": 3600}
    month = timedelta(days=30)
    for life in (None, month):
        outcome = judge(answer(bad), provider(refresh_token_lifetime=life))
        expires_at = None if life is None else NOW + month
        kept = replace(SPENT, refresh_token=Secret("rotated"), refresh_expires_at=expires_at)
        assert outcome == RefreshTokenOnly(kept)
    assert SPENT.refresh_token is not None
    same = bad | {"refresh_token": SPENT.refresh_token.reveal()}
    assert judge(answer(same)) == UnknownOutcome()
    assert judge(answer(bad, 500)) == UnknownOutcome()
    assert judge(answer(bad | {"error": "invalid_grant"})) == GrantDead()


@given(st.binary(), st.integers(100, 599))
def test_any_response_has_an_outcome(body: bytes, status: int) -> None:
    """Any bytes give one of the four, and only a 2xx renews."""
    outcome = judge(answer(body, status))
    assert isinstance(outcome, RefreshOutcome)
    assert not isinstance(outcome, Refreshed) or 200 <= status < 300


# --- when to try again ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 5), (2, 10), (3, 20), (4, 40), (5, 80), (6, 160), (7, 300), (8, 300), (1000, 300)],
)
def test_the_pause_doubles_up_to_five_minutes(failures: int, seconds: int) -> None:
    """5 seconds after the first failure. The seventh is the first at the limit."""
    assert back_off(failures, None, 0.0) == seconds * SECOND
    assert back_off(failures, None, 1.0) == seconds * SECOND / 2


@given(
    st.integers(min_value=1, max_value=10**6),
    st.none() | st.timedeltas(min_value=timedelta(), max_value=HOUR),
    st.floats(min_value=0, max_value=1),
)
def test_the_next_attempt_lies_between_its_bounds(
    failures: int, asked: timedelta | None, jitter: float
) -> None:
    """Not before Retry-After, never at once, and never later than both limits."""
    wait: timedelta = back_off(failures, asked, jitter)
    least = max(asked or timedelta(), 2.5 * SECOND)
    assert least <= wait <= max(asked or timedelta(), 300 * SECOND)


def test_a_refresh_uses_its_own_endpoint() -> None:
    """If the provider has one; else the token endpoint."""
    elsewhere = replace(PROVIDER, refresh_url="https://p.example/refresh")
    for asked, url in ((PROVIDER, PROVIDER.token_url), (elsewhere, elsewhere.refresh_url)):
        assert refresh_request(asked, Secret("r")).url == url
