"""`call.http`: what a handler calls its connector's API with."""

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
    ApiProblem,
    ApiRequestRefused,
    ApiResponseTooLarge,
    ApiUnreachable,
)

ApiAnswer = Coroutine[object, None, Result[HttpResponse, ApiProblem]]


class ApiSender(Protocol):
    """Carries out what a client asks for."""

    def perform(self, asked: ApiRequest) -> ApiAnswer:
        """The whole conversation with the connector's API."""
        ...

    def send_anywhere(
        self, request: HttpRequest, *, deadline: timedelta, limit_bytes: int
    ) -> Coroutine[
        object, None, Result[HttpResponse, ApiRequestRefused | ApiUnreachable | ApiResponseTooLarge]
    ]:
        """One request as it is, refused where it holds the connection's token."""
        ...


class HasKey(Protocol):
    """What has a key: a connector, an action."""

    @property
    def key(self) -> str:
        """Its key."""
        ...


class CalledConnector(HasKey, Protocol):
    """The connector that was called."""

    @property
    def api(self) -> ApiBase | None:
        """Where its API is; None where it was not said."""
        ...


class ApiSenders(Protocol):
    """Makes the sender of a call when the handler first asks for it: most never do."""

    def sender_for(
        self,
        connector: CalledConnector,
        config: msgspec.Struct,
        record: ConnectionRecord | None,
        token: AccessToken | None,
    ) -> ApiSender:
        """A sender for one connection; without a record, for the connector's default config."""
        ...


@final
class ApiClient:
    """A client bound to a connection: it knows the API's base URL and sends the token.

    Each method takes a path below the base (`with_api`), or a whole URL of the base's own
    origin, and returns the answer whatever its status, but 401 and 429:

    - `ApiRequestRefused`: not sent. The address leaves the API's origin, a header frames
      the message or holds a line end, a body cannot be encoded, or the connector has no
      `with_api`.
    - `ApiUnauthorized`: 401, also after one renewal of the token and one more try.
    - `ApiRateLimited`: 429, and to wait would pass the deadline; `retry_at`.
    - `ApiUnreachable`: no answer in time; `sent` says whether it may have arrived.
    - `ApiResponseTooLarge`: over `limit_bytes`, 1 MiB unless said.
    - `NeedsReauth`, `RefreshFailed`, `DecryptFailed`, `DatabaseFailed`: no token.

    GET, HEAD, OPTIONS, PUT and DELETE are repeated after 429, 500, 502, 503, 504 and a
    lost answer; POST and PATCH after 429 alone, unless they have an `idempotency_key`.
    `deadline`, 30 s unless said, is for all of it. Redirects are answers and are not
    followed. Nothing of a request but method and origin is logged.
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
        """Reads: `await call.http.get("/users", query={"page": 2})`."""
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
        """Adds: `await call.http.post("/users", json=NewUser("Ada"), idempotency_key=key)`.

        The key goes into the connector's idempotency header, and lets a POST be repeated.
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
        """Replaces."""
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
        """Changes. As `post`, repeated after a 5xx only with a key."""
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
        """Takes away. After a repetition, 404 may mean that the first try did it."""
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
        """Any of GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE, in capitals."""
        asked = ApiRequest(
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
        return self._sender.perform(asked)

    def send_anywhere_without_token(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = SINGLE_DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> Coroutine[
        object, None, Result[HttpResponse, ApiRequestRefused | ApiUnreachable | ApiResponseTooLarge]
    ]:
        """Sends one request as it is, to wherever its URL says: no base, no repetition.

        Whoever can choose the URL chooses whom this application talks to from inside its
        network. The connection's token never goes this way: a request that holds it is
        `ApiRequestRefused`.
        """
        return self._sender.send_anywhere(request, deadline=deadline, limit_bytes=limit_bytes)
