"""What a token endpoint answers. RFC 6749 sections 5.1 and 5.2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.http.retry_after import http_date
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.expiry import lifetime_until, seconds_of
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import (
    decode_response,
    error_in,
    public_error_code,
)
from igniter_connectors.core.oauth.token_extras import read_extras
from igniter_connectors.core.problem import TokenMalformed, TokenRefused
from igniter_connectors.core.secret import Secret

_ACCESS: Final = ("access_token", "accessToken", "token")
_REFRESH: Final = ("refresh_token", "refreshToken")
_LIFE: Final = ("expires_in", "expiresIn", "expires")
# The third is QuickBooks', the second Keycloak's, where 0 means no end.
_REFRESH_LIFE: Final = (
    "refresh_token_expires_in",
    "refresh_expires_in",
    "x_refresh_token_expires_in",
    "refreshTokenExpiresIn",
)
_TYPE: Final = ("token_type", "tokenType")
_SCOPE: Final = ("scope", "scopes")
_SCOPE_GAP: Final = re.compile(r"[ ,]+")


class TokenSet(msgspec.Struct, frozen=True):
    """Tokens as granted, to be sealed together.

    `refresh_token` is None where there is none; `expires_at` where the provider did not
    say; `oauth_scopes` where it granted what was asked (RFC 6749 section 3.3);
    `refresh_expires_at` where neither answer nor provider told when the refresh token
    ends; `extras` (JSON, read by `extras.decode_extras`) where none are declared or they
    did not fit; `dpop_key` (a private JWK) where the tokens are not bound to one.
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
    """The token set that a provider granted.

    Args:
        response: Status and body as received; JSON or, as some do, a form.
        provider: Its declared token types, scope separator, extras, parser, and the names of
            ends that it says as instants.
        connector: Named in problems.
        received_at: Aware instant of arrival. `expires_in`, in seconds, counts from here; so
            does what an instant is away from the answer's own `Date`, by the provider's clock
            both. Without `Date` the two clocks are taken to agree.

    Returns:
        The tokens, or
        - `TokenRefused`: an `error`, whatever the status (Slack and GitHub send 200), or
          a status outside 2xx.
        - `TokenMalformed`: no `access_token`, a token type not declared, an `expires_in`
          that is no number of seconds from 0 to ten years, or, where none came, a declared
          `expires_at_member` that is no instant within ten years; one that has passed is a
          life of 0 seconds. Names the path, never the body.

        Nothing else makes an answer malformed: a refresh token that was rotated is not
        thrown away for an odd life of its own, or for extras that do not fit.
    """
    answer = decode_response(response)
    if answer is None:
        if not 200 <= response.status < 300:
            return Failure(TokenRefused(connector, "other"))
        return Failure(TokenMalformed(connector, "$"))
    error = error_in(answer)
    if error is not None or not 200 <= response.status < 300:
        return Failure(TokenRefused(connector, public_error_code(error)))
    extras = None
    if provider.token_extras is not None:
        extras = read_extras(answer, provider.token_extras).value_or(None)
    if provider.parse_token is not None:
        try:
            answer = provider.parse_token(answer)
        except Exception:  # the parser is the user's, the answer a stranger's
            return Failure(TokenMalformed(connector, "$"))
    tokens = _read(answer, provider, connector, received_at, _said_at(response) or received_at)
    return tokens if extras is None else tokens.map(lambda read: replace(read, extras=extras))


def merge_refreshed(tokens: TokenSet, spent: TokenSet) -> TokenSet:
    """The tokens of a renewal, with what its answer left out as it was before.

    The spent refresh token stays in use where no new one came (RFC 6749 section 6), and
    with it its end; a new one without an end has none that is known.
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
    said_at: datetime,
) -> Result[TokenSet, TokenRefused | TokenMalformed]:
    access = _first(answer, _ACCESS)
    if not isinstance(access, str) or not access:
        return Failure(TokenMalformed(connector, "$.access_token"))
    refresh = _first(answer, _REFRESH)
    if refresh is not None and not isinstance(refresh, str):
        return Failure(TokenMalformed(connector, "$.refresh_token"))
    token_type = _first(answer, _TYPE)
    kind = "bearer" if token_type is None else token_type
    if not isinstance(kind, str) or kind.lower() not in provider.token_types:
        return Failure(TokenMalformed(connector, "$.token_type"))
    end = provider.expires_at_member
    said = _first(answer, [name for name in _LIFE if name != end])
    life = seconds_of(said)
    if said is not None and life is None:
        return Failure(TokenMalformed(connector, "$.expires_in"))
    if said is None and end is not None and answer.get(end) is not None:
        life = lifetime_until(answer[end], at=said_at)
        if life is None:
            return Failure(TokenMalformed(connector, f"$.{end}"))
    # 0, as nonsense, tells no end: a refresh token that is over at once is not given out.
    refresh_life = seconds_of(_first(answer, _REFRESH_LIFE)) or None
    if refresh_life is None and provider.refresh_expires_at_member is not None:
        refresh_end = answer.get(provider.refresh_expires_at_member)
        refresh_life = lifetime_until(refresh_end, at=said_at) or None
    if refresh_life is None and refresh:
        refresh_life = provider.refresh_token_lifetime
    return Success(
        TokenSet(
            Secret(access),
            Secret(refresh) if refresh else None,
            kind.lower(),
            None if life is None else received_at + life,
            _granted(_first(answer, _SCOPE), provider),
            None if refresh_life is None else received_at + refresh_life,
        )
    )


def _said_at(response: HttpResponse) -> datetime | None:
    """When the server made the answer, by its own clock (RFC 9110 section 6.6.1)."""
    date = response.header("date")
    return None if date is None else http_date(date)


def _first(answer: dict[str, JsonValue], names: Sequence[str]) -> JsonValue:
    return next((answer[name] for name in names if answer.get(name) is not None), None)


def _granted(scopes: JsonValue, provider: OAuthProvider) -> tuple[str, ...] | None:
    if isinstance(scopes, list):
        return tuple(scope for scope in scopes if isinstance(scope, str))
    if not isinstance(scopes, str):
        return None
    separator = provider.oauth_scope_separator.strip()
    parts = scopes.split(separator) if separator else _SCOPE_GAP.split(scopes)
    return tuple(part.strip() for part in parts if part.strip())
