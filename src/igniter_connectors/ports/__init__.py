"""What flows need from outside, as Protocols. Adapters and test doubles implement them."""

from igniter_connectors.core.http.messages import HttpClient
from igniter_connectors.ports.authorizations import AuthorizationStore
from igniter_connectors.ports.connections import ConfigChange, ConnectionStore
from igniter_connectors.ports.endpoints import EndpointStore
from igniter_connectors.ports.errors import DeliveryLost, StoreRefused, StoreUnavailable
from igniter_connectors.ports.inbox import InboxStore
from igniter_connectors.ports.leases import LeaseStore
from igniter_connectors.ports.revocations import RevocationStore
from igniter_connectors.ports.routing import RoutingStore
from igniter_connectors.ports.store import Store
from igniter_connectors.ports.system import Clock, Entropy, Observer

__all__ = [
    "AuthorizationStore",
    "Clock",
    "ConfigChange",
    "ConnectionStore",
    "DeliveryLost",
    "EndpointStore",
    "Entropy",
    "HttpClient",
    "InboxStore",
    "LeaseStore",
    "Observer",
    "RevocationStore",
    "RoutingStore",
    "Store",
    "StoreRefused",
    "StoreUnavailable",
]
