"""What the application's OpenAPI document says of `/connectors`."""

from __future__ import annotations

from typing import Any, Final

from litestar.openapi.spec import PathItem

from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.connector.form_fields import FormField
from igniter_connectors.core.connector.validation import type_fault
from igniter_connectors.core.problem import (
    ConnectorNotFound,
    DatabaseFailed,
    OAuthNotConfigured,
    OAuthStateInvalid,
    PrincipalRequired,
    ReauthorizeProblem,
    RequestRefused,
    StartProblem,
)
from igniter_connectors.web.catalogue import CatalogueEntry
from igniter_connectors.web.openapi.operations import (
    answered,
    in_path,
    in_query,
    operation,
    redirected,
)
from igniter_connectors.web.openapi.schemas import Json, Schemas, one_of, shape_of
from igniter_connectors.web.permissions import CallerProblem

AnyConnector = Definition[Any, Any, Any]

_TAG: Final = "connectors"
_NoStation = ConnectorNotFound | OAuthNotConfigured | PrincipalRequired | DatabaseFailed
_TEXT: Final[Json] = {"type": "string"}


def catalogue_paths(schemas: Schemas, connectors: list[AnyConnector]) -> dict[str, PathItem]:
    """The operations, by the path below the plugin's own; OAuth's where a connector has it."""
    keys = [one.key for one in connectors]
    field = schemas.add(
        "connectors.FormField",
        shape_of(FormField, default={"description": "null where there is none"}),
    )
    entry = schemas.add(
        "connectors.CatalogueEntry",
        shape_of(
            CatalogueEntry,
            key={"enum": keys},
            metadata=_metadata(schemas, connectors),
            fields={"type": "array", "items": field},
        ),
    )
    paths = {
        "/connectors": PathItem(
            get=operation(
                schemas,
                "ListConnectors",
                "What can be connected",
                tag=_TAG,
                answers={"200": answered("By key", {"type": "array", "items": entry})},
                problems=CallerProblem | DatabaseFailed,
            )
        ),
        "/connectors/{key}": PathItem(
            parameters=[in_path("key", "The connector's key", keys)],
            get=operation(
                schemas,
                "GetConnector",
                "One connector",
                tag=_TAG,
                answers={"200": answered("It", entry)},
                problems=CallerProblem | ConnectorNotFound | DatabaseFailed,
            ),
        ),
    }
    authorized = [one.key for one in connectors if isinstance(one, OAuthConnector)]
    if authorized:
        key = in_path("key", "The key of a connector with OAuth", authorized)
        paths["/connectors/{key}/oauth/start"] = PathItem(parameters=[key], get=_start(schemas))
        paths["/connectors/{key}/oauth/callback"] = PathItem(parameters=[key], get=_end(schemas))
    return paths


def _metadata(schemas: Schemas, connectors: list[AnyConnector]) -> Json:
    """As the application wrote it, for each connector in a form of its own."""
    known = [
        schemas.shown(type(one.metadata), f"{one.key}.metadata")
        for one in connectors
        if one.metadata is not None and type_fault(type(one.metadata)) is None
    ]
    unknown = [one for one in connectors if one.metadata is not None]
    if len(known) < len(unknown):
        return {}
    without: list[Json] = [{"type": "null"}] if len(known) < len(connectors) else []
    return one_of([*known, *without])


def _start(schemas: Schemas) -> Any:  # Litestar's Operation
    return operation(
        schemas,
        "StartAuthorization",
        "Go to the provider",
        tag=_TAG,
        description=(
            "For a browser: with the ticket that connecting gave, or, to be granted more, with"
            " an account that is connected."
        ),
        parameters=[
            in_query("ticket", "Opens once, within 10 minutes", _TEXT),
            in_query("account", "Which connection to authorize again", _TEXT),
            in_query(
                "oauth_scopes", "What to ask for beside what is granted; spaces between", _TEXT
            ),
        ],
        answers={"303": redirected("To the provider, or to the start with a ticket")},
        problems=_NoStation | RequestRefused | StartProblem | ReauthorizeProblem,
    )


def _end(schemas: Schemas) -> Any:  # Litestar's Operation
    return operation(
        schemas,
        "FinishAuthorization",
        "Come back from the provider",
        tag=_TAG,
        description="For the browser that was sent there; RFC 6749, section 4.1.2.",
        parameters=[
            in_query("state", "As it was sent to the provider", _TEXT, required=True),
            in_query("code", "Where it was granted", _TEXT),
            in_query("error", "Where it was not", _TEXT),
            in_query("iss", "Who answered (RFC 9207)", _TEXT),
        ],
        answers={
            "303": redirected(
                "Back, with `connected` or the problem's code as `error` in the query"
            )
        },
        problems=_NoStation | OAuthStateInvalid,
    )
