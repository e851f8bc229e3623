"""What a token endpoint answers. RFC 6749 sections 5.1 and 5.2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.fields import JsonValue
from igniter_connectors.core.http import HttpResponse
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import TokenMalformed, TokenRefused
from igniter_connectors.core.secret import Secret

LONGEST_LIFE: Final = timedelta(days=3660)
"""Ten years. A longer `expires_in` is an instant that somebody put there, or nonsense."""

_ACCESS: Final = ("access_token", "accessToken", "token")
_REFRESH: Final = ("refresh_token", "refreshToken")
_LIFE: Final = ("expires_in", "expiresIn", "expires")
_TYPE: Final = ("token_type", "tokenType")
_SCOPE: Final = ("scope", "scopes")
_KNOWN_ERRORS: Final = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
        "unsupported_grant_type", "invalid_scope", "slow_down", "temporarily_unavailable",
        "server_error", "access_denied", "authorization_pending", "expired_token",
    }
)  # fmt: skip
_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)
_SCOPE_GAP: Final = re.compile(r"[ ,]+")


class TokenSet(msgspec.Struct, frozen=True):
    """Tokens as granted, to be sealed together.

    `refresh_token` is None where there is none; `expires_at` where the provider did not
    say; `oauth_scopes` where it granted what was asked (RFC 6749 section 3.3).
    """

    access_token: Secret
    refresh_token: Secret | None = None
    token_type: str = "bearer"  # noqa: S105  # a kind of token, not a token
    expires_at: datetime | None = None
    oauth_scopes: tuple[str, ...] | None = None


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
        provider: Its declared token types, scope separator and parser.
        connector: Named in problems.
        received_at: Aware instant of arrival. `expires_in`, in seconds, counts from here.

    Returns:
        The tokens, or
        - `TokenRefused`: an `error`, whatever the status (Slack and GitHub send 200), or
          a status outside 2xx.
        - `TokenMalformed`: no `access_token`, a token type not declared, an `expires_in`
          that is no number of seconds from 0 to ten years. Names the path, never the body.
    """
    answer = _decode(response)
    if answer is None:
        if not 200 <= response.status < 300:
            return Failure(TokenRefused(connector, "other"))
        return Failure(TokenMalformed(connector, "$"))
    error = answer.get("error")
    if error not in (None, "", False) or not 200 <= response.status < 300:
        return Failure(TokenRefused(connector, _known(error)))
    if provider.parse_token is not None:
        try:
            answer = provider.parse_token(answer)
        except Exception:  # the parser is the user's, the answer a stranger's
            return Failure(TokenMalformed(connector, "$"))
    return _read(answer, provider, connector, received_at)


def error_of(response: HttpResponse) -> str | None:
    """The answer's `error` as it stands, to be compared with a provider's codes, not shown."""
    answer = _decode(response)
    error = answer.get("error") if answer is not None else None
    return error if isinstance(error, str) else None


def _read(
    answer: dict[str, JsonValue],
    provider: OAuthProvider,
    connector: str,
    received_at: datetime,
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
    life = _first(answer, _LIFE)
    seconds = _seconds(life)
    if life is not None and seconds is None:
        return Failure(TokenMalformed(connector, "$.expires_in"))
    return Success(
        TokenSet(
            Secret(access),
            Secret(refresh) if refresh else None,
            kind.lower(),
            None if seconds is None else received_at + seconds,
            _granted(_first(answer, _SCOPE), provider),
        )
    )


def _decode(response: HttpResponse) -> dict[str, JsonValue] | None:
    try:
        decoded: JsonValue = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decoded = _decode_form(response.body)
    return decoded if isinstance(decoded, dict) else None


def _decode_form(body: bytes) -> JsonValue:
    try:
        pairs = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=64)
    except ValueError:
        return None
    return dict(pairs)


def _first(answer: dict[str, JsonValue], names: Sequence[str]) -> JsonValue:
    return next((answer[name] for name in names if answer.get(name) is not None), None)


def _known(error: JsonValue) -> str:
    return error if isinstance(error, str) and error in _KNOWN_ERRORS else "other"


def _seconds(life: JsonValue) -> timedelta | None:
    if isinstance(life, bool) or not isinstance(life, int | float | str):
        return None
    if isinstance(life, str):
        if not _NUMBER.fullmatch(life):
            return None
        life = float(life)
    # An int of any length compares with a float; NaN fails both comparisons.
    return timedelta(seconds=life) if 0 <= life <= LONGEST_LIFE.total_seconds() else None


def _granted(scopes: JsonValue, provider: OAuthProvider) -> tuple[str, ...] | None:
    if isinstance(scopes, list):
        return tuple(scope for scope in scopes if isinstance(scope, str))
    if not isinstance(scopes, str):
        return None
    separator = provider.oauth_scope_separator.strip()
    parts = scopes.split(separator) if separator else _SCOPE_GAP.split(scopes)
    return tuple(part.strip() for part in parts if part.strip())
