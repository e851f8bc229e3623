"""The schemas that depend on the registered connectors.

A route takes and answers what its connector defines: a config, a connection, an action's input
and output. Python's types name none of these, so the plugin gives Litestar the schemas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from igniter_connectors.core.connection.record import DEFAULT_ACCOUNT
from igniter_connectors.core.connection.view import (
    Authorization,
    Connection,
    ConnectionSummary,
    UpstreamAccount,
)
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.connector.form_fields import FormField
from igniter_connectors.core.connector.validation import type_fault
from igniter_connectors.core.pagination import Page
from igniter_connectors.core.storable_text import IDENTITY_LIMIT
from igniter_connectors.web.catalogue import CatalogueEntry
from igniter_connectors.web.connections import AuthorizationNeeded, ConfigConnection
from igniter_connectors.web.json_body import ActionInputBody, ConfigBody, ConfigChangeBody
from igniter_connectors.web.openapi.schemas import (
    Json,
    Schemas,
    object_of,
    one_of,
    or_null,
    shape_of,
)

AnyConnector = Definition[Any, Any, Any]


def connector_schemas(
    schemas: Schemas, registered: Mapping[str, AnyConnector]
) -> dict[object, Json]:
    """The schema of each type that a route handler is annotated with, and of each component key
    of a parameter.

    A connector's types are described as they are in JSON. A field that has a secret as its
    default has no default here.

    Args:
        schemas: Gets the components that the schemas refer to.
        registered: The connectors, by key.
    """
    connectors = [registered[key] for key in sorted(registered)]
    connections = {one.key: _connection(schemas, one) for one in connectors}
    configs = {
        one.key: schemas.of_request(one.schema.kind, f"{one.key}.config") for one in connectors
    }
    changes = [_change(schemas, key, config) for key, config in configs.items()]
    by_config = [connections[one.key] for one in connectors if not has_oauth(one)]
    listed = one_of([*connections.values(), _broken(schemas)])
    page = shape_of(Page, items={"type": "array", "items": listed})
    needed = schemas.add("connections.AuthorizationNeeded", shape_of(AuthorizationNeeded))
    return {
        **_parameters(connectors),
        **_actions(schemas, connectors),
        CatalogueEntry: _entry(schemas, connectors),
        ConfigBody: one_of([*configs.values()]),
        ConfigChangeBody: one_of(changes),
        Connection[msgspec.Struct]: _tagged(connections),
        ConfigConnection: one_of(by_config),
        AuthorizationNeeded: needed,
        Page[ConnectionSummary]: schemas.add("connections.ConnectionPage", page),
    }


def has_oauth(connector: AnyConnector) -> bool:
    """Whether the connector needs an authorization."""
    return isinstance(connector, OAuthConnector)


def open_actions(connector: AnyConnector) -> list[Any]:  # each action has its own types
    """The actions that are open to HTTP."""
    return [action for action in connector.actions.values() if action.open_to_http]


def _parameters(connectors: Iterable[AnyConnector]) -> dict[object, Json]:
    webhooks = [one for one in connectors if one.webhook is not None]
    routed = [one for one in webhooks if one.webhook and one.webhook.route is not None]
    return {
        "key": _keys(connectors),
        "key with OAuth": _keys(filter(has_oauth, connectors)),
        "key with actions": _keys(filter(open_actions, connectors)),
        "key with webhook": _keys(webhooks),
        "key with routed webhook": _keys(routed),
        "webhook token": {"type": "string", "minLength": 1},
        "account": {
            "type": "string",
            "minLength": 1,
            "maxLength": IDENTITY_LIMIT,
            "default": DEFAULT_ACCOUNT,
        },
    }


def _keys(connectors: Iterable[AnyConnector]) -> Json:
    return {"type": "string", "enum": sorted(one.key for one in connectors)}


def _actions(schemas: Schemas, connectors: Iterable[AnyConnector]) -> dict[object, Json]:
    actions = [(one.key, action) for one in connectors for action in open_actions(one)]
    named = "; ".join(f"`{key}`: `{one.key}`" for key, one in actions)
    return {
        "action": {
            "type": "string",
            "enum": sorted({one.key for _, one in actions}),
            "description": f"The action of the connector: {named}",
        },
        ActionInputBody: one_of(
            [schemas.of_request(one.input, f"{key}.{one.key}.input") for key, one in actions]
        ),
        "action output": one_of(
            [schemas.of_response(one.output, f"{key}.{one.key}.output") for key, one in actions]
        ),
    }


def _entry(schemas: Schemas, connectors: list[AnyConnector]) -> Json:
    field = shape_of(FormField, default={"description": "null if there is no default"})
    fields = {"type": "array", "items": schemas.add("connectors.FormField", field)}
    entry = shape_of(
        CatalogueEntry,
        key=_keys(connectors),
        metadata=_metadata(schemas, connectors),
        fields=fields,
    )
    return schemas.add("connectors.CatalogueEntry", entry)


def _metadata(schemas: Schemas, connectors: list[AnyConnector]) -> Json:
    """Any of the connectors' metadata types; anything if a type has no schema."""
    given = [one for one in connectors if one.metadata is not None]
    if any(type_fault(type(one.metadata)) is not None for one in given):
        return {}
    known = [schemas.of_response(type(one.metadata), f"{one.key}.metadata") for one in given]
    without: list[Json] = [{"type": "null"}] if len(given) < len(connectors) else []
    return one_of([*known, *without])


def _connection(schemas: Schemas, connector: AnyConnector) -> Json:
    config = schemas.of_response(connector.schema.kind, f"{connector.key}.shown")
    schema = _connection_of(schemas, {"const": connector.key}, config)
    return schemas.add(f"{connector.key}.connection", schema)


def _broken(schemas: Schemas) -> Json:
    """A listed connection that cannot be opened, or whose connector is no longer registered."""
    schema = _connection_of(schemas, {"type": "string"}, {"type": "object", "maxProperties": 0})
    schema["properties"]["health"] = {"const": "broken"}
    schema["description"] = "A connection whose config or secrets cannot be opened: it shows none."
    return schemas.add("connections.BrokenConnection", schema)


def _connection_of(schemas: Schemas, connector: Json, config: Json) -> Json:
    account = schemas.add("connections.UpstreamAccount", shape_of(UpstreamAccount))
    authorization = schemas.add(
        "connections.Authorization", shape_of(Authorization, account=or_null(account))
    )
    return shape_of(
        Connection, connector=connector, config=config, authorization=or_null(authorization)
    )


def _tagged(connections: dict[str, Json]) -> Json:
    if len(connections) == 1:
        return one_of([*connections.values()])
    mapping = {key: schema["$ref"] for key, schema in connections.items()}
    tag = {"propertyName": "connector", "mapping": mapping}
    return {"oneOf": [*connections.values()], "discriminator": tag}


def _change(schemas: Schemas, key: str, config: Json) -> Json:
    whole = schemas.follow(config)
    fields = {
        name: {keyword: value for keyword, value in schema.items() if keyword != "default"}
        for name, schema in whole.get("properties", {}).items()
    }
    named = {
        "title": f"Change of {key}",
        "description": "Any fields of the config. The others keep their values.",
    }
    return schemas.add(f"{key}.change", {**whole, **named, **object_of(fields, ())})
