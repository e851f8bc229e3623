"""`/webhooks`: an ASGI application of its own, so that a body stays the bytes that were signed."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec.structs import replace
from returns.result import Failure

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.http.problem_details import problem_response
from igniter_connectors.core.http.routes import parse_webhook_path
from igniter_connectors.core.problem import RequestTooSlow, WebhookNotFound
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.http_routes import ACCEPTED, METHOD_REFUSED
from igniter_connectors.flows.webhooks.receive import WEBHOOK_METHODS
from igniter_connectors.manager.connectors import Connectors

NO_CONTENT: Final = 204
_HTTP: Final = ScopeType.HTTP  # read once: access to a member of an enum costs 0.1 µs


class _RequestRules(msgspec.Struct, frozen=True):
    """What a webhook reads of a request: only the headers that are signed or hold the signature,
    and the length. To decode all headers costs 1.2 µs, and to search them for
    three another 1.0 µs."""

    headers: dict[bytes, str]

    @staticmethod
    def of(webhook: Webhook[Any, Any, Any]) -> _RequestRules:
        names = webhook.names_read
        return _RequestRules(
            {name.encode(): name for name in (*names, "content-length")},
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
        method, query = scope["method"], scope["query_string"]
        if method not in WEBHOOK_METHODS:
            await _send(METHOD_REFUSED, send)
            return
        names = rules.headers
        headers: list[tuple[str, str]] = []
        for name, value in scope["headers"]:
            known = names.get(name)  # ASGI servers send names in lower case
            if known is not None:
                headers.append((known, value.decode("latin-1")))
        url = f"{base}/{path}?{query.decode('latin-1')}" if query else f"{base}/{path}"
        request = HttpRequest(method, url, tuple(headers))

        async def next_part() -> tuple[bytes, bool] | None:
            message = await receive()
            if message["type"] != "http.request":
                return None
            return message.get("body", b""), message.get("more_body", False)

        taken = await connectors.receive_webhook(route, request, next_part)
        if type(taken) is Failure:  # faster than is_successful
            problem = taken.failure()
            refused = problem_response(problem)
            if type(problem) is RequestTooSlow and scope["http_version"].startswith("1"):
                # Or the server goes on to wait for the body (RFC 9112 section 9.6). Elsewhere the
                # client may still be sending, and a closed connection would hide the answer.
                refused = replace(refused, headers=(*refused.headers, ("Connection", "close")))
            await _send(refused, send)
            return
        answer = taken.unwrap()
        if answer is None:
            await _send_taken(send)
        else:
            await _send(answer, send)

    return receive_webhook


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
