"""Typed, multi-tenant connections to third-party services, inside your own process and database.

The names here are what an application uses every day. The rest are in modules by subject:

- `igniter_connectors.problems`: every problem, and the union that each operation returns.
- `igniter_connectors.events`: every event.
- `igniter_connectors.webhooks`: schemes, presets for known providers, limits and retries.
- `igniter_connectors.providers`: known OAuth providers.
- `igniter_connectors.stores`: stores, and the port that a store of your own implements.
- `igniter_connectors.typing`: names for annotations.
- `igniter_connectors.web`, `.testing` and `.container`: the Litestar plugin, fakes for tests, and
  the composition root.

A name is imported when it is first used, so `import igniter_connectors` itself is fast.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from igniter_connectors.adapters.memory.store import MemoryStore
    from igniter_connectors.adapters.postgres import PostgresStore
    from igniter_connectors.adapters.sqlite import SQLiteStore
    from igniter_connectors.builder import ConnectorManager
    from igniter_connectors.core.api.access_token import AccessToken
    from igniter_connectors.core.api.client import ApiClient
    from igniter_connectors.core.connection.view import Connection, ConnectionSummary
    from igniter_connectors.core.connector.action import Action, ActionCall, action, http_action
    from igniter_connectors.core.connector.builder import Connector
    from igniter_connectors.core.connector.definition import ConfigConnector, OAuthConnector
    from igniter_connectors.core.connector.form_fields import form_fields
    from igniter_connectors.core.connector.masking import mask
    from igniter_connectors.core.event import Event
    from igniter_connectors.core.http.http_limits import HttpLimits
    from igniter_connectors.core.http.messages import HttpClient, HttpRequest, HttpResponse
    from igniter_connectors.core.oauth.adopted_tokens import AdoptedTokens
    from igniter_connectors.core.oauth.authorization_request import AuthorizationRequest
    from igniter_connectors.core.oauth.provider import OAuthProvider
    from igniter_connectors.core.pagination import Page
    from igniter_connectors.core.principal import Principal
    from igniter_connectors.core.problem import (
        ActionFailed,
        ConnectorError,
        ErrorCode,
        Problem,
        WebhookFailed,
        WrongWiring,
        problem_of,
        value_or_raise,
    )
    from igniter_connectors.core.scope import Scope
    from igniter_connectors.core.sealing.key_rotation import Keyring
    from igniter_connectors.core.secret import Secret
    from igniter_connectors.core.webhook.webhook import Webhook, WebhookCall
    from igniter_connectors.discovery import discover_provider
    from igniter_connectors.manager.at import At, AtConfig
    from igniter_connectors.manager.at_oauth import AtOAuth
    from igniter_connectors.manager.connectors import Connectors
    from igniter_connectors.manager.scoped import Scoped
    from igniter_connectors.manager.worker import Worker
    from igniter_connectors.settings import Settings

    __version__: str

__all__ = [
    "AccessToken",
    "Action",
    "ActionCall",
    "ActionFailed",
    "AdoptedTokens",
    "ApiClient",
    "At",
    "AtConfig",
    "AtOAuth",
    "AuthorizationRequest",
    "ConfigConnector",
    "Connection",
    "ConnectionSummary",
    "Connector",
    "ConnectorError",
    "ConnectorManager",
    "Connectors",
    "ErrorCode",
    "Event",
    "HttpClient",
    "HttpLimits",
    "HttpRequest",
    "HttpResponse",
    "Keyring",
    "MemoryStore",
    "OAuthConnector",
    "OAuthProvider",
    "Page",
    "PostgresStore",
    "Principal",
    "Problem",
    "SQLiteStore",
    "Scope",
    "Scoped",
    "Secret",
    "Settings",
    "Webhook",
    "WebhookCall",
    "WebhookFailed",
    "Worker",
    "WrongWiring",
    "action",
    "discover_provider",
    "form_fields",
    "http_action",
    "mask",
    "problem_of",
    "value_or_raise",
]

_HOMES = {
    "AccessToken": "core.api.access_token",
    "Action": "core.connector.action",
    "ActionCall": "core.connector.action",
    "ActionFailed": "core.problem",
    "AdoptedTokens": "core.oauth.adopted_tokens",
    "ApiClient": "core.api.client",
    "At": "manager.at",
    "AtConfig": "manager.at",
    "AtOAuth": "manager.at_oauth",
    "AuthorizationRequest": "core.oauth.authorization_request",
    "ConfigConnector": "core.connector.definition",
    "Connection": "core.connection.view",
    "ConnectionSummary": "core.connection.view",
    "Connector": "core.connector.builder",
    "ConnectorError": "core.problem",
    "ConnectorManager": "builder",
    "Connectors": "manager.connectors",
    "ErrorCode": "core.problem",
    "Event": "core.event",
    "HttpClient": "core.http.messages",
    "HttpLimits": "core.http.http_limits",
    "HttpRequest": "core.http.messages",
    "HttpResponse": "core.http.messages",
    "Keyring": "core.sealing.key_rotation",
    "MemoryStore": "adapters.memory.store",
    "OAuthConnector": "core.connector.definition",
    "OAuthProvider": "core.oauth.provider",
    "Page": "core.pagination",
    "PostgresStore": "adapters.postgres",
    "Principal": "core.principal",
    "Problem": "core.problem",
    "SQLiteStore": "adapters.sqlite",
    "Scope": "core.scope",
    "Scoped": "manager.scoped",
    "Secret": "core.secret",
    "Settings": "settings",
    "Webhook": "core.webhook.webhook",
    "WebhookCall": "core.webhook.webhook",
    "WebhookFailed": "core.problem",
    "Worker": "manager.worker",
    "WrongWiring": "core.problem",
    "action": "core.connector.action",
    "discover_provider": "discovery",
    "form_fields": "core.connector.form_fields",
    "http_action": "core.connector.action",
    "mask": "core.connector.masking",
    "problem_of": "core.problem",
    "value_or_raise": "core.problem",
}

if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> object:
        """A public name, imported when it is first used."""
        if name == "__version__":
            from importlib.metadata import version

            return version("igniter-connectors")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """The public names and the version."""
        return [*__all__, "__version__"]
