"""What a token endpoint returns: read generously, judged strictly, never quoted."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.expiry import MAX_LIFETIME
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.token_extras import decode_extras
from igniter_connectors.core.oauth.token_response import (
    TokenSet,
    judge_token,
    merge_refreshed,
    unusable_tokens,
)
from igniter_connectors.core.problem import TokenMalformed, TokenRefused
from igniter_connectors.core.secret import Secret
from tests.core.examples import NOW

from .providers import PROVIDER, answer, provider

CANARY = "zqCanary"
EPOCH = 1_793_534_400


def judge(
    response: HttpResponse, judged: OAuthProvider = PROVIDER
) -> Result[TokenSet, TokenRefused | TokenMalformed]:
    return judge_token(response, judged, connector="telegram", received_at=NOW)


def granted(judged: OAuthProvider = PROVIDER, **fields: Any) -> TokenSet:
    """The tokens of a response with an access token and these fields."""
    return judge(answer({"access_token": "access", **fields}), judged).unwrap()


def malformed(judged: OAuthProvider = PROVIDER, **fields: Any) -> str:
    """The path at which a response with an access token and these fields is unusable."""
    problem = judge(answer({"access_token": "access", **fields}), judged).failure()
    assert isinstance(problem, TokenMalformed)
    return problem.path


# --- what is read ---------------------------------------------------------------------------


def test_the_example_of_the_rfc() -> None:
    """The response of section 5.1; its unknown parameter is ignored."""
    tokens = granted(
        access_token="2YotnFZFEjr1zCsicMWpAA",
        token_type="Bearer",
        expires_in=3600,
        refresh_token="tGzv3JOkF0XG5Qx2TlKWIA",
        example_parameter="example_value",
    )
    assert tokens == TokenSet(
        Secret("2YotnFZFEjr1zCsicMWpAA"),
        Secret("tGzv3JOkF0XG5Qx2TlKWIA"),
        "bearer",
        NOW + timedelta(hours=1),
        None,
    )


def test_the_minimum_is_an_access_token() -> None:
    """Everything else may be absent, and no value is invented."""
    assert granted() == TokenSet(Secret("access"), None, "bearer", None, None)


@pytest.mark.parametrize("status", [200, 201, 299])
def test_any_2xx_may_carry_tokens(status: int) -> None:
    """The first and the last of them."""
    assert is_successful(judge(answer({"access_token": "access"}, status)))


@pytest.mark.parametrize("name", ["access_token", "accessToken", "token"])
@pytest.mark.parametrize("refresh", ["refresh_token", "refreshToken"])
@pytest.mark.parametrize("life", ["expires_in", "expiresIn", "expires"])
@pytest.mark.parametrize("kind", ["token_type", "tokenType"])
@pytest.mark.parametrize("scope", ["scope", "scopes"])
def test_the_usual_names_are_known(
    name: str, refresh: str, life: str, kind: str, scope: str
) -> None:
    """Camel case and short names are read like those of the RFC."""
    body = {name: "a", refresh: "r", life: 60, kind: "Bearer", scope: "x y"}
    assert judge(answer(body)).unwrap() == TokenSet(
        Secret("a"), Secret("r"), "bearer", NOW + timedelta(minutes=1), ("x", "y")
    )


def test_the_rfcs_name_comes_first() -> None:
    """If the response has both. A null counts as absent."""
    assert granted(token="other").access_token == Secret("access")
    assert granted(expires_in=60, expires=EPOCH).expires_at == NOW + timedelta(minutes=1)
    body = {"access_token": None, "token": "other"}
    assert judge(answer(body)).unwrap().access_token == Secret("other")


@given(
    st.fixed_dictionaries(
        {"access_token": st.text(st.characters(codec="utf-8"), min_size=1)},
        optional={
            "refresh_token": st.text(st.characters(codec="utf-8"), min_size=1),
            "expires_in": st.integers(0, 10**8).map(str),
            "token_type": st.sampled_from(["bearer", "Bearer", "BEARER"]),
            "scope": st.sampled_from(["read", "read write", "read,write"]),
        },
    )
)
def test_a_form_means_the_same_as_json(fields: dict[str, str]) -> None:
    """GitHub and Facebook have sent forms; the tokens are the same."""
    form = HttpResponse(200, (), urlencode(fields).encode())
    assert judge(form) == judge(answer(fields))


# --- expires_in -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (0, 0),
        ("0", 0),
        (1, 1),
        (3600, 3600),
        ("3600", 3600),
        (3599.5, 3599.5),
        ("3599.5", 3599.5),
        (MAX_LIFETIME.total_seconds(), MAX_LIFETIME.total_seconds()),
        ("316224000", 316_224_000),
    ],
)
def test_expires_in_counts_from_the_arrival(said: object, seconds: float) -> None:
    """A number or a numeric string, from 0, which is at once, to ten years."""
    assert granted(expires_in=said).expires_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "said",
    [
        "abc",
        "",
        " 3600",
        "3600\n",
        "+3600",
        "-1",
        -1,
        -0.001,
        True,
        False,
        "1e3",
        "NaN",
        "Infinity",
        "\u0663\u0666\u0660\u0660",
        1e99,
        1e308,
        EPOCH,
        str(EPOCH),
        EPOCH * 1000,
        MAX_LIFETIME.total_seconds() + 1,
        "316224001",
        [],
        {},
        ["3600"],
    ],
)
def test_other_values_of_expires_in_count_as_absent(said: object) -> None:
    """They cost no valid token, and no expiry is invented."""
    assert granted(expires_in=said) == granted()


@pytest.mark.parametrize("digits", [20, 308, 309, 400, 4000])
def test_an_expires_in_of_many_digits_counts_as_absent(digits: int) -> None:
    """Any length: it costs no token and raises no exception."""
    body = b'{"access_token":"access","expires_in":' + b"9" * digits + b"}"
    assert judge(HttpResponse(200, (), body)).unwrap() == granted()


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"9" * 5000])
def test_numbers_that_json_does_not_have_count_as_absent(number: bytes) -> None:
    """NaN and infinity are not a lifetime, and cost no token."""
    body = b'{"access_token":"access","expires_in":' + number + b"}"
    assert judge(HttpResponse(200, (), body)).unwrap() == granted()


def test_nan_from_a_custom_parser_counts_as_absent() -> None:
    """It counts as absent."""
    judged = provider(parse_token=lambda _: {"access_token": "a", "expires_in": float("nan")})
    assert judge(answer({}), judged).unwrap().expires_at is None


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()))
def test_any_expires_in_ends_within_ten_years_or_is_unknown(said: object) -> None:
    """No value gives an expiry in the past, and no value costs the token."""
    expires_at = granted(expires_in=said).expires_at
    assert expires_at is None or NOW <= expires_at <= NOW + MAX_LIFETIME


# --- an end said as an instant ------------------------------------------------------------------


ENDING = provider(
    expires_at_member="expires_at", refresh_expires_at_member="refresh_token_expires_at"
)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "said", ["2026-11-01T13:00:00Z", "2026-11-01T14:00:00+01:00", EPOCH + 3600, str(EPOCH + 3600)]
)
def test_a_declared_expiry_is_read(said: object) -> None:
    """Square's RFC 3339, and seconds since 1970. Without `Date`, our clock counts."""
    assert NOW.timestamp() == EPOCH
    assert granted(ENDING, expires_at=said).expires_at == NOW + HOUR
    assert granted(expires_at=said).expires_at is None
    assert granted(ENDING).expires_at is None
    assert granted(ENDING, expires_at=None).expires_at is None


def test_expires_in_goes_before_a_declared_end() -> None:
    """It needs no clock. If it cannot be read, the declared instant counts."""
    end = EPOCH + 3600
    assert granted(ENDING, expires_in=60, expires_at=end).expires_at == NOW + timedelta(minutes=1)
    assert granted(ENDING, expires_in="abc", expires_at=end).expires_at == NOW + HOUR


@pytest.mark.parametrize("name", ["expires_in", "expires"])
def test_a_member_that_is_declared_as_an_instant_is_not_a_lifetime(name: str) -> None:
    """Some providers put seconds since 1970 under the RFC's own name."""
    declared = provider(expires_at_member=name)
    said: dict[str, Any] = {name: EPOCH + 3600}
    assert granted(declared, **said).expires_at == NOW + HOUR
    assert granted(**said).expires_at is None


@pytest.mark.parametrize(
    "said", ["never", "", "2026-11-01", "2026-11-01T13:00:00", -1, True, [], {}, 1e99, EPOCH * 1000]
)
def test_an_invalid_expiry_counts_as_absent(said: object) -> None:
    """Also one in milliseconds. It costs no valid token."""
    assert granted(ENDING, expires_at=said).expires_at is None


@pytest.mark.parametrize(
    ("away", "life"),
    [
        (-MAX_LIFETIME, timedelta()),
        (-timedelta(seconds=1), timedelta()),
        (timedelta(), timedelta()),
        (timedelta(seconds=1), timedelta(seconds=1)),
        (MAX_LIFETIME, MAX_LIFETIME),
        (MAX_LIFETIME + timedelta(seconds=1), None),
    ],
)
def test_an_expiry_is_at_most_ten_years_ahead(away: timedelta, life: timedelta | None) -> None:
    """As with `expires_in`. A past instant means that the token has expired."""
    said = (NOW + away).isoformat()
    if life is None:
        assert granted(ENDING, expires_at=said).expires_at is None
    else:
        assert granted(ENDING, expires_at=said).expires_at == NOW + life


SKEWS = st.timedeltas(timedelta(days=-3660), timedelta(days=3660)).map(
    lambda skew: timedelta(seconds=int(skew.total_seconds()))
)


@given(SKEWS, st.integers(0, int(MAX_LIFETIME.total_seconds())), st.booleans())
def test_an_expiry_does_not_depend_on_our_clock(
    skew: timedelta, seconds: int, as_text: bool
) -> None:
    """With the response's `Date` it is equal to `expires_in`, for access and refresh token."""
    there = NOW + skew
    at = there + timedelta(seconds=seconds)
    said: object = at.isoformat() if as_text else int(at.timestamp())
    date = format_datetime(there, usegmt=True)
    tokens = {"access_token": "a", "refresh_token": "r"}
    as_instants = {**tokens, "expires_at": said, "refresh_token_expires_at": said}
    as_spans = {**tokens, "expires_in": seconds, "refresh_token_expires_in": seconds}
    assert judge(answer(as_instants, date=date), ENDING) == judge(answer(as_spans), ENDING)


@pytest.mark.parametrize("date", ["", "yesterday", "2026-11-01T00:00:00Z"])
def test_a_date_that_cannot_be_read_is_none(date: str) -> None:
    """Then our clock counts."""
    body = {"access_token": "a", "expires_at": EPOCH + 3600}
    assert judge(answer(body, date=date), ENDING).unwrap().expires_at == NOW + HOUR


def test_a_refresh_token_s_end_may_be_an_instant() -> None:
    """Odd ones are not known, and cost no tokens; a span and the declared life go as ever."""
    end, life = EPOCH + 3600, timedelta(days=90)
    declared = replace(ENDING, refresh_token_lifetime=life)
    said = granted(declared, refresh_token="r", refresh_token_expires_at=end)
    assert said.refresh_expires_at == NOW + HOUR
    both = granted(
        declared, refresh_token="r", refresh_token_expires_at=end, refresh_token_expires_in=60
    )
    assert both.refresh_expires_at == NOW + timedelta(minutes=1)
    odds: tuple[object, ...] = (None, "never", EPOCH, EPOCH - 1, EPOCH * 1000, [])
    for odd in odds:
        tokens = granted(declared, refresh_token="r", refresh_token_expires_at=odd)
        assert tokens.refresh_expires_at == NOW + life
    assert granted(refresh_token="r", refresh_token_expires_at=end).refresh_expires_at is None


# --- the other fields -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "access",
    ["", 5, True, [], {}, ["access"], "tök", "a\n", "a b", " a", "a\x00", "a\x7f", "\u2028", "Ａ"],
)
def test_an_access_token_is_text_that_a_header_can_carry(access: object) -> None:
    """RFC 6750 section 2.1. Anything else is malformed, so that sending it raises no exception."""
    assert malformed(access_token=access) == "$.access_token"


@pytest.mark.parametrize("refresh", [5, True, [], {}])
def test_a_refresh_token_of_another_type_costs_no_access_token(refresh: object) -> None:
    """The tenant is connected without a refresh token."""
    assert granted(refresh_token=refresh) == granted()


@pytest.mark.parametrize("refresh", [None, ""])
def test_an_empty_refresh_token_is_none(refresh: str | None) -> None:
    """An empty refresh token is never sent."""
    assert granted(refresh_token=refresh).refresh_token is None


@pytest.mark.parametrize("kind", ["mac", "bot", "", "bearer "])
def test_a_token_type_that_was_not_declared_is_malformed(kind: object) -> None:
    """A token of an unknown type cannot be used (RFC 6749 section 7.1)."""
    assert malformed(token_type=kind) == "$.token_type"


def test_a_declared_token_type_is_accepted() -> None:
    """Slack sends `bot`. Case is ignored, and an absent type counts as bearer."""
    slack = provider(token_types=frozenset({"bot", "bearer"}))
    assert granted(slack, token_type="bot").token_type == "bot"
    assert granted(slack, token_type="Bot").token_type == "bot"
    assert granted(slack).token_type == "bearer"
    assert granted(slack, token_type=None).token_type == "bearer"
    assert granted(slack, token_type=5) == granted(slack, token_type=[]) == granted(slack)
    assert malformed(provider(token_types=frozenset({"bot"}))) == "$.token_type"


@pytest.mark.parametrize(
    ("separator", "said", "scopes"),
    [
        (" ", "repo gist", ("repo", "gist")),
        (" ", "repo,gist", ("repo", "gist")),
        (" ", "repo, gist", ("repo", "gist")),
        (" ", "  repo   gist ", ("repo", "gist")),
        (" ", "repo", ("repo",)),
        (" ", "", ()),
        (",", "repo,gist", ("repo", "gist")),
        (",", "repo, gist,", ("repo", "gist")),
        (",", "read all,write", ("read", "all", "write")),
        (" ", "read,write", ("read", "write")),
        (" ", "read\twrite\n", ("read", "write")),
        (" ", ["read,write", "all"], ("read", "write", "all")),
        ("+", "repo+gist", ("repo", "gist")),
        (" ", ["repo", "gist"], ("repo", "gist")),
        (" ", ["repo", 5, None, "gist"], ("repo", "gist")),
        (" ", "repo a\x00b gist", ("repo", "gist")),
        (" ", ["repo", "a\x00b", 'a"b', "a\\b", "é", "", "gist"], ("repo", "gist")),
        (" ", [], ()),
        (" ", None, None),
        (" ", 5, None),
        (" ", {}, None),
    ],
)
def test_granted_scopes_are_read(
    separator: str, said: object, scopes: tuple[str, ...] | None
) -> None:
    """Spaces by the RFC, commas as GitHub sends them. Absent means as requested."""
    assert granted(provider(oauth_scope_separator=separator), scope=said).oauth_scopes == scopes


@pytest.mark.parametrize("access", ["a|b", "1.2:3-4_5~6+7/8==", "x" * 10_000])
def test_the_characters_of_access_tokens_in_use_are_accepted(access: str) -> None:
    """Facebook issues tokens with `|` and Telegram with `:`, which RFC 6750 does not list."""
    assert granted(access_token=access).access_token == Secret(access)


@pytest.mark.parametrize(
    "member",
    [
        b'"scope":"read \\ud83d"',
        b'"scope":"read \xff"',
        b'"x":"\\ud83d"',
        b'"scope":"read","x":' + b"9" * 5000,
        b'"scope":"read","x":' + b'{"y":[' * 50_000 + b"]}" * 50_000,
    ],
)
def test_a_member_that_cannot_be_decoded_costs_no_tokens(member: bytes) -> None:
    """Lone surrogates, invalid UTF-8, numbers out of range, too deep nesting."""
    body = b"{" + member + b',"access_token":"access","refresh_token":"refresh"}'
    tokens = judge(HttpResponse(200, (), body)).unwrap()
    assert (tokens.access_token, tokens.refresh_token) == (Secret("access"), Secret("refresh"))
    assert tokens.oauth_scopes in (None, ("read",))


@pytest.mark.parametrize(
    ("fields", "access", "refresh"),
    [
        ({"access_token": "tök", "refresh_token": "r"}, "tök", "r"),
        ({"access_token": "", "refresh_token": "r"}, "", "r"),
        ({"access_token": 5, "refreshToken": "r"}, "", "r"),
        ({"access_token": "a", "token_type": "mac"}, "a", None),
    ],
)
def test_what_can_be_revoked_of_a_malformed_answer(
    fields: dict[str, Any], access: str, refresh: str | None
) -> None:
    """Every token that a form can send, even if no header can."""
    found = unusable_tokens(answer(fields), PROVIDER)
    assert found == TokenSet(Secret(access), None if refresh is None else Secret(refresh))


def test_tokens_beside_an_error_are_revoked() -> None:
    """They are not used, and nobody else knows them."""
    body = answer({"access_token": "a", "error": "invalid_scope"})
    assert judge(body).failure() == TokenRefused("telegram", "invalid_scope")
    assert unusable_tokens(body, PROVIDER) == TokenSet(Secret("a"))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 200),
        ({"access_token": ""}, 200),
        (b'{"access_token":"\\ud83d"}', 200),
        ({"access_token": "a"}, 400),
        (b"<html>", 200),
    ],
)
def test_an_answer_without_tokens_has_nothing_to_revoke(body: object, status: int) -> None:
    """Nothing was granted, or nothing can be sent."""
    assert unusable_tokens(answer(body, status), PROVIDER) is None


def test_tokens_to_revoke_are_read_by_the_custom_parser() -> None:
    """If the parser fails, the answer itself is read."""
    slack = provider(parse_token=nested)
    found = unusable_tokens(answer({"authed_user": {"access_token": "é"}}), slack)
    assert found == TokenSet(Secret("é"))
    assert unusable_tokens(answer({"token": "a"}), slack) == TokenSet(Secret("a"))


# --- when the refresh token ends ----------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "refresh_token_expires_in",
        "refresh_expires_in",
        "x_refresh_token_expires_in",
        "refreshTokenExpiresIn",
    ],
)
@pytest.mark.parametrize("said", [60, "60", 60.0])
def test_a_refresh_token_may_say_when_it_ends(name: str, said: Any) -> None:
    """Keycloak's, QuickBooks' and the usual name; it counts from the arrival."""
    ends = NOW + timedelta(minutes=1)
    life: dict[str, Any] = {name: said}
    assert granted(refresh_token="r", **life).refresh_expires_at == ends
    assert granted(**life).refresh_expires_at == ends


@pytest.mark.parametrize("said", [None, 0, "0", -1, "never", True, [], EPOCH, 1e99])
def test_an_invalid_lifetime_of_a_refresh_token_is_none(said: object) -> None:
    """Keycloak sends 0 if there is no end. It costs no tokens."""
    tokens = granted(refresh_token="r", refresh_token_expires_in=said)
    assert tokens.refresh_token == Secret("r")
    assert tokens.refresh_expires_at is None


def test_a_provider_may_declare_how_long_refresh_tokens_live() -> None:
    """Used for a new refresh token if the response has no lifetime."""
    declared = provider(refresh_token_lifetime=timedelta(days=90))
    ends = NOW + timedelta(days=90)
    assert granted(declared, refresh_token="r").refresh_expires_at == ends
    assert granted(declared, refresh_token="r", refresh_expires_in=0).refresh_expires_at == ends
    assert granted(declared).refresh_expires_at is None
    said = granted(declared, refresh_token="r", refresh_token_expires_in=60)
    assert said.refresh_expires_at == NOW + timedelta(minutes=1)


# --- extras -------------------------------------------------------------------------------------


class Team(msgspec.Struct):
    id: str
    name: str | None = None


class SlackExtras(msgspec.Struct):
    team: Team
    hook: Secret | None = None


SLACK = provider(token_extras=SlackExtras)


def test_declared_extras_are_kept_typed() -> None:
    """Others are dropped. A secret among them stays a `Secret`."""
    tokens = granted(SLACK, team={"id": "T1", "x": 1}, hook=CANARY, other=CANARY)
    assert tokens.extras is not None
    read = decode_extras(tokens.extras, SlackExtras).unwrap()
    assert read == SlackExtras(Team("T1"), Secret(CANARY))
    assert "other" not in tokens.extras.reveal()
    assert CANARY not in f"{tokens!r} {read!r}"
    assert granted(team={"id": "T1"}).extras is None


@pytest.mark.parametrize("fields", [{}, {"team": "T1"}, {"team": {"id": 5}}, {"team": None}])
def test_invalid_extras_cost_no_tokens(fields: dict[str, Any]) -> None:
    """A refresh that leaves them out has rotated the token all the same."""
    assert granted(SLACK, **fields) == granted()


def test_extras_are_read_from_the_providers_own_response() -> None:
    """Not from what a custom parser made of it for the tokens."""
    slack = provider(token_extras=SlackExtras, parse_token=nested)
    body = {"authed_user": {"access_token": "a"}, "team": {"id": "T1"}}
    tokens = judge(answer(body), slack).unwrap()
    assert tokens.extras is not None
    assert decode_extras(tokens.extras, SlackExtras).unwrap() == SlackExtras(Team("T1"))


def test_extras_come_with_a_form_too() -> None:
    """As text."""

    class Site(msgspec.Struct):
        instance_url: str

    body = b"access_token=a&instance_url=https%3A%2F%2Fx.example"
    extras = judge(answer(body), provider(token_extras=Site)).unwrap().extras
    assert extras is not None
    assert decode_extras(extras, Site).unwrap() == Site("https://x.example")
    assert not is_successful(decode_extras(extras, SlackExtras))


# --- what a renewal leaves out ------------------------------------------------------------------


SPENT_WHOLE = TokenSet(
    Secret("old"),
    Secret("old-refresh"),
    "bearer",
    NOW,
    ("read",),
    NOW + timedelta(days=1),
    Secret("{}"),
    Secret("key"),
)


def test_what_a_refresh_leaves_out_is_kept() -> None:
    """The refresh token with its expiry, scopes, extras and the key; no more."""
    least = TokenSet(Secret("new"))
    assert merge_refreshed(least, SPENT_WHOLE) == replace(
        SPENT_WHOLE, access_token=Secret("new"), expires_at=None
    )


def test_what_a_refresh_returns_replaces_the_old() -> None:
    """Every field, also an empty list of scopes."""
    new = TokenSet(
        Secret("new"),
        Secret("new-refresh"),
        "dpop",
        NOW + timedelta(hours=1),
        (),
        NOW + timedelta(days=2),
        Secret('{"x":1}'),
        Secret("other-key"),
    )
    assert merge_refreshed(new, SPENT_WHOLE) == new


def test_the_expiry_belongs_to_its_refresh_token() -> None:
    """A new token without one has none. An expiry without a token is that of the spent token."""
    rotated = TokenSet(Secret("new"), Secret("new-refresh"))
    assert merge_refreshed(rotated, SPENT_WHOLE).refresh_expires_at is None
    prolonged = TokenSet(Secret("new"), refresh_expires_at=NOW + timedelta(days=9))
    kept = merge_refreshed(prolonged, SPENT_WHOLE)
    assert kept.refresh_token == Secret("old-refresh")
    assert kept.refresh_expires_at == NOW + timedelta(days=9)


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client", "invalid_request"])
def test_an_error_is_an_error_whatever_the_status(status: int, error: str) -> None:
    """Slack and GitHub send an `error` with status 200. Tokens beside it do not count."""
    body = {"error": error, "error_description": CANARY, "access_token": "access"}
    assert judge(answer(body, status)).failure() == TokenRefused("telegram", error)


def test_an_error_in_a_form_is_an_error() -> None:
    """GitHub's default: 200, a form, `error=bad_verification_code`."""
    body = b"error=bad_verification_code&error_description=The+code+is+incorrect"
    assert judge(answer(body)).failure() == TokenRefused("telegram", "other")
    assert judge(answer(b"error=invalid_grant")).failure() == TokenRefused(
        "telegram", "invalid_grant"
    )


@pytest.mark.parametrize(
    "error",
    [
        # RFC 6749 section 5.2, and 4.1.2.1 where servers use them here
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
        "unsupported_grant_type", "invalid_scope", "access_denied", "server_error",
        "temporarily_unavailable",
        # RFC 8628 section 3.5, RFC 7009 section 2.2.1, RFC 9449 sections 5 and 8
        "authorization_pending", "slow_down", "expired_token", "unsupported_token_type",
        "invalid_dpop_proof", "use_dpop_nonce",
    ],
)  # fmt: skip
def test_the_codes_of_the_rfcs_are_returned(error: str) -> None:
    """The caller acts on them."""
    assert judge(answer({"error": error}, 400)).failure() == TokenRefused("telegram", error)


@pytest.mark.parametrize("error", [CANARY, 5, -1, True, {"code": CANARY}, [CANARY]])
def test_other_errors_are_not_repeated(error: object) -> None:
    """A provider's own text, or an object as Facebook sends, is `other`."""
    body = {"error": error, "access_token": "access"}
    assert judge(answer(body)).failure() == TokenRefused("telegram", "other")


@pytest.mark.parametrize("error", [None, "", False, 0, [], {}])
def test_an_empty_error_is_none(error: object) -> None:
    """Some providers always send the member, as a flag or a number."""
    assert granted(error=error).access_token == Secret("access")


@pytest.mark.parametrize("status", [199, 300, 302, 400, 404, 500, 503])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"access_token":"access"}', b"a=b"])
def test_another_status_is_a_refusal_whatever_the_body(status: int, body: bytes) -> None:
    """A proxy's page, a redirect, or tokens with an error status: none of them grants."""
    assert judge(answer(body, status)).failure() == TokenRefused("telegram", "other")


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"5", b"null", b'"access"', b"\xff", b"a&b", b"[" * 100_000]
)
def test_what_is_neither_json_object_nor_form_is_malformed(body: bytes) -> None:
    """With a 2xx."""
    assert judge(answer(body)).failure() == TokenMalformed("telegram", "$")


def test_a_form_of_too_many_fields_is_malformed() -> None:
    """A longer form is not parsed."""
    fields = "&".join(f"x{number}=1" for number in range(63))
    assert is_successful(judge(answer(f"access_token=a&{fields}".encode())))
    assert not is_successful(judge(answer(f"access_token=a&{fields}&y=1".encode())))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["access_token", "refresh_token", "expires_in", "expires", "token_type", "scope", "error"]
)


@given(st.dictionaries(FIELDS, JSON), st.integers(100, 599))
def test_any_json_is_judged(fields: dict[str, object], status: int) -> None:
    """Any values of the fields give tokens or a problem."""
    assert isinstance(judge(answer(fields, status)), Result)


@given(st.binary(), st.integers(100, 599))
@example(b"", 200)
@example(b'{"access_token":"\\ud800"}', 200)
@example(b"access_token=%ED%A0%80", 200)
def test_any_body_is_judged(body: bytes, status: int) -> None:
    """Any bytes give tokens or a problem."""
    assert isinstance(judge(answer(body, status)), Result)


@given(st.dictionaries(FIELDS, JSON | st.just(CANARY)), st.sampled_from([200, 400, 500]))
def test_no_problem_repeats_the_response(fields: dict[str, object], status: int) -> None:
    """Neither `repr`, message nor JSON of a problem has any text of the provider."""
    body = {name: [CANARY, value] for name, value in fields.items()} | {"more": CANARY}
    judged = judge(answer(body, status))
    problem = judged.failure()
    shown = f"{judged!r} {problem.message} {msgspec.json.encode(problem).decode()}"
    assert CANARY not in shown


def test_tokens_are_redacted() -> None:
    """Until they are sealed."""
    tokens = granted(access_token=CANARY, refresh_token=CANARY)
    assert CANARY not in repr(tokens)


# --- custom parsers -----------------------------------------------------------------------------


def nested(body: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Reads Slack's user token, as an application's own parser does."""
    user = body["authed_user"]
    assert isinstance(user, dict)
    return user


def test_a_custom_parser_reads_what_the_detection_cannot() -> None:
    """Its result is judged like a response of the provider."""
    slack = provider(parse_token=nested)
    body = {"ok": True, "authed_user": {"access_token": "access", "expires_in": 60}}
    assert judge(answer(body), slack).unwrap().expires_at == NOW + timedelta(minutes=1)
    body = {"ok": True, "authed_user": {"expires_in": 60}}
    assert judge(answer(body), slack).failure() == TokenMalformed("telegram", "$.access_token")


def test_a_custom_parser_is_not_called_for_errors() -> None:
    """An error is judged before."""
    judged = judge(answer({"error": "invalid_grant"}), provider(parse_token=nested))
    assert judged.failure() == TokenRefused("telegram", "invalid_grant")


@pytest.mark.parametrize("body", [{}, {"authed_user": CANARY}])
def test_a_custom_parser_that_raises_makes_the_response_malformed(body: dict[str, object]) -> None:
    """The problem has nothing of the exception."""
    judged = judge(answer(body), provider(parse_token=nested))
    assert judged.failure() == TokenMalformed("telegram", "$")
