"""The requests that one call of an API takes: the renewal after a 401, what is repeated, when.

A generator that says what to do and is told what came of it, so that a test drives it
without a server, and a flow with one.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace
from returns.result import Failure, Result, Success

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.api.request import PreparedRequest
from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.http.retry_after import retry_after
from igniter_connectors.core.problem import (
    ApiProblem,
    ApiRateLimited,
    ApiResponseTooLarge,
    ApiUnauthorized,
    ApiUnreachable,
    Problem,
    TokenProblem,
)

MAX_RETRIES: Final = 3
_FIRST_DELAY: Final = timedelta(milliseconds=500)

_TOO_MANY_REQUESTS: Final = 429
"""Said before a request is looked at (RFC 6585 section 4): any method may be repeated."""

_SERVER_ERRORS: Final = frozenset({500, 502, 503, 504})
"""Said before, during or after the work: only what may be done twice is repeated."""


class Send(msgspec.Struct, frozen=True):
    """Send this, within what is left. The reply's `answer` is the response or the failure."""

    request: HttpRequest


class Wait(msgspec.Struct, frozen=True):
    """Wait for this long, which is less than what is left."""

    delay: timedelta


class ObtainToken(msgspec.Struct, frozen=True):
    """Get the connection's token, renewed where it has expired. The reply's `token`."""


class RenewToken(msgspec.Struct, frozen=True):
    """Replace a token that the API answered 401 to.

    The reply's `token` is the new one, the problem, or None where it is not to be renewed.
    """

    refused: AccessToken


Step = Send | Wait | ObtainToken | RenewToken


class Reply(msgspec.Struct, frozen=True):
    """What came of a step.

    `at` is the present instant, `left` the time until the deadline, `jitter` from 0 to 1.
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
    """One call of an API.

    A 401 is answered by one renewal and one more try, whatever the method: nothing was
    done. 429, and a request of which nothing was sent, are repeated for any method; 500,
    502, 503, 504 and a lost answer only for what may be done twice. At most three
    repetitions, 0.5 s, 1 s and 2 s apart less up to half of it, or as long as
    `Retry-After` says; none that would begin at the deadline or after it.

    Args:
        ready: What to send; its body is bytes, so that it can be sent again.
        connector: Named in problems.
        token: The connection's, at hand already; None asks for it where there is a grant.
        has_grant: Whether the connection has an OAuth grant; without, no token is sent.
        limit_bytes: Named in `ApiResponseTooLarge`.

    Returns:
        The answer, whatever its status but 401 and 429, or
        - `ApiUnauthorized`: 401, and no newer token, or that one refused too.
        - `ApiRateLimited`: 429, and the repetitions are spent or would come too late.
        - `ApiUnreachable`: no answer in time. `ApiResponseTooLarge`: one over the limit.
        - `NeedsReauth`, `RefreshFailed`, `DecryptFailed`, `DatabaseFailed`: there is no
          token to send.
    """
    needs_token = has_grant and ready.needs_token
    if needs_token and token is None:
        obtained = (yield ObtainToken()).token
        if isinstance(obtained, Problem):
            return Failure(obtained)
        assert obtained is not None
        token = obtained
    is_renewed = False
    may_have_arrived = False
    failures = 0
    while True:
        request = ready.request if token is None or not needs_token else _bearing(ready, token)
        reply = yield Send(request)
        answer = reply.answer
        assert answer is not None  # the driver's part of the conversation
        if isinstance(answer, HttpResponse) and answer.status == 401:
            if token is None or not needs_token or is_renewed:
                return Failure(ApiUnauthorized(connector))
            is_renewed = True
            renewed = (yield RenewToken(token)).token
            if isinstance(renewed, Problem):
                return Failure(renewed)
            if renewed is None:
                return Failure(ApiUnauthorized(connector))
            token = renewed
            continue
        may_have_arrived |= _may_have_arrived(answer)
        asked = (
            retry_after(answer, received_at=reply.at) if isinstance(answer, HttpResponse) else None
        )
        delay = max(_back_off(failures, reply.jitter), asked or timedelta())
        is_over = failures == MAX_RETRIES or delay >= reply.left
        if is_over or not _is_worth_repeating(answer, ready):
            break
        failures += 1
        _ = yield Wait(delay)
    if isinstance(answer, HttpFailed):
        if answer.is_too_large:
            return Failure(ApiResponseTooLarge(connector, limit_bytes))
        return Failure(ApiUnreachable(connector, may_have_arrived))
    if answer.status == _TOO_MANY_REQUESTS:
        return Failure(ApiRateLimited(connector, reply.at + delay))
    return Success(answer)


def _bearing(ready: PreparedRequest, token: AccessToken) -> HttpRequest:
    request = ready.request
    return replace(request, headers=(*request.headers, token.authorization_header()))


def _may_have_arrived(answer: HttpResponse | HttpFailed) -> bool:
    return answer.sent if isinstance(answer, HttpFailed) else answer.status in _SERVER_ERRORS


def _is_worth_repeating(answer: HttpResponse | HttpFailed, ready: PreparedRequest) -> bool:
    if isinstance(answer, HttpFailed):
        return not answer.is_too_large and (ready.is_idempotent or not answer.sent)
    if answer.status == _TOO_MANY_REQUESTS:
        return True
    return ready.is_idempotent and answer.status in _SERVER_ERRORS


def _back_off(failures: int, jitter: float) -> timedelta:
    return _FIRST_DELAY * (1 << failures) * (1 - jitter / 2)
