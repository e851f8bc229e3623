"""What the application's OpenAPI document says of `/connections`."""

from __future__ import annotations

from types import UnionType
from typing import Any, Final

from litestar.openapi.spec import OpenAPIResponse, Parameter, PathItem

from igniter_connectors.core.connection.record import DEFAULT_ACCOUNT
from igniter_connectors.core.connection.view import Authorization, Connection, UpstreamAccount
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.pagination import LARGEST_PAGE, PAGE_SIZE, Page
from igniter_connectors.core.problem import (
    AccountInvalid,
    AuthorizeProblem,
    CallProblem,
    ConfigInvalid,
    ConnectorNotFound,
    ConnectProblem,
    DatabaseFailed,
    DisconnectProblem,
    GetProblem,
    RequestRefused,
    ToggleProblem,
    UpdateProblem,
)
from igniter_connectors.core.scope import IDENTITY_LIMIT
from igniter_connectors.web.connections import AuthorizationNeeded
from igniter_connectors.web.openapi.operations import (
    answered,
    in_path,
    in_query,
    operation,
    with_framework,
)
from igniter_connectors.web.openapi.schemas import (
    Json,
    Schemas,
    object_of,
    one_of,
    or_null,
    shape_of,
)
from igniter_connectors.web.permissions import CallerProblem

AnyConnector = Definition[Any, Any, Any]
_Place = CallerProblem | ConnectorNotFound | AccountInvalid

_TAG: Final = "connections"
_OWN_PAGES: Final = "Taken from this site's own pages, or with its `Origin`."
_ACCOUNT: Final = in_query(
    "account",
    "Which of the tenant's accounts at the connector; printable characters",
    {
        "type": "string",
        "minLength": 1,
        "maxLength": IDENTITY_LIMIT,
        "default": DEFAULT_ACCOUNT,
    },
)
_DONE: Final = {"204": OpenAPIResponse("Done")}


def connection_paths(schemas: Schemas, connectors: list[AnyConnector]) -> dict[str, PathItem]:
    """The operations, by the path below the plugin's own."""
    shown = {one.key: _connection(schemas, one) for one in connectors}
    key = in_path("key", "The connector's key", shown)
    paths = {
        "/connections": PathItem(get=_list(schemas, [*shown.values()])),
        "/connections/{key}": _one(schemas, connectors, shown, key),
    }
    for verb, summary in (("enable", "Switch on"), ("disable", "Switch off")):
        paths[f"/connections/{{key}}/{verb}"] = PathItem(
            parameters=[key, _ACCOUNT],
            post=operation(
                schemas,
                f"{verb.capitalize()}Connection",
                summary,
                tag=_TAG,
                description=_OWN_PAGES,
                answers=_DONE,
                problems=_Place | ToggleProblem,
            ),
        )
    called = [one for one in connectors if any(_open_actions(one))]
    if called:
        paths["/connections/{key}/actions/{name}"] = _call(schemas, called)
    return paths


def _list(schemas: Schemas, shown: list[Json]) -> Any:  # Litestar's Operation
    items = one_of([*shown, _broken(schemas)])
    page = shape_of(Page, items={"type": "array", "items": items})
    made = operation(
        schemas,
        "ListConnections",
        "This tenant's connections",
        tag=_TAG,
        parameters=[
            in_query(
                "limit",
                f"How many at most, from 1 to {LARGEST_PAGE}; more or fewer give the nearest",
                {"type": "integer", "default": PAGE_SIZE},
            ),
            in_query("after", "The `next` of the page before", {"type": "string"}),
        ],
        answers={
            "200": answered(
                "By connector and account", schemas.add("connections.ConnectionPage", page)
            )
        },
        problems=CallerProblem | DatabaseFailed,
    )
    assert made.responses is not None
    made.responses["400"] = with_framework(made.responses.get("400"), "Bad Request")
    return made


def _one(
    schemas: Schemas, connectors: list[AnyConnector], shown: dict[str, Json], key: Parameter
) -> PathItem:
    configs = {one.key: schemas.taken(one.schema.kind, f"{one.key}.config") for one in connectors}
    changes = [_change(schemas, name, config) for name, config in configs.items()]
    by_config = [shown[one.key] for one in connectors if not isinstance(one, OAuthConnector)]
    by_oauth = len(by_config) < len(connectors)
    answers: dict[str, OpenAPIResponse] = {}
    if by_config:
        answers["200"] = answered("Its config is replaced", one_of(by_config))
        answers["201"] = answered("It is connected", one_of(by_config))
    if by_oauth:
        needed = schemas.add("connections.AuthorizationNeeded", shape_of(AuthorizationNeeded))
        answers["202"] = answered("To be finished in the browser", needed)
    return_to = in_query(
        "return_to",
        "Where the browser comes back to: a path of this site, or an address on the manager's"
        " list. For connectors with OAuth",
        {"type": "string", "default": ""},
    )
    whole = _tagged(shown)
    return PathItem(
        parameters=[key, _ACCOUNT],
        get=operation(
            schemas,
            "GetConnection",
            "One connection",
            tag=_TAG,
            answers={"200": answered("Secrets masked", whole)},
            problems=_Place | GetProblem,
        ),
        put=operation(
            schemas,
            "PutConnection",
            "Connect, or replace the config",
            tag=_TAG,
            description=f"The body is the config of the connector in the path. {_OWN_PAGES}",
            parameters=[return_to] if by_oauth else [],
            body=one_of([*configs.values()]),
            answers=answers,
            problems=_put_problems(by_oauth=by_oauth),
        ),
        patch=operation(
            schemas,
            "PatchConnection",
            "Change some fields",
            tag=_TAG,
            description=(
                "The body is of the config of the connector in the path: fields that it leaves"
                f" out stay, secrets too. {_OWN_PAGES}"
            ),
            body=one_of(changes),
            answers={"200": answered("Its config is changed", whole)},
            problems=_Place | GetProblem | ConfigInvalid | UpdateProblem,
        ),
        delete=operation(
            schemas,
            "DeleteConnection",
            "Disconnect",
            tag=_TAG,
            description=_OWN_PAGES,
            answers=_DONE,
            problems=_Place | DisconnectProblem,
        ),
    )


def _put_problems(*, by_oauth: bool) -> UnionType:
    if by_oauth:
        return _Place | RequestRefused | ConnectProblem | UpdateProblem | AuthorizeProblem
    return _Place | RequestRefused | ConnectProblem | UpdateProblem


def _call(schemas: Schemas, connectors: list[AnyConnector]) -> PathItem:
    actions = [(one.key, action) for one in connectors for action in _open_actions(one)]
    inputs = [schemas.taken(one.input, f"{key}.{one.key}.input") for key, one in actions]
    outputs = [schemas.shown(one.output, f"{key}.{one.key}.output") for key, one in actions]
    named = "; ".join(f"`{key}`: `{one.key}`" for key, one in actions)
    return PathItem(
        parameters=[
            in_path("key", "The connector's key", {key for key, _ in actions}),
            in_path(
                "name", f"The action of the connector: {named}", {one.key for _, one in actions}
            ),
            _ACCOUNT,
        ],
        post=operation(
            schemas,
            "CallAction",
            "Run an action",
            tag=_TAG,
            description=f"The body is the input of the action in the path. {_OWN_PAGES}",
            body=one_of(inputs),
            answers={"200": answered("The action's output", one_of(outputs))},
            problems=_Place | RequestRefused | CallProblem,
        ),
    )


def _open_actions(connector: AnyConnector) -> list[Any]:  # actions have types of their own
    return [action for action in connector.actions.values() if action.open_to_http]


def _connection(schemas: Schemas, connector: AnyConnector) -> Json:
    config = schemas.shown(connector.schema.kind, f"{connector.key}.shown")
    schema = _connection_of(schemas, {"const": connector.key}, config)
    return schemas.add(f"{connector.key}.connection", schema)


def _broken(schemas: Schemas) -> Json:
    """One in a list that does not open, or whose connector is not registered any more."""
    schema = _connection_of(schemas, {"type": "string"}, {"type": "object", "maxProperties": 0})
    schema["properties"]["health"] = {"const": "broken"}
    schema["description"] = "A connection whose config or secrets do not open: none is shown."
    return schemas.add("connections.BrokenConnection", schema)


def _connection_of(schemas: Schemas, connector: Json, config: Json) -> Json:
    account = schemas.add("connections.UpstreamAccount", shape_of(UpstreamAccount))
    authorization = schemas.add(
        "connections.Authorization", shape_of(Authorization, account=or_null(account))
    )
    return shape_of(
        Connection, connector=connector, config=config, authorization=or_null(authorization)
    )


def _tagged(shown: dict[str, Json]) -> Json:
    if len(shown) == 1:
        return one_of([*shown.values()])
    mapping = {key: schema["$ref"] for key, schema in shown.items()}
    tag = {"propertyName": "connector", "mapping": mapping}
    return {"oneOf": [*shown.values()], "discriminator": tag}


def _change(schemas: Schemas, key: str, config: Json) -> Json:
    whole = schemas.follow(config)
    fields = {
        name: {word: said for word, said in schema.items() if word != "default"}
        for name, schema in whole.get("properties", {}).items()
    }
    said = {
        "title": f"Change of {key}",
        "description": "Any of the config's fields; those that it leaves out stay.",
    }
    change = {**whole, **said, **object_of(fields, ())}
    return schemas.add(f"{key}.change", change)
