"""Names that an application writes only in annotations.

Builders, the values that methods return, the literals that options take, and the protocols of
clock, random source and observer.
"""

from __future__ import annotations

from igniter_connectors.builder import ManagerBuilder, Missing
from igniter_connectors.core.api.api_base import ApiBase
from igniter_connectors.core.api.client import ApiAnswer
from igniter_connectors.core.api.request import Query
from igniter_connectors.core.catalogue.known_provider import Evidence, PkceSupport
from igniter_connectors.core.connection.explanation import Explanation, Remedy, State
from igniter_connectors.core.connection.health import Health
from igniter_connectors.core.connection.view import Authorization, UpstreamAccount
from igniter_connectors.core.connector.builder import (
    ConnectorBuilder,
    ConnectorDraft,
    Fresh,
    HasHandlers,
    OAuth,
    Plain,
)
from igniter_connectors.core.connector.config import ConfigParts, ConfigSchema
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.connector.form_fields import FieldKind, FormField
from igniter_connectors.core.connector.validation import ValidationFault
from igniter_connectors.core.http.base_url import BaseUrl
from igniter_connectors.core.http.http_limits import AtLimit
from igniter_connectors.core.http.messages import Headers, HttpFailed
from igniter_connectors.core.http.routes import ApplicationWebhookRoute, WebhookRoute
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.authorization_request import CookieAuthorization
from igniter_connectors.core.oauth.provider import (
    AssertionAlgorithm,
    ClientAuthentication,
    OAuthScopes,
    RevocationBody,
)
from igniter_connectors.core.principal import Operation, Permit
from igniter_connectors.core.sealing.associated_data import Purpose
from igniter_connectors.core.sealing.key_derivation import Key
from igniter_connectors.flows.list_connectors import ConnectorEntry
from igniter_connectors.manager.at import BoundAction
from igniter_connectors.manager.connectors import DefaultAction, FoundConnector
from igniter_connectors.manager.pending_device import PendingDevice
from igniter_connectors.manager.worker import WorkDone
from igniter_connectors.ports import Clock, Entropy, Observer

__all__ = [
    "ApiAnswer",
    "ApiBase",
    "ApplicationWebhookRoute",
    "AssertionAlgorithm",
    "AtLimit",
    "Authorization",
    "BaseUrl",
    "BoundAction",
    "ClientAuthentication",
    "Clock",
    "ConfigParts",
    "ConfigSchema",
    "ConnectorBuilder",
    "ConnectorDraft",
    "ConnectorEntry",
    "CookieAuthorization",
    "DefaultAction",
    "Definition",
    "Entropy",
    "Evidence",
    "Explanation",
    "FieldKind",
    "FormField",
    "FoundConnector",
    "Fresh",
    "HasHandlers",
    "Headers",
    "Health",
    "HttpFailed",
    "JsonValue",
    "Key",
    "ManagerBuilder",
    "Missing",
    "OAuth",
    "OAuthScopes",
    "Observer",
    "Operation",
    "PendingDevice",
    "Permit",
    "PkceSupport",
    "Plain",
    "Purpose",
    "Query",
    "Remedy",
    "RevocationBody",
    "State",
    "UpstreamAccount",
    "ValidationFault",
    "WebhookRoute",
    "WorkDone",
]
