"""The requests that one API call makes: the token refresh after a 401, and the retries.

A generator yields what to do next and is sent the result. A test drives it without a server;
a flow drives it with one.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace
from returns.result import Failure, Result, Success

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.api.rate_limit import is_rate_limited
from igniter_connectors.core.api.request import PreparedRequest
from igniter_connectors.core.api.retry_policy import (
    MAX_RETRIES,
    is_retryable,
    may_have_arrived,
    retry_delay,
)
from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.problem import (
    ApiCallsAtLimit,
    ApiProblem,
    ApiRateLimited,
    ApiResponseTooLarge,
    ApiUnauthorized,
    ApiUnreachable,
    Problem,
    TokenProblem,
)


class Send(msgspec.Struct, frozen=True):
    """Send this request before the deadline. The reply has the `answer`: response or failure."""

    request: HttpRequest


class Wait(msgspec.Struct, frozen=True):
    """Wait this long. It is always shorter than the time that is left."""

    delay: timedelta


class ObtainToken(msgspec.Struct, frozen=True):
    """Get the connection's access token, refreshed if it has expired. The reply has `token`."""


class RenewToken(msgspec.Struct, frozen=True):
    """Refresh an access token for which the API answered 401.

    The reply's `token` is the new token, a problem, or None if it must not be refreshed.
    """

    refused: AccessToken


Step = Send | Wait | ObtainToken | RenewToken


class Reply(msgspec.Struct, frozen=True):
    """The result of a step.

    `at` is the current aware instant, `left` the time until the deadline, and `jitter` a random
    number from 0 to 1.
    """

    at: datetime
    left: timedelta
    jitter: float
    answer: HttpResponse | HttpFailed | None = None
    token: AccessToken | TokenProblem | None = None


Conversation = Generator[Step, Reply, Result[HttpResponse, ApiProblem]]


def api_conversation(
    ready: PreparedRequest,
    *,
    connector: str,
    token: AccessToken | None,
    has_grant: bool,
    limit_bytes: int,
) -> Conversation:
    """One API call.

    After a 401, the token is refreshed once and the request is sent again, whatever its
    method: the API did nothing. `retry_policy` says what else is retried: at most three
    times, and never if the retry would begin at the deadline or later.

    Args:
        ready: The request. Its body is bytes, so it can be sent again.
        connector: The connector's key, for problems.
        token: The connection's token, if the caller already has it. None obtains it if the
            connection has a grant.
        has_grant: Whether the connection has an OAuth grant. Without one, no token is sent.
        limit_bytes: The limit that `ApiResponseTooLarge` reports.

    Returns:
        The response, with any status except 401 and 429, or
        - `ApiUnauthorized`: 401, and there is no newer token, or that was refused too.
        - `ApiRateLimited`: 429, and no retry is left or the delay passes the deadline.
        - `ApiCallsAtLimit`: it was never sent, because a limit of `HttpLimits` was reached.
        - `ApiUnreachable`: no response in time.
        - `ApiResponseTooLarge`: the response is larger than the limit.
        - `NeedsReauth`, `RefreshFailed`, `DecryptFailed`, `DatabaseFailed`: there is no
          token to send.
    """
    if not (has_grant and ready.needs_token):
        token = None
    elif token is None:
        obtained = yield from _obtain()
        if isinstance(obtained, Problem):
            return Failure(obtained)
        token = obtained
    is_refreshed = False
    arrived = False
    retries = 0
    while True:
        reply = yield Send(_authorized(ready.request, token))
        answer = reply.answer
        assert answer is not None  # the driver sends it after each `Send`
        if isinstance(answer, HttpResponse) and answer.status == 401:
            if token is None or is_refreshed:
                return Failure(ApiUnauthorized(connector))
            is_refreshed = True
            refreshed = yield from _refresh(token, connector)
            if isinstance(refreshed, Problem):
                return Failure(refreshed)
            token = refreshed
            continue
        arrived |= may_have_arrived(answer)
        delay = retry_delay(answer, retries=retries, jitter=reply.jitter, received_at=reply.at)
        is_over = retries == MAX_RETRIES or delay >= reply.left
        if is_over or not is_retryable(answer, is_idempotent=ready.is_idempotent):
            return _final(answer, connector, arrived, reply.at + delay, limit_bytes)
        retries += 1
        _ = yield Wait(delay)


def _obtain() -> Generator[Step, Reply, AccessToken | TokenProblem]:
    """The connection's access token, or why there is none."""
    token = (yield ObtainToken()).token
    assert token is not None  # the driver sends it after each `ObtainToken`
    return token


def _refresh(
    token: AccessToken, connector: str
) -> Generator[Step, Reply, AccessToken | TokenProblem | ApiUnauthorized]:
    """A newer token than the refused one, or why there is none."""
    refreshed = (yield RenewToken(token)).token
    return ApiUnauthorized(connector) if refreshed is None else refreshed


def _authorized(request: HttpRequest, token: AccessToken | None) -> HttpRequest:
    """The request with the token's `Authorization` header, or as it is without a token."""
    if token is None:
        return request
    return replace(request, headers=(*request.headers, token.authorization_header()))


def _final(
    answer: HttpResponse | HttpFailed,
    connector: str,
    arrived: bool,
    retry_at: datetime,
    limit_bytes: int,
) -> Result[HttpResponse, ApiProblem]:
    """What the call returns after its last answer."""
    if isinstance(answer, HttpFailed):
        if answer.is_too_large:
            return Failure(ApiResponseTooLarge(connector, limit_bytes))
        if answer.at_limit is not None and not arrived:
            full = answer.at_limit
            return Failure(ApiCallsAtLimit(connector, full.sharer, full.at_once))
        return Failure(ApiUnreachable(connector, arrived))
    if is_rate_limited(answer):
        return Failure(ApiRateLimited(connector, retry_at))
    return Success(answer)
