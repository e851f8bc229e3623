"""The refresh request, and what its response means for the grant.

RFC 6749 section 6; RFC 9700 section 4.14 on rotation.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful

from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.http.retry_after import retry_after
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.client_authentication import token_request
from igniter_connectors.core.oauth.error_answer import ErrorAnswer, error_of, is_dead_grant
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.token_response import (
    TokenSet,
    judge_token,
    merge_refreshed,
    unusable_tokens,
)
from igniter_connectors.core.secret import Secret

_FIRST_DELAY: Final = timedelta(seconds=5)
_MAX_DELAY: Final = timedelta(minutes=5)

_BEFORE_THE_GRANT: Final = (429, 503)
"""Overload or maintenance: the server did not look at the grant."""

_CLIENT_ERROR: Final = "invalid_client"

# The client may not use this grant (RFC 6749 section 5.2). Some providers answer it to a refresh
# token that is invalid, for example Atlassian, so one such answer says nothing about the client.
_UNCLEAR_CLIENT_ERROR: Final = "unauthorized_client"


class Refreshed(msgspec.Struct, frozen=True):
    """The provider issued new tokens."""

    tokens: TokenSet


class RefreshTokenOnly(msgspec.Struct, frozen=True):
    """The provider rotated the refresh token, but its access token cannot be used.

    `tokens` are the spent ones with the new refresh token, so that it is not lost.
    """

    tokens: TokenSet


class GrantDead(msgspec.Struct, frozen=True):
    """The provider says that the grant is gone. Only a new authorization helps."""


class DefiniteFailure(msgspec.Struct, frozen=True):
    """No new tokens, and the refresh token was not spent: refused, or nothing was sent.

    `retry_after` is the delay that the provider asked for, at most an hour; None if it did not.
    `is_client_credentials`: the provider refused the application's client, which no tenant can
    repair. `may_be_client`: the answer means either the client or this one grant.
    """

    retry_after: timedelta | None = None
    is_client_credentials: bool = False
    may_be_client: bool = False


class UnknownOutcome(msgspec.Struct, frozen=True):
    """The request was sent, but whether the provider rotated the refresh token is unknown."""


RefreshOutcome = Refreshed | RefreshTokenOnly | GrantDead | DefiniteFailure | UnknownOutcome


def refresh_request(
    provider: OAuthProvider, refresh_token: Secret, *, signing: SigningContext | None = None
) -> HttpRequest:
    """The request that spends a refresh token. It keeps the granted scopes.

    `signing` is required for `private_key_jwt`.
    """
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    if provider.refresh_url is not None:
        provider = replace(provider, token_url=provider.refresh_url)
    return token_request(provider, fields, signing=signing)


def judge_refresh(
    answer: HttpResponse | HttpFailed,
    provider: OAuthProvider,
    spent: TokenSet,
    *,
    connector: str,
    received_at: datetime,
) -> RefreshOutcome:
    """What the response to a refresh means for the grant.

    A new refresh token replaces the spent one. Without a new one, the spent one stays in use
    (RFC 6749 section 6), and so do the scopes.

    Definite failure: 429, 503, another 4xx or error, nothing sent. Unknown outcome: 500, 502,
    504, a 2xx that cannot be read, and any failure after the first byte was sent. A 2xx with a new
    refresh token beside an access token that cannot be used is `RefreshTokenOnly`.
    """
    if isinstance(answer, HttpFailed):
        return UnknownOutcome() if answer.sent else DefiniteFailure()
    judged = judge_token(answer, provider, connector=connector, received_at=received_at)
    if is_successful(judged):
        return Refreshed(merge_refreshed(judged.unwrap(), spent))
    error = error_of(answer, provider)
    asked = retry_after(answer, received_at=received_at)
    if answer.status in _BEFORE_THE_GRANT:
        return DefiniteFailure(asked)
    # Behind a gateway's 500, 502 or 504, the provider may have rotated the refresh token.
    if answer.status >= 500 or (answer.status < 300 and error is None):
        rotated = _rotated(answer, provider, spent, received_at)
        return UnknownOutcome() if rotated is None else RefreshTokenOnly(rotated)
    error = error or ErrorAnswer()
    if is_dead_grant(error, provider):
        return GrantDead()
    return DefiniteFailure(
        asked,
        is_client_credentials=_CLIENT_ERROR in error.codes,
        may_be_client=_UNCLEAR_CLIENT_ERROR in error.codes,
    )


def _rotated(
    answer: HttpResponse, provider: OAuthProvider, spent: TokenSet, received_at: datetime
) -> TokenSet | None:
    """The spent tokens with the new refresh token of a malformed answer; None without one.

    The access token stays: it is used for as long as it lives.
    """
    read = unusable_tokens(answer, provider)
    if read is None or read.refresh_token in (None, spent.refresh_token):
        return None
    life = provider.refresh_token_lifetime
    return replace(
        spent,
        refresh_token=read.refresh_token,
        refresh_expires_at=None if life is None else received_at + life,
    )


def back_off(failures: int, asked: timedelta | None, jitter: float) -> timedelta:
    """The delay after `failures` in a row: 5 s, doubled each time, at most 5 minutes.

    `jitter`, from 0 to 1, takes off up to half, so that connections do not retry together. The
    delay that the provider asked for is never shortened.
    """
    delay = min(_FIRST_DELAY * (1 << min(failures - 1, 10)), _MAX_DELAY)
    return max(delay * (1 - jitter / 2), asked or timedelta())
