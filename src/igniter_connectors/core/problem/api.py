"""Calling a provider's API from a handler."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, final

from igniter_connectors.core.problem.base import Problem


@final
class ApiRequestRefused(Problem, frozen=True, tag="CONNECTOR_API_REQUEST_REFUSED"):
    """The request was not sent: its address leaves the connector's API, or it is no good request.

    `reason` names the rule, never the address, a header's value or the body.
    """

    connector: str
    reason: str
    says: ClassVar[str] = "{connector}: the request was not sent: {reason}"


@final
class ApiUnreachable(Problem, frozen=True, tag="CONNECTOR_API_UNREACHABLE"):
    """No answer that could be read came before the deadline.

    `sent`: whether a request may have reached the API, so that what it did is unknown.
    """

    connector: str
    sent: bool
    says: ClassVar[str] = "{connector}: the API gave no answer in time"


@final
class ApiRateLimited(Problem, frozen=True, tag="CONNECTOR_API_RATE_LIMITED"):
    """The API answered 429, and to wait as it asks would pass the deadline. Nothing was done.

    `retry_at`: when another try makes sense: what the API asked for, or a back-off.
    """

    connector: str
    retry_at: datetime
    says: ClassVar[str] = "{connector}: the API takes no more calls until {retry_at}"


@final
class ApiUnauthorized(Problem, frozen=True, tag="CONNECTOR_API_UNAUTHORIZED"):
    """The API answered 401, and a renewal of the token did not help or could not be had.

    Where the connection has no token, what the handler sent itself was refused.
    """

    connector: str
    says: ClassVar[str] = "{connector}: the API does not accept the credentials"


@final
class ApiResponseTooLarge(Problem, frozen=True, tag="CONNECTOR_API_RESPONSE_TOO_LARGE"):
    """The answer is longer than the call allowed. What was asked for may have been done."""

    connector: str
    limit_bytes: int
    says: ClassVar[str] = "{connector}: the API's answer has more than {limit_bytes} bytes"


@final
class ResponseUnexpected(Problem, frozen=True, tag="CONNECTOR_RESPONSE_UNEXPECTED"):
    """An answer of another status, or one whose JSON does not fit its type.

    `path` and `reason` name where and which rule, never the value; `$` means the whole.
    """

    http_status: int
    path: str
    reason: str
    says: ClassVar[str] = "an answer with status {http_status}, at {path}: {reason}"
