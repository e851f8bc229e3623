"""The parameters and the answer whose schemas depend on the registered connectors.

Each has a component key. Under that key the plugin gives Litestar the schema, which lists the
keys of the registered connectors. Values are checked by the routes themselves, because Litestar's
own answer to a wrong value repeats it.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from litestar.params import KwargDefinition, PathParameter, QueryParameter

ConnectorKey: TypeAlias = Annotated[
    str, PathParameter(schema_component_key="key", description="The connector's key")
]
OAuthConnectorKey: TypeAlias = Annotated[
    str,
    PathParameter(
        schema_component_key="key with OAuth", description="The key of a connector with OAuth"
    ),
]
ActionConnectorKey: TypeAlias = Annotated[
    str,
    PathParameter(
        schema_component_key="key with actions",
        description="The key of a connector with actions that are open to HTTP",
    ),
]
ActionName: TypeAlias = Annotated[str, PathParameter(schema_component_key="action")]
WebhookKey: TypeAlias = Annotated[
    str,
    PathParameter(
        schema_component_key="key with webhook", description="The key of a connector with a webhook"
    ),
]
RoutedWebhookKey: TypeAlias = Annotated[
    str,
    PathParameter(
        schema_component_key="key with routed webhook",
        description="The key of a connector whose webhook has one URL for the whole application",
    ),
]
WebhookToken: TypeAlias = Annotated[
    str,
    PathParameter(
        schema_component_key="webhook token",
        description="The secret part of a webhook's URL: only the provider knows it",
    ),
]
Account: TypeAlias = Annotated[
    str,
    QueryParameter(
        schema_component_key="account",
        description="Which of the tenant's accounts at the connector; printable characters",
    ),
]
ActionOutput: TypeAlias = Annotated[
    msgspec.Raw, KwargDefinition(schema_component_key="action output")
]
