"""When an access token is renewed, the request that does it, and what its answer means.

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
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import raw_error_code
from igniter_connectors.core.oauth.token_response import TokenSet, judge_token, merge_refreshed
from igniter_connectors.core.secret import Secret

_FIRST_DELAY: Final = timedelta(seconds=5)
_LONGEST_DELAY: Final = timedelta(minutes=5)

_BEFORE_THE_GRANT: Final = (429, 503)
"""Said by whoever stands before the grant is looked at: overload and maintenance."""

_CLIENT_ERRORS: Final = ("invalid_client", "unauthorized_client")


class Refreshed(msgspec.Struct, frozen=True):
    """The provider granted new tokens."""

    tokens: TokenSet


class GrantDead(msgspec.Struct, frozen=True):
    """The provider says that the grant is gone. Nothing but authorizing again helps."""


class DefiniteFailure(msgspec.Struct, frozen=True):
    """No new tokens, and the refresh token was not spent: refused, or nothing was sent.

    `retry_after`: what the provider asked for, at most an hour; None where it did not.
    `is_client_credentials`: the application's own client was refused, which no tenant can mend.
    """

    retry_after: timedelta | None = None
    is_client_credentials: bool = False


class UnknownOutcome(msgspec.Struct, frozen=True):
    """The request was sent, and whether the provider rotated cannot be known."""


RefreshOutcome = Refreshed | GrantDead | DefiniteFailure | UnknownOutcome


def refresh_request(
    provider: OAuthProvider, refresh_token: Secret, *, signing: SigningContext | None = None
) -> HttpRequest:
    """The request that spends a refresh token. The scope asked for stays as granted.

    `signing` is for a client that signs.
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
    """What the answer to a refresh means for the grant.

    A new refresh token replaces the spent one; where none came, the spent one stays in
    use (RFC 6749 section 6), and so do the scopes.

    Definite: 429, 503, another 4xx or error, nothing sent. Unknown: 500, 502, 504, a 2xx
    that cannot be read, and anything that went wrong after the first byte was written.
    """
    if isinstance(answer, HttpFailed):
        return UnknownOutcome() if answer.sent else DefiniteFailure()
    judged = judge_token(answer, provider, connector=connector, received_at=received_at)
    if is_successful(judged):
        return Refreshed(merge_refreshed(judged.unwrap(), spent))
    error = raw_error_code(answer)
    asked = retry_after(answer, received_at=received_at)
    if answer.status in _BEFORE_THE_GRANT:
        return DefiniteFailure(asked)
    # A gateway's 500, 502 or 504 may stand in front of a provider that did rotate.
    if answer.status >= 500 or (answer.status < 300 and error is None):
        return UnknownOutcome()
    if error in provider.dead_grant_errors:
        return GrantDead()
    return DefiniteFailure(asked, is_client_credentials=error in _CLIENT_ERRORS)


def back_off(failures: int, asked: timedelta | None, jitter: float) -> timedelta:
    """How long to wait after `failures` in a row: 5 s doubled each time, at most 5 minutes.

    `jitter`, from 0 to 1, takes off up to half, so that many connections do not come back
    at once; what the provider asked for is waited in full.
    """
    delay = min(_FIRST_DELAY * (1 << min(failures - 1, 10)), _LONGEST_DELAY)
    return max(delay * (1 - jitter / 2), asked or timedelta())
