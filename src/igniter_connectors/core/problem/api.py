"""Problems of calling a provider's API from a handler."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, final

from igniter_connectors.core.problem.problem import Problem


@final
class ApiRequestRefused(Problem, frozen=True, tag="CONNECTOR_API_REQUEST_REFUSED"):
    """The request was not sent: its URL is outside the connector's API, or it is invalid.

    `reason` names the broken rule, never the URL, a header's value or the body.
    """

    connector: str
    reason: str
    template: ClassVar[str] = "{connector}: the request was not sent: {reason}"


@final
class ApiUnreachable(Problem, frozen=True, tag="CONNECTOR_API_UNREACHABLE"):
    """The API did not return a readable response before the deadline.

    `sent`: whether a request may have reached the API. If so, its effect is unknown.
    """

    connector: str
    sent: bool
    template: ClassVar[str] = "{connector}: the API did not respond in time"


@final
class ApiCallsAtLimit(Problem, frozen=True, tag="CONNECTOR_API_CALLS_AT_LIMIT"):
    """The request was not sent: it waited for its turn until the deadline.

    `sharer` says whose requests fill the limit, and `at_once` how many they are: those of the
    same `tenant`, those to the same `origin`, or those of the whole `process`. Retry later, make
    fewer calls at once, give slow calls a shorter deadline, or raise the limit with
    `with_http_limits`.
    """

    connector: str
    sharer: str
    at_once: int
    template: ClassVar[str] = (
        "{connector}: the request was not sent: until its deadline, all {at_once} requests of its"
        " {sharer} were under way. Make fewer calls at once, give slow calls a shorter deadline,"
        " or raise HttpLimits"
    )


@final
class ApiRateLimited(Problem, frozen=True, tag="CONNECTOR_API_RATE_LIMITED"):
    """The API responded with 429, and its pause would end after the deadline. Nothing was done.

    `retry_at`: when a retry makes sense: the time that the API gave, or a back-off.
    """

    connector: str
    retry_at: datetime
    template: ClassVar[str] = "{connector}: the API's rate limit is reached: retry at {retry_at}"


@final
class ApiUnauthorized(Problem, frozen=True, tag="CONNECTOR_API_UNAUTHORIZED"):
    """The API responded with 401, and refreshing the token failed or did not help.

    If the connection has no token, the API refused the credentials that the handler sent.
    """

    connector: str
    template: ClassVar[str] = "{connector}: the API does not accept the credentials"


@final
class ApiResponseTooLarge(Problem, frozen=True, tag="CONNECTOR_API_RESPONSE_TOO_LARGE"):
    """The response is larger than the call allows. The API may have done the requested work."""

    connector: str
    limit_bytes: int
    template: ClassVar[str] = "{connector}: the API's response is larger than {limit_bytes} bytes"


@final
class ResponseUnexpected(Problem, frozen=True, tag="CONNECTOR_RESPONSE_UNEXPECTED"):
    """The response has an unexpected status, or its JSON does not match the type.

    `path` and `reason` name the place and the broken rule, never the value. `$` is the whole
    response.
    """

    http_status: int
    path: str
    reason: str
    template: ClassVar[str] = "unexpected response with status {http_status}, at {path}: {reason}"
