"""Names that an application writes only in annotations.

Builders, what methods return, and the protocols of clock, random source and observer.
"""

from __future__ import annotations

from igniter_connectors.builder import ManagerBuilder, Missing
from igniter_connectors.core.connection.explanation import Explanation
from igniter_connectors.core.connection.view import Authorization, UpstreamAccount
from igniter_connectors.core.connector.definition import (
    ConnectorBuilder,
    ConnectorDraft,
    Definition,
    Fresh,
    HasHandlers,
    OAuth,
    Plain,
)
from igniter_connectors.core.connector.form_fields import FieldKind, FormField, JsonValue
from igniter_connectors.core.http.messages import HttpFailed
from igniter_connectors.core.oauth.authorization_request import CookieAuthorization
from igniter_connectors.core.oauth.provider import AssertionAlgorithm, ClientAuthentication
from igniter_connectors.manager.at import BoundAction
from igniter_connectors.manager.connectors import ConnectorEntry, DefaultAction, FoundConnector
from igniter_connectors.manager.pending_device import PendingDevice
from igniter_connectors.manager.worker import WorkDone
from igniter_connectors.ports import Clock, Entropy, Observer

__all__ = [
    "AssertionAlgorithm",
    "Authorization",
    "BoundAction",
    "ClientAuthentication",
    "Clock",
    "ConnectorBuilder",
    "ConnectorDraft",
    "ConnectorEntry",
    "CookieAuthorization",
    "DefaultAction",
    "Definition",
    "Entropy",
    "Explanation",
    "FieldKind",
    "FormField",
    "FoundConnector",
    "Fresh",
    "HasHandlers",
    "HttpFailed",
    "JsonValue",
    "ManagerBuilder",
    "Missing",
    "OAuth",
    "Observer",
    "PendingDevice",
    "Plain",
    "UpstreamAccount",
    "WorkDone",
]
