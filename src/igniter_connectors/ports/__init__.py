"""What flows need from outside, as Protocols. Adapters implement them; tests may too."""

from igniter_connectors.core.http.messages import HttpClient
from igniter_connectors.ports.authorizations import AuthorizationStore
from igniter_connectors.ports.connections import ConnectionStore
from igniter_connectors.ports.endpoints import EndpointStore
from igniter_connectors.ports.errors import DeliveryLost, StoreUnavailable
from igniter_connectors.ports.inbox import InboxStore
from igniter_connectors.ports.revocations import RevocationStore
from igniter_connectors.ports.routing import RoutingStore
from igniter_connectors.ports.store import Store
from igniter_connectors.ports.system import Clock, Entropy, Observer

__all__ = [
    "AuthorizationStore",
    "Clock",
    "ConnectionStore",
    "DeliveryLost",
    "EndpointStore",
    "Entropy",
    "HttpClient",
    "InboxStore",
    "Observer",
    "RevocationStore",
    "RoutingStore",
    "Store",
    "StoreUnavailable",
]
