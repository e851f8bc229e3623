"""Carries out the API calls of a handler: one driver for each conversation."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import final

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.api.api_base import resolve_api_base
from igniter_connectors.core.api.client import ApiSender, CalledConnector
from igniter_connectors.core.api.conversation import (
    ObtainToken,
    RenewToken,
    Reply,
    Send,
    Step,
    Wait,
    api_conversation,
)
from igniter_connectors.core.api.request import ApiRequest, PreparedRequest, build_request
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.oauth.provider import headers_of
from igniter_connectors.core.oauth.refresh_decision import EXPIRY_MARGIN
from igniter_connectors.core.problem import (
    AnywhereProblem,
    ApiCallsAtLimit,
    ApiProblem,
    ApiRequestRefused,
    ApiResponseTooLarge,
    ApiUnreachable,
    RefreshFailed,
    TokenProblem,
)
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.oauth.token_source import access_token, token_after_401
from igniter_connectors.flows.tenant_http import api_http


@final
class HandlerHttp(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Makes the senders for handlers' calls.

    A struct without garbage collection: one is made for each call of an action, in 0.05 µs.
    """

    _engine: Engine

    def sender_for(
        self,
        connector: CalledConnector,
        config: msgspec.Struct,
        record: ConnectionRecord | None,
        token: AccessToken | None,
    ) -> ApiSender:
        """A sender for one connection, or for the default config if `record` is None."""
        return ConnectionSender(self._engine, connector, config, record, token)


@final
class ConnectionSender:
    """Sends as one connection. Lives as long as the handler's call, and keeps the current token."""

    def __init__(
        self,
        engine: Engine,
        connector: CalledConnector,
        config: msgspec.Struct,
        record: ConnectionRecord | None,
        token: AccessToken | None,
    ) -> None:
        self._engine = engine
        self._connector = connector
        self._config = config
        self._record = record
        self._token = token
        self._first_token = token
        # Calls of the default config are the application's own: they share as one more tenant.
        tenant = ("", connector.key) if record is None else record.key.tenant
        self._http = api_http(engine, tenant)

    async def perform(self, request: ApiRequest) -> Result[HttpResponse, ApiProblem]:
        """The whole conversation with the API, with its retries, within the deadline."""
        started = self._engine.clock.monotonic()
        built = self._build(request)
        if not is_successful(built):
            return Failure(ApiRequestRefused(self._connector.key, built.failure()))
        conversation = api_conversation(
            built.unwrap(),
            connector=self._connector.key,
            token=self._fresh_token(),
            has_grant=isinstance(self._connector, OAuthConnector) and self._record is not None,
            limit_bytes=request.limit_bytes,
        )
        try:
            step = next(conversation)
            while True:
                step = conversation.send(await self._take(step, request, started))
        except StopIteration as ended:
            answer: Result[HttpResponse, ApiProblem] = ended.value
            return answer

    async def send_anywhere(
        self, request: HttpRequest, *, deadline: timedelta, limit_bytes: int
    ) -> Result[HttpResponse, AnywhereProblem]:
        """Sends one request to any host; refuses it if it holds the connection's token."""
        key = self._connector.key
        # The token that the handler received may still be valid beside the token that replaced it.
        tokens = (self._token, self._first_token)
        if any(token is not None and _holds(request, token) for token in tokens):
            return Failure(
                ApiRequestRefused(key, "it holds the connection's token: with_api says who gets it")
            )
        answer = await self._http.send(request, deadline=deadline, limit_bytes=limit_bytes)
        if is_successful(answer):
            return Success(answer.unwrap())
        failed = answer.failure()
        if failed.is_too_large:
            return Failure(ApiResponseTooLarge(key, limit_bytes))
        if failed.at_limit is not None:
            full = failed.at_limit
            return Failure(ApiCallsAtLimit(key, full.sharer, full.at_once))
        return Failure(ApiUnreachable(key, failed.sent))

    def _build(self, request: ApiRequest) -> Result[PreparedRequest, str]:
        api = self._connector.api
        if api is None:
            return Failure("the connector does not say where its API is: with_api(…)")
        base = resolve_api_base(api, self._config)
        if not is_successful(base):
            return Failure(base.failure())
        connector = self._connector
        return build_request(
            request,
            base.unwrap(),
            idempotency_header=api.idempotency_header,
            provider_headers=headers_of(connector.provider)
            if isinstance(connector, OAuthConnector)
            else (),
        )

    async def _take(self, step: Step, asked: ApiRequest, started: float) -> Reply:
        """Takes the next step of the conversation, and returns its outcome."""
        answer: HttpResponse | HttpFailed | None = None
        token: AccessToken | TokenProblem | None = None
        match step:
            case Send(request=request):
                answer = await self._send(request, asked, self._left(asked, started))
            case Wait(delay=delay):
                await self._engine.clock.sleep(delay.total_seconds())
            case ObtainToken() | RenewToken():
                token = await self._token_for(step, self._left(asked, started))
        return Reply(
            self._engine.clock.now(),
            self._left(asked, started),
            self._engine.entropy.fraction(),
            answer,
            token,
        )

    async def _send(
        self, request: HttpRequest, asked: ApiRequest, left: timedelta
    ) -> HttpResponse | HttpFailed:
        if left <= timedelta():
            return HttpFailed(sent=False)
        token = self._token
        bound = token is not None and token.authorization_header() in request.headers
        answer = await send_bound(
            self._http,
            request,
            token.dpop_key if token is not None and bound else None,
            access_token=token.value if token is not None else None,
            deadline=left,
            limit_bytes=asked.limit_bytes,
        )
        return answer.unwrap() if is_successful(answer) else answer.failure()

    async def _token_for(
        self, step: ObtainToken | RenewToken, left: timedelta
    ) -> AccessToken | TokenProblem | None:
        connector, record = self._connector, self._record
        # `has_grant` was true when the conversation began.
        assert isinstance(connector, OAuthConnector)
        assert record is not None
        try:
            # The refresh task is shielded: it goes on after the time-out, for the next call.
            async with asyncio.timeout(max(left.total_seconds(), 0)):
                if isinstance(step, RenewToken):
                    token = await token_after_401(
                        self._engine, connector, record, self._config, step.refused
                    )
                else:
                    token = await access_token(self._engine, connector, record, self._config)
        except TimeoutError:
            return RefreshFailed(connector.key)
        if isinstance(token, AccessToken):
            self._token = token
        return token

    def _left(self, asked: ApiRequest, started: float) -> timedelta:
        return asked.deadline - timedelta(seconds=self._engine.clock.monotonic() - started)

    def _fresh_token(self) -> AccessToken | None:
        token = self._token
        if token is None or token.expires_at is None:
            return token
        return token if token.expires_at - self._engine.clock.now() > EXPIRY_MARGIN else None


def _holds(request: HttpRequest, token: AccessToken) -> bool:
    value = token.value.reveal()
    texts = (request.url, *(text for header in request.headers for text in header))
    return any(value in text for text in texts) or value.encode() in request.body
