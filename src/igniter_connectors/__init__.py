"""Typed, multi-tenant connections to third-party services, inside your own process and database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igniter_connectors.builder import ConnectorManager, ManagerBuilder
from igniter_connectors.core.action import (
    AccessToken,
    Action,
    ActionCall,
    action,
    http_action,
)
from igniter_connectors.core.connection import (
    Authorization,
    Connection,
    ConnectionSummary,
    UpstreamAccount,
)
from igniter_connectors.core.connector import ConfigConnector, Connector, OAuthConnector
from igniter_connectors.core.explanation import Explanation
from igniter_connectors.core.fields import FormField, form_fields, mask
from igniter_connectors.core.http import (
    HttpClient,
    HttpFailed,
    HttpRequest,
    HttpResponse,
)
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.state import AuthorizationRequest
from igniter_connectors.core.page import Page
from igniter_connectors.core.principal import Principal
from igniter_connectors.core.problem import (
    CallProblem,
    ConnectorError,
    ErrorCode,
    GetProblem,
    Problem,
    WrongWiring,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.sealing.keyring import Keyring
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.webhook import Webhook, WebhookCall
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.scoped import Scoped

if TYPE_CHECKING:
    from igniter_connectors.adapters.memory import MemoryStore
    from igniter_connectors.adapters.sqlite import SQLiteStore

__all__ = [
    "AccessToken",
    "Action",
    "ActionCall",
    "Authorization",
    "AuthorizationRequest",
    "CallProblem",
    "ConfigConnector",
    "Connection",
    "ConnectionSummary",
    "Connector",
    "ConnectorError",
    "ConnectorManager",
    "Connectors",
    "ErrorCode",
    "Explanation",
    "FormField",
    "GetProblem",
    "HttpClient",
    "HttpFailed",
    "HttpRequest",
    "HttpResponse",
    "Keyring",
    "ManagerBuilder",
    "MemoryStore",
    "OAuthConnector",
    "OAuthProvider",
    "Page",
    "Principal",
    "Problem",
    "SQLiteStore",
    "Scope",
    "Scoped",
    "Secret",
    "UpstreamAccount",
    "Webhook",
    "WebhookCall",
    "WrongWiring",
    "action",
    "form_fields",
    "http_action",
    "mask",
    "problem_of",
    "value_or_raise",
]

_STORES = {
    "MemoryStore": "igniter_connectors.adapters.memory",
    "SQLiteStore": "igniter_connectors.adapters.sqlite",
}


def __getattr__(name: str) -> object:
    """Loads a store when it is first named: each brings its own database's driver."""
    module = _STORES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    store: object = getattr(import_module(module), name)
    return store
