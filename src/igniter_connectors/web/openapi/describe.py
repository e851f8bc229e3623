"""What the application's OpenAPI document says of our routes.

Litestar sees of them neither a body, which we read ourselves, nor an answer's form, which is
each connector's, nor the webhooks, which are a mount. So all of it is written here.
"""

from __future__ import annotations

from typing import Any

from litestar.openapi.spec import OpenAPI

from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.web.openapi.catalogue import catalogue_paths
from igniter_connectors.web.openapi.connections import connection_paths
from igniter_connectors.web.openapi.schemas import JsonSchema, Schemas
from igniter_connectors.web.openapi.webhooks import webhook_paths


def describe(document: OpenAPI, connectors: Connectors[Any, Any], root: str) -> None:
    """Adds the operations to the document, those that the connectors have.

    Of configs, inputs and outputs it says their types, so far as they hold in JSON: where a
    secret is the default of a field, no default is told.

    Args:
        document: The application's, as Litestar made it.
        connectors: The manager whose routes they are.
        root: Where the routes lie, without a slash at the end.
    """
    registered = connectors.definitions()
    known = [registered[key] for key in sorted(registered)]
    schemas = Schemas()
    paths = {
        **catalogue_paths(schemas, known),
        **connection_paths(schemas, known),
        **webhook_paths(schemas, connectors.webhooks()),
    }
    document.paths = {
        **(document.paths or {}),
        **{f"{root}{path}": item for path, item in paths.items()},
    }
    components = {name: JsonSchema(written=one) for name, one in schemas.components.items()}
    document.components.schemas = {**document.components.schemas, **components}
