"""`/webhooks`: an ASGI application of its own, so that a body stays the bytes that were signed."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from returns.result import Failure

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.http.problem_details import problem_response
from igniter_connectors.core.http.routes import parse_webhook_path
from igniter_connectors.core.problem import WebhookNotFound, WebhookTooLarge
from igniter_connectors.core.webhook.schemes import headers_read
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.http_routes import ACCEPTED, METHOD_REFUSED
from igniter_connectors.flows.webhooks.receive import OVERLOADED, WEBHOOK_METHODS
from igniter_connectors.manager.connectors import Connectors

NO_CONTENT: Final = 204
_HTTP: Final = ScopeType.HTTP  # read once: access to a member of an enum costs 0.1 µs


class _RequestRules(msgspec.Struct, frozen=True):
    """What a webhook reads of a request: at most so many bytes, and only the headers that are
    signed or hold the signature. To decode all headers costs 1.2 µs, and to search them for
    three another 1.0 µs."""

    body_limit_bytes: int
    headers: dict[bytes, str]

    @staticmethod
    def of(webhook: Webhook[Any, Any, Any]) -> _RequestRules:
        names = headers_read(webhook.verification)
        return _RequestRules(
            webhook.body_limit_bytes,
            {name.encode(): name for name in names},
        )


def webhook_mount(connectors: Connectors[Any, Any]) -> ASGIApp:
    """The ASGI application for `/webhooks`, which answers each request itself."""
    base = f"{connectors.base()}/webhooks"
    rules_by_key = {
        key: _RequestRules.of(webhook) for key, webhook in connectors.webhooks().items()
    }

    async def receive_webhook(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != _HTTP:
            return
        # Litestar passes the path below the mount, and adds a slash at its end.
        path = scope["path"].strip("/")
        route = parse_webhook_path(path)
        rules = rules_by_key.get(route.connector) if route is not None else None
        if route is None or rules is None:
            await _send(problem_response(WebhookNotFound()), send)
            return
        if connectors.is_receiving_at_limit():  # checked before the body is read
            await _send(problem_response(OVERLOADED), send)
            return
        limit = rules.body_limit_bytes
        message = await receive()
        body = message.get("body", b"") if message["type"] == "http.request" else None
        if body is not None and message.get("more_body", False):
            body = await _rest(receive, body, limit)
        if body is None or len(body) > limit:
            await _send(problem_response(WebhookTooLarge(limit)), send)
            return
        names = rules.headers
        headers: list[tuple[str, str]] = []
        for name, value in scope["headers"]:
            known = names.get(name)  # ASGI servers send names in lower case
            if known is not None:
                headers.append((known, value.decode("latin-1")))
        method, query = scope["method"], scope["query_string"]
        if method not in WEBHOOK_METHODS:
            await _send(METHOD_REFUSED, send)
            return
        url = f"{base}/{path}?{query.decode('latin-1')}" if query else f"{base}/{path}"
        request = HttpRequest(method, url, tuple(headers), body)
        taken = await connectors.receive_webhook(route, request)
        if type(taken) is Failure:  # faster than is_successful
            await _send(problem_response(taken.failure()), send)
            return
        answer = taken.unwrap()
        if answer is None:
            await _send_taken(send)
        else:
            await _send(answer, send)

    return receive_webhook


async def _rest(receive: Receive, body: bytes, limit: int) -> bytes | None:
    """The whole of a body that arrives in several parts, which is rare. None as soon as it is
    larger than the limit, or if the client disconnects."""
    while len(body) <= limit:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body
    return None


async def _send(answer: HttpResponse, send: Send) -> None:
    headers = _headers(answer)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


async def _send_taken(send: Send) -> None:
    # The same as `_send(ACCEPTED)`, but encoded once. Each answer gets its own list, because
    # hooks and middleware of Litestar add headers to it.
    headers = [*_TAKEN_HEADERS]
    await send({"type": "http.response.start", "status": NO_CONTENT, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _headers(answer: HttpResponse) -> list[tuple[bytes, bytes]]:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    if answer.status != NO_CONTENT:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    return headers


_TAKEN_HEADERS: Final = tuple(_headers(ACCEPTED))
