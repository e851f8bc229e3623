"""`call.http`: the HTTP client that a handler uses to call its connector's API."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Protocol, final

import msgspec
from returns.result import Result

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.api.api_base import ApiBase
from igniter_connectors.core.api.request import DEADLINE, ApiRequest, Query
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.http.messages import (
    DEADLINE as SINGLE_DEADLINE,
)
from igniter_connectors.core.http.messages import (
    RESPONSE_LIMIT_BYTES,
    HttpRequest,
    HttpResponse,
)
from igniter_connectors.core.problem import (
    AnywhereProblem,
    ApiProblem,
)

ApiAnswer = Coroutine[object, None, Result[HttpResponse, ApiProblem]]


class ApiSender(Protocol):
    """Sends the requests of an `ApiClient`."""

    def perform(self, request: ApiRequest) -> ApiAnswer:
        """Sends a request to the connector's API, with token refresh and retries."""
        ...

    def send_anywhere(
        self, request: HttpRequest, *, deadline: timedelta, limit_bytes: int
    ) -> Coroutine[object, None, Result[HttpResponse, AnywhereProblem]]:
        """Sends one request unchanged. Refuses it if it contains the connection's token."""
        ...


class HasKey(Protocol):
    """Something with a key: a connector or an action."""

    @property
    def key(self) -> str:
        """The key."""
        ...


class CalledConnector(HasKey, Protocol):
    """The connector whose API is called."""

    @property
    def api(self) -> ApiBase | None:
        """The base of its API; None if the connector declares none."""
        ...


class ApiSenders(Protocol):
    """Creates the sender of a call when the handler first uses it; most calls never do."""

    def sender_for(
        self,
        connector: CalledConnector,
        config: msgspec.Struct,
        record: ConnectionRecord | None,
        token: AccessToken | None,
    ) -> ApiSender:
        """A sender for one connection. Without a record, for the connector's default config."""
        ...


@final
class ApiClient:
    """An HTTP client for one connection. It knows the API's base URL and sends the token.

    Each method takes a path below the base (`with_api`), or an absolute URL with the base's
    origin. It returns the response with any status except 401 and 429, or

    - `ApiRequestRefused`: the request was not sent. The URL leaves the API's origin, a header
      frames the message or contains a line break, a body cannot be encoded, or the connector
      has no `with_api`.
    - `ApiUnauthorized`: 401, and again after one token refresh.
    - `ApiRateLimited`: 429, and waiting would pass the deadline. See `retry_at`.
    - `ApiUnreachable`: no response in time. `sent` says whether the request may have arrived.
    - `ApiCallsAtLimit`: a limit of `HttpLimits` was reached until the deadline. Not sent.
    - `ApiResponseTooLarge`: the body is larger than `limit_bytes`, by default 1 MiB.
    - `NeedsReauth`, `RefreshFailed`, `DecryptFailed`, `DatabaseFailed`: there is no token.

    GET, HEAD, OPTIONS, PUT and DELETE are retried after 429, 500, 502, 503, 504 and a lost
    response. POST and PATCH are retried only after 429, unless they have an
    `idempotency_key`. `deadline`, by default 30 s, limits the whole call. Redirects are
    returned and not followed. Logs show only a request's method and origin.
    """

    __slots__ = ("_sender",)

    def __init__(self, sender: ApiSender) -> None:
        self._sender = sender

    def get(
        self,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> ApiAnswer:
        """Sends GET: `await call.http.get("/users", query={"page": 2})`."""
        return self.request(
            "GET", path, query=query, headers=headers, deadline=deadline, limit_bytes=limit_bytes
        )

    def post(
        self,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = msgspec.UNSET,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        idempotency_key: str | None = None,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> ApiAnswer:
        """Sends POST: `await call.http.post("/users", json=NewUser("Ada"), idempotency_key=key)`.

        The key is sent in the connector's idempotency header, and allows retries.
        """
        return self.request(
            "POST",
            path,
            query=query,
            headers=headers,
            json=json,
            form=form,
            body=body,
            idempotency_key=idempotency_key,
            deadline=deadline,
            limit_bytes=limit_bytes,
        )

    def put(
        self,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = msgspec.UNSET,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> ApiAnswer:
        """Sends PUT."""
        return self.request(
            "PUT",
            path,
            query=query,
            headers=headers,
            json=json,
            form=form,
            body=body,
            deadline=deadline,
            limit_bytes=limit_bytes,
        )

    def patch(
        self,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = msgspec.UNSET,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        idempotency_key: str | None = None,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> ApiAnswer:
        """Sends PATCH. As with `post`, a 5xx is retried only with an idempotency key."""
        return self.request(
            "PATCH",
            path,
            query=query,
            headers=headers,
            json=json,
            form=form,
            body=body,
            idempotency_key=idempotency_key,
            deadline=deadline,
            limit_bytes=limit_bytes,
        )

    def delete(
        self,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> ApiAnswer:
        """Sends DELETE. After a retry, 404 can mean that the first attempt succeeded."""
        return self.request(
            "DELETE",
            path,
            query=query,
            headers=headers,
            deadline=deadline,
            limit_bytes=limit_bytes,
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = msgspec.UNSET,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        idempotency_key: str | None = None,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> ApiAnswer:
        """Sends a request with one of GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE."""
        api_request = ApiRequest(
            method=method,
            path=path,
            query=query,
            headers=headers,
            json=json,
            form=form,
            body=body,
            idempotency_key=idempotency_key,
            deadline=deadline,
            limit_bytes=limit_bytes,
        )
        return self._sender.perform(api_request)

    def send_anywhere_without_token(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = SINGLE_DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> Coroutine[object, None, Result[HttpResponse, AnywhereProblem]]:
        """Sends one request unchanged to any URL, without the API base and without retries.

        Do not let a user choose the URL: the request is sent from inside your network. The
        connection's token is never sent this way: a request that contains it is
        `ApiRequestRefused`.
        """
        return self._sender.send_anywhere(request, deadline=deadline, limit_bytes=limit_bytes)
