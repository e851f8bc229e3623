"""`/webhooks`: a plain ASGI mount, so that bodies stay the raw bytes that were signed."""

from __future__ import annotations

from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from igniter_connectors.core.http import HttpRequest, HttpResponse
from igniter_connectors.core.problem import WebhookNotFound, WebhookTooLarge
from igniter_connectors.core.problem_details import problem_response
from igniter_connectors.core.url import parse_webhook_path
from igniter_connectors.manager.connectors import Connectors

NO_CONTENT: Final = 204


def webhook_mount(connectors: Connectors[Any, Any]) -> ASGIApp:
    """The application under `/webhooks`."""
    base = f"{connectors.base()}/webhooks"

    async def receive_webhook(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            await _send(await _answer(scope, receive), send)

    async def _answer(scope: HTTPScope, receive: Receive) -> HttpResponse:
        # Litestar gives the path below the mount, with one slash added at its end.
        path = scope["path"].strip("/")
        route = parse_webhook_path(path)
        limit = connectors.body_limit(route.connector) if route is not None else 0
        if route is None or limit == 0:
            return problem_response(WebhookNotFound())
        body = await _read(receive, limit)
        if body is None:
            return problem_response(WebhookTooLarge(limit))
        headers = tuple(
            [(str(name, "latin-1"), str(value, "latin-1")) for name, value in scope["headers"]]
        )
        request = HttpRequest(scope["method"], f"{base}/{path}", headers, body)
        return await connectors.handle_webhook(route, request)

    return receive_webhook


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The body, or None as soon as it passes the cap or the sender goes away."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        body = body + part if body else part
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return body


async def _send(answer: HttpResponse, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    if answer.status != NO_CONTENT:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
