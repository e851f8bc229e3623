"""The response of a token endpoint. RFC 6749 sections 5.1 and 5.2."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.http.retry_after import http_date
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.error_answer import error_of
from igniter_connectors.core.oauth.expiry import lifetime_until, seconds_of
from igniter_connectors.core.oauth.granted_scopes import read_scopes
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import decode_response, public_error_code
from igniter_connectors.core.oauth.token_extras import read_extras
from igniter_connectors.core.problem import TokenMalformed, TokenRefused
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.storable_text import is_encodable, is_header_token

_ACCESS: Final = ("access_token", "accessToken", "token")
_REFRESH: Final = ("refresh_token", "refreshToken")
_LIFE: Final = ("expires_in", "expiresIn", "expires")
# The second is Keycloak's, where 0 means that it never expires. The third is QuickBooks'.
_REFRESH_LIFE: Final = (
    "refresh_token_expires_in",
    "refresh_expires_in",
    "x_refresh_token_expires_in",
    "refreshTokenExpiresIn",
)
_TYPE: Final = ("token_type", "tokenType")
_SCOPE: Final = ("scope", "scopes")


class TokenSet(msgspec.Struct, frozen=True):
    """The tokens of one grant. They are sealed together.

    `refresh_token` is None if there is none. `expires_at` is None if the provider did not say.
    `oauth_scopes` is None if the provider granted what was requested (RFC 6749 section 3.3).
    `refresh_expires_at` is None if neither the response nor the provider's definition says when
    the refresh token expires. `extras` is JSON, decoded by `token_extras.decode_extras`; None if
    none are declared or they were invalid. `dpop_key` is a private JWK; None if the tokens are
    not bound to a key.
    """

    access_token: Secret
    refresh_token: Secret | None = None
    token_type: str = "bearer"  # noqa: S105  # a kind of token, not a token
    expires_at: datetime | None = None
    oauth_scopes: tuple[str, ...] | None = None
    refresh_expires_at: datetime | None = None
    extras: Secret | None = None
    dpop_key: Secret | None = None


def judge_token(
    response: HttpResponse,
    provider: OAuthProvider,
    *,
    connector: str,
    received_at: datetime,
) -> Result[TokenSet, TokenRefused | TokenMalformed]:
    """The tokens that a provider granted.

    Args:
        response: Status and body as received: JSON, or a form, which some providers send.
        provider: Its token types, scope separator, extras, parser, and the members that hold
            an expiry as an instant.
        connector: The connector's key, for problems.
        received_at: Aware instant of arrival. `expires_in`, in seconds, counts from here. An
            expiry given as an instant is compared with the response's `Date`, so that both come
            from the provider's clock. Without `Date`, the two clocks are assumed to agree.

    Returns:
        The tokens, or
        - `TokenRefused`: an `error` with any status (Slack and GitHub send 200), or a status
          outside 2xx.
        - `TokenMalformed`: no `access_token` that an `Authorization` header can carry, or an
          undeclared token type. The problem contains the path, never the body.

        Nothing else is malformed: a field that cannot be read counts as absent, so that it never
        costs a good token. An expiry counts if it is at most ten years ahead; an instant in the
        past means a lifetime of 0. Scopes that RFC 6749 section 3.3 excludes are dropped.
    """
    error = error_of(response, provider)
    if error is not None:
        return Failure(TokenRefused(connector, public_error_code(error.codes)))
    answer = decode_response(response)
    if answer is None:
        return Failure(TokenMalformed(connector, "$"))
    extras = None
    if provider.token_extras is not None:
        extras = read_extras(answer, provider.token_extras).value_or(None)
    if provider.parse_token is not None:
        try:
            answer = provider.parse_token(answer)
        except Exception:  # the application's parser may fail on any input
            return Failure(TokenMalformed(connector, "$"))
    tokens = _read(answer, provider, connector, received_at, _sent_at(response) or received_at)
    return tokens if extras is None else tokens.map(lambda read: replace(read, extras=extras))


def unusable_tokens(response: HttpResponse, provider: OAuthProvider) -> TokenSet | None:
    """The tokens of an answer that `judge_token` refuses, only to revoke them.

    A 2xx with an `error` may contain tokens too.

    The access token may have characters that no header carries: a revocation sends it in a form
    (RFC 7009 section 2.1). It is "" if only a refresh token can be read. None if the answer
    contains no token that can be sent.
    """
    answer = decode_response(response)
    if answer is None or not 200 <= response.status < 300:
        return None
    if provider.parse_token is not None:
        with suppress(Exception):  # the application's parser may fail on any input
            answer = provider.parse_token(answer)
    access, refresh = (_revocable(answer, names) for names in (_ACCESS, _REFRESH))
    if access is None and refresh is None:
        return None
    return TokenSet(access or Secret(""), refresh)


def merge_refreshed(tokens: TokenSet, spent: TokenSet) -> TokenSet:
    """The tokens of a refresh, completed with what its response left out.

    Without a new refresh token, the spent one and its expiry stay in use (RFC 6749 section 6).
    A new refresh token without an expiry has no known expiry.
    """
    has_new = tokens.refresh_token is not None or tokens.refresh_expires_at is not None
    return replace(
        tokens,
        refresh_token=tokens.refresh_token or spent.refresh_token,
        refresh_expires_at=tokens.refresh_expires_at if has_new else spent.refresh_expires_at,
        oauth_scopes=spent.oauth_scopes if tokens.oauth_scopes is None else tokens.oauth_scopes,
        extras=tokens.extras or spent.extras,
        dpop_key=tokens.dpop_key or spent.dpop_key,
    )


def _read(
    answer: dict[str, JsonValue],
    provider: OAuthProvider,
    connector: str,
    received_at: datetime,
    sent_at: datetime,
) -> Result[TokenSet, TokenRefused | TokenMalformed]:
    access = _first(answer, _ACCESS)
    if not isinstance(access, str) or not is_header_token(access):
        return Failure(TokenMalformed(connector, "$.access_token"))
    token_type = _first(answer, _TYPE)
    kind = token_type if isinstance(token_type, str) else "bearer"
    if kind.lower() not in provider.token_types:
        return Failure(TokenMalformed(connector, "$.token_type"))
    refresh = _revocable(answer, _REFRESH)
    life = _access_lifetime(answer, provider, sent_at)
    refresh_life = _refresh_lifetime(answer, provider, sent_at)
    if refresh_life is None and refresh:
        refresh_life = provider.refresh_token_lifetime
    return Success(
        TokenSet(
            Secret(access),
            refresh,
            kind.lower(),
            None if life is None else received_at + life,
            read_scopes(_first(answer, _SCOPE), provider),
            None if refresh_life is None else received_at + refresh_life,
        )
    )


def _access_lifetime(
    answer: dict[str, JsonValue], provider: OAuthProvider, sent_at: datetime
) -> timedelta | None:
    """The access token's lifetime; None if not given, or if no value of it can be read.

    Then the token is used until an API refuses it.
    """
    member = provider.expires_at_member
    life = seconds_of(_first(answer, [name for name in _LIFE if name != member]))
    if life is None and member is not None:
        life = lifetime_until(answer.get(member), at=sent_at)
    return life


def _refresh_lifetime(
    answer: dict[str, JsonValue], provider: OAuthProvider, sent_at: datetime
) -> timedelta | None:
    """The refresh token's lifetime; None if not given.

    0 counts as not given, like a malformed value: no provider issues a refresh token that has
    already expired.
    """
    life = seconds_of(_first(answer, _REFRESH_LIFE)) or None
    if life is None and provider.refresh_expires_at_member is not None:
        end = answer.get(provider.refresh_expires_at_member)
        life = lifetime_until(end, at=sent_at) or None
    return life


def _sent_at(response: HttpResponse) -> datetime | None:
    """When the server sent the response, by its own clock (RFC 9110 section 6.6.1)."""
    date = response.header("date")
    return None if date is None else http_date(date)


def _first(answer: dict[str, JsonValue], names: Sequence[str]) -> JsonValue:
    return next((answer[name] for name in names if answer.get(name) is not None), None)


def _revocable(answer: dict[str, JsonValue], names: Sequence[str]) -> Secret | None:
    """A token that a form can send; None if there is none."""
    token = _first(answer, names)
    return Secret(token) if isinstance(token, str) and token and is_encodable(token) else None
