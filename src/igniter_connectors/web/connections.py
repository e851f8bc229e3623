"""`/connections`: a tenant's own, secrets masked."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import (
    DEFAULT_ACCOUNT,
)
from igniter_connectors.core.connector.validation import ValidationFault, decode_json
from igniter_connectors.core.pagination import PAGE_SIZE
from igniter_connectors.core.principal import Principal
from igniter_connectors.core.problem import (
    AccountInvalid,
    ActionInputInvalid,
    ActionNotFound,
    ConfigInvalid,
    ConnectorError,
    ConnectorNotFound,
    Problem,
    RequestRefused,
)
from igniter_connectors.manager.at import AtConfig
from igniter_connectors.manager.at_oauth import AtOAuth
from igniter_connectors.manager.connectors import Connectors, FoundConnector
from igniter_connectors.web.permissions import CallerProblem, Callers, Operation
from igniter_connectors.web.responses import WebRequest, WebResponse, answer, json, problem

BODY_LIMIT_BYTES = 1024 * 1024


class AuthorizationNeeded(msgspec.Struct, frozen=True):
    """Where to send the browser to finish connecting; opens once, within 10 minutes."""

    authorization_url: str


class Place(msgspec.Struct, frozen=True):
    """The connection that a request is about, and who asks."""

    connector: FoundConnector
    at: AtConfig[msgspec.Struct, object] | AtOAuth[msgspec.Struct, object]
    principal: Principal


def connections(connectors: Connectors[Any, Any], callers: Callers) -> type[Controller]:
    """The controller, bound to what it serves."""

    async def find(
        request: WebRequest, operation: Operation, key: str, account: str
    ) -> Result[Place, CallerProblem | ConnectorNotFound | AccountInvalid]:
        caller = await callers.tenant(request, operation, key)
        if not is_successful(caller):
            return Failure(caller.failure())
        found = connectors.find(key)
        if not is_successful(found):
            return Failure(found.failure())
        tenant, principal = caller.unwrap()
        try:
            at = tenant.at(found.unwrap(), account=account)
        except ConnectorError:
            return Failure(AccountInvalid(key))
        return Success(Place(found.unwrap(), at, principal))

    class Connections(Controller):
        path = "/connections"

        @get("/")
        async def list_connections(
            self,
            request: WebRequest,
            limit: FromQuery[int] = PAGE_SIZE,
            after: FromQuery[str | None] = None,
        ) -> WebResponse:
            caller = await callers.tenant(request, "read", "")
            if not is_successful(caller):
                return problem(caller.failure())
            return answer(await caller.unwrap()[0].list(limit=limit, after=after))

        @get("/{key:str}")
        async def get_connection(
            self, request: WebRequest, key: FromPath[str], account: FromQuery[str] = DEFAULT_ACCOUNT
        ) -> WebResponse:
            place = await find(request, "read", key, account)
            if not is_successful(place):
                return problem(place.failure())
            return answer(await place.unwrap().at.get())

        @put("/{key:str}")
        async def put_connection(
            self,
            request: WebRequest,
            key: FromPath[str],
            account: FromQuery[str] = DEFAULT_ACCOUNT,
            return_to: FromQuery[str] = "",
        ) -> WebResponse:
            place = await find(request, "connect", key, account)
            body = await _body(request)
            if not is_successful(place):
                return problem(place.failure())
            if isinstance(body, Problem):
                return problem(body)
            return await _put(place.unwrap(), body, return_to)

        @patch("/{key:str}")
        async def patch_connection(
            self, request: WebRequest, key: FromPath[str], account: FromQuery[str] = DEFAULT_ACCOUNT
        ) -> WebResponse:
            place = await find(request, "update", key, account)
            body = await _body(request)
            if not is_successful(place):
                return problem(place.failure())
            if isinstance(body, Problem):
                return problem(body)
            at = place.unwrap().at
            known = await at.get()
            if not is_successful(known):
                return problem(known.failure())
            merged = place.unwrap().connector.schema.merge(known.unwrap().config, body)
            if not is_successful(merged):
                return problem(_config_invalid(key, merged.failure()))
            return answer(await at.update(merged.unwrap(), version=known.unwrap().version))

        # 200: Litestar wants no body type beside a 204; the answer itself is a 204.
        @delete("/{key:str}", status_code=200)
        async def delete_connection(
            self, request: WebRequest, key: FromPath[str], account: FromQuery[str] = DEFAULT_ACCOUNT
        ) -> WebResponse:
            place = await find(request, "disconnect", key, account)
            if not is_successful(place):
                return problem(place.failure())
            return answer(await place.unwrap().at.disconnect())

        @post("/{key:str}/enable")
        async def enable(
            self, request: WebRequest, key: FromPath[str], account: FromQuery[str] = DEFAULT_ACCOUNT
        ) -> WebResponse:
            place = await find(request, "enable", key, account)
            if not is_successful(place):
                return problem(place.failure())
            return answer(await place.unwrap().at.enable())

        @post("/{key:str}/disable")
        async def disable(
            self, request: WebRequest, key: FromPath[str], account: FromQuery[str] = DEFAULT_ACCOUNT
        ) -> WebResponse:
            place = await find(request, "disable", key, account)
            if not is_successful(place):
                return problem(place.failure())
            return answer(await place.unwrap().at.disable())

        @post("/{key:str}/actions/{name:str}")
        async def call_action(
            self,
            request: WebRequest,
            key: FromPath[str],
            name: FromPath[str],
            account: FromQuery[str] = DEFAULT_ACCOUNT,
        ) -> WebResponse:
            place = await find(request, "action", key, account)
            body = await _body(request)
            if not is_successful(place):
                return problem(place.failure())
            if isinstance(body, Problem):
                return problem(body)
            action = place.unwrap().connector.actions.get(name)
            if action is None or not action.open_to_http:
                return problem(ActionNotFound(key, name))
            input: Result[Any, ValidationFault] = decode_json(body, action.input)
            if not is_successful(input):
                fault = input.failure()
                return problem(ActionInputInvalid(key, name, fault.path, fault.reason))
            result = await place.unwrap().at.action(action).call(input.unwrap())
            return json(result.unwrap()) if is_successful(result) else problem(result.failure())

    return Connections


async def _put(place: Place, body: bytes, return_to: str) -> WebResponse:
    key = place.connector.key
    config = place.connector.schema.parse(body)
    if not is_successful(config):
        return problem(_config_invalid(key, config.failure()))
    at = place.at
    if isinstance(at, AtOAuth):
        begun = await at.authorize(
            config.unwrap(), subject=place.principal.subject, return_to=return_to
        )
        needed = begun.map(lambda request: AuthorizationNeeded(request.url))
        return answer(needed, status=202)
    known = await at.get()
    if is_successful(known):
        return answer(await at.update(config.unwrap(), version=known.unwrap().version))
    return answer(await at.connect(config.unwrap()), status=201)


async def _body(request: WebRequest) -> bytes | RequestRefused:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        # A form can be posted from any site without asking; JSON cannot.
        return RequestRefused("send application/json")
    body = await request.body()
    return body if len(body) <= BODY_LIMIT_BYTES else RequestRefused("the body is over 1 MiB")


def _config_invalid(connector: str, fault: ValidationFault) -> ConfigInvalid:
    return ConfigInvalid(connector, fault.path, fault.reason)
