"""`/connections`: the tenant's connections, with their secrets masked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from litestar import Controller, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, QueryParameter, SkipValidation
from returns.pipeline import is_successful

from igniter_connectors.core.connection.record import DEFAULT_ACCOUNT
from igniter_connectors.core.connection.view import Connection, ConnectionSummary
from igniter_connectors.core.connector.validation import ValidationFault
from igniter_connectors.core.pagination import MAX_PAGE_SIZE, PAGE_SIZE, Page
from igniter_connectors.core.problem import (
    AccountInvalid,
    AuthorizeProblem,
    BodyProblem,
    ConfigInvalid,
    ConnectorError,
    ConnectorNotFound,
    ConnectProblem,
    DatabaseFailed,
    DisconnectProblem,
    GetProblem,
    NotConnected,
    ParameterInvalid,
    RequestRefused,
    ToggleProblem,
    UpdateProblem,
    problem_of,
)
from igniter_connectors.manager.at import AtConfig
from igniter_connectors.manager.at_oauth import AtOAuth
from igniter_connectors.manager.connectors import FoundConnector
from igniter_connectors.web.json_body import ConfigBody, ConfigChangeBody, JsonBodyDTO
from igniter_connectors.web.openapi.operations import OperationWithBody
from igniter_connectors.web.openapi.problems import refusals
from igniter_connectors.web.parameters import Account, ConnectorKey
from igniter_connectors.web.permissions import (
    AccessControl,
    AccessDependency,
    Caller,
    CallerDependency,
    CallerProblem,
    ConnectorsDependency,
    requires,
)
from igniter_connectors.web.responses import Refusal, WebRequest, value_of

AddressProblem = CallerProblem | ConnectorNotFound | AccountInvalid | ParameterInvalid
"""What every route of one connection may answer."""

OWN_PAGES: Final = "Accepts requests from this site's own pages, or with its `Origin`."

# An empty body reaches the route too, which refuses it as the config that it is not.
_NO_CONFIG: Final = ConfigBody()
_NO_CHANGE: Final = ConfigChangeBody()
_CONNECTED: Final = "Connected"
_AUTHORIZE: Final = "The browser has to finish the authorization"


class AuthorizationNeeded(msgspec.Struct, frozen=True):
    """The URL to send the browser to. It opens once, within 10 minutes."""

    authorization_url: str


class ConfigConnection:
    """A connection of a connector without OAuth, in the document."""


class AddressedConnection(msgspec.Struct, frozen=True):
    """The connection that a request is about, which need not exist, and the caller."""

    caller: Caller
    connector: FoundConnector
    at: AtConfig[msgspec.Struct, object] | AtOAuth[msgspec.Struct, object]


ConnectionDependency: TypeAlias = NamedDependency[SkipValidation[AddressedConnection]]


async def find_connection(
    caller: CallerDependency,
    connectors: ConnectorsDependency,
    key: ConnectorKey,
    account: Account = DEFAULT_ACCOUNT,
) -> AddressedConnection:
    """A dependency: the connection that the path and the query name."""
    connector = value_of(connectors.find(key))
    try:
        return AddressedConnection(caller, connector, caller.tenant.at(connector, account=account))
    except ConnectorError:
        raise Refusal(AccountInvalid(key)) from None


class ConnectionList(Controller):
    """Lists the tenant's connections."""

    path = "/connections"
    tags: Sequence[str] | None = ("connections",)

    @get(
        "/",
        opt=requires("read"),
        operation_id="ListConnections",
        summary="List the tenant's connections",
        response_description="A page of connections, by connector and account",
        responses=refusals(CallerProblem | ParameterInvalid | DatabaseFailed),
    )
    async def list_connections(
        self,
        caller: CallerDependency,
        limit: Annotated[
            int,
            QueryParameter(
                description=f"The size of the page, from 1 to {MAX_PAGE_SIZE}. A number outside"
                " these bounds gives the nearest size"
            ),
        ] = PAGE_SIZE,
        after: Annotated[
            str | None,
            QueryParameter(description="The `next` of the page before; without it, the first page"),
        ] = None,
    ) -> Page[ConnectionSummary]:
        return value_of(await caller.tenant.list(limit=limit, after=after))


class Connections(Controller):
    """Shows, changes, switches and disconnects one connection."""

    path = "/connections/{key:str}"
    tags: Sequence[str] | None = ("connections",)

    @get(
        "/",
        opt=requires("read"),
        operation_id="GetConnection",
        summary="Show a connection",
        response_description="The connection, with every secret masked",
        responses=refusals(AddressProblem | GetProblem),
    )
    async def get_connection(self, connection: ConnectionDependency) -> Connection[msgspec.Struct]:
        return value_of(await connection.at.get())

    @patch(
        "/",
        dto=JsonBodyDTO[ConfigChangeBody],
        operation_class=OperationWithBody,
        opt=requires("update"),
        operation_id="PatchConnection",
        summary="Change some fields of a config",
        description=(
            "The body has fields of the config of the connector in the path. A field that it"
            f" leaves out keeps its value; this holds for secrets too. {OWN_PAGES}"
        ),
        response_description="The connection after the change",
        responses=refusals(AddressProblem | BodyProblem | GetProblem | UpdateProblem),
    )
    async def patch_connection(
        self,
        request: WebRequest,
        connection: ConnectionDependency,
        data: JSONBody[ConfigChangeBody] = _NO_CHANGE,
    ) -> Connection[msgspec.Struct]:
        body = data.read(request)
        known = value_of(await connection.at.get())
        schema = connection.connector.schema
        merged = value_of(schema.merge(known.config, body).alt(_config_invalid(connection)))
        return value_of(await connection.at.update(merged, version=known.version))

    @delete(
        "/",
        opt=requires("disconnect"),
        operation_id="DeleteConnection",
        summary="Disconnect",
        description=OWN_PAGES,
        response_description="Disconnected",
        responses=refusals(AddressProblem | DisconnectProblem),
    )
    async def delete_connection(self, connection: ConnectionDependency) -> None:
        value_of(await connection.at.disconnect())

    @post(
        "/enable",
        status_code=204,
        opt=requires("enable"),
        operation_id="EnableConnection",
        summary="Enable a connection",
        description=OWN_PAGES,
        response_description="Enabled",
        responses=refusals(AddressProblem | ToggleProblem),
    )
    async def enable(self, connection: ConnectionDependency) -> None:
        value_of(await connection.at.enable())

    @post(
        "/disable",
        status_code=204,
        opt=requires("disable"),
        operation_id="DisableConnection",
        summary="Disable a connection",
        description=OWN_PAGES,
        response_description="Disabled",
        responses=refusals(AddressProblem | ToggleProblem),
    )
    async def disable(self, connection: ConnectionDependency) -> None:
        value_of(await connection.at.disable())


async def put_by_config(
    request: WebRequest,
    access: AccessDependency,
    connection: ConnectionDependency,
    data: JSONBody[ConfigBody] = _NO_CONFIG,
) -> Response[Connection[msgspec.Struct]]:
    """Connects or replaces the config, where no connector has OAuth."""
    return await _put(request, access, connection, data, "")


async def put_by_oauth(
    request: WebRequest,
    access: AccessDependency,
    connection: ConnectionDependency,
    data: JSONBody[ConfigBody] = _NO_CONFIG,
    return_to: Annotated[
        str,
        QueryParameter(
            description="Where the browser comes back to: a path of this site, or a URL on the"
            " manager's list. For connectors with OAuth"
        ),
    ] = "",
) -> Response[AuthorizationNeeded]:
    """The same, where a connector has OAuth: that one needs an authorization first."""
    return await _put(request, access, connection, data, return_to)


_ByConfig: TypeAlias = (
    AddressProblem | BodyProblem | RequestRefused | ConnectProblem | UpdateProblem
)
_WithOAuth: TypeAlias = _ByConfig | AuthorizeProblem


def put_route(*, has_config: bool, has_oauth: bool) -> HTTPRouteHandler:
    """`PUT /connections/{key}`, documented for the kinds of connectors that are registered.

    Args:
        has_config: A connector is connected by its config alone: the answer is 201 or 200.
        has_oauth: A connector needs an authorization: the answer is 202.
    """
    problems = refusals(_WithOAuth) if has_oauth else refusals(_ByConfig)
    replaced = ResponseSpec(ConfigConnection, False, "The config is replaced")
    connected = ResponseSpec(ConfigConnection, False, _CONNECTED)
    made = {200: replaced, 201: connected} if has_config else {}
    described = put(
        "/connections/{key:str}",
        dto=JsonBodyDTO[ConfigBody],
        status_code=202 if has_oauth else 201,
        opt=requires("connect"),
        tags=["connections"],
        operation_id="PutConnection",
        summary="Connect, or replace the config",
        description=f"The body is the config of the connector in the path. {OWN_PAGES}",
        operation_class=OperationWithBody,
        response_description=_AUTHORIZE if has_oauth else _CONNECTED,
        responses={**made, **problems},
    )
    return described(put_by_oauth if has_oauth else put_by_config)


def _config_invalid(
    connection: AddressedConnection,
) -> Callable[[ValidationFault], ConfigInvalid]:
    key = connection.connector.key
    return lambda fault: ConfigInvalid(key, fault.path, fault.reason)


async def _put(
    request: WebRequest,
    access: AccessControl,
    connection: AddressedConnection,
    data: ConfigBody,
    return_to: str,
) -> Response[Any]:  # what it holds is as the status says
    body, at, caller = data.read(request), connection.at, connection.caller
    key = connection.connector.key
    config = value_of(connection.connector.schema.parse(body).alt(_config_invalid(connection)))
    # The guard has asked for "connect". Whatever else this request turns out to do needs a
    # permission of its own.
    if isinstance(at, AtOAuth):
        _ = await access.require(caller.principal, "authorize", key)
    known = await at.get()
    problem = problem_of(known)
    if isinstance(problem, DatabaseFailed):
        raise Refusal(problem)
    if not isinstance(problem, NotConnected):
        _ = await access.require(caller.principal, "update", key)
    if isinstance(at, AtOAuth):
        subject = caller.principal.subject
        begun = value_of(await at.authorize(config, subject=subject, return_to=return_to))
        return Response(AuthorizationNeeded(begun.url), status_code=202)
    if is_successful(known):
        updated = await at.update(config, version=known.unwrap().version)
        return Response(value_of(updated), status_code=200)
    return Response(value_of(await at.connect(config)), status_code=201)
