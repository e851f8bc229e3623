"""What a call's client is made of, with nothing behind it."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import msgspec
from returns.result import Result, Success

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.api.api_base import ApiBase
from igniter_connectors.core.api.client import ApiAnswer, ApiSender, CalledConnector
from igniter_connectors.core.api.request import ApiRequest
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse


class Named(msgspec.Struct):
    """A connector, as much as a call needs of it."""

    key: str
    api: ApiBase | None = None


class Senders:
    """Keeps what a sender was made for, and what it was asked."""

    def __init__(self) -> None:
        self.made: list[tuple[str, msgspec.Struct, object, object]] = []
        self.asked: list[ApiRequest] = []
        self.plain: list[tuple[HttpRequest, timedelta, int]] = []

    def sender_for(
        self,
        connector: CalledConnector,
        config: msgspec.Struct,
        record: ConnectionRecord | None,
        token: AccessToken | None,
    ) -> ApiSender:
        self.made.append((connector.key, config, record, token))
        return self

    def perform(self, asked: ApiRequest) -> ApiAnswer:
        self.asked.append(asked)
        return answered()

    def send_anywhere(
        self, request: HttpRequest, *, deadline: timedelta, limit_bytes: int
    ) -> Coroutine[object, None, Result[HttpResponse, Any]]:
        self.plain.append((request, deadline, limit_bytes))
        return answered()


async def answered() -> Result[HttpResponse, Any]:
    """An answer at once."""
    return Success(HttpResponse(204))
