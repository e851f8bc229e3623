"""The one value that flows are given: the ports, and the state of this process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.http.base_url import BaseUrl
from igniter_connectors.core.http.http_limits import HttpLimits
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.flows.body_reader import BodyReader
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.owned_tasks import OwnedTasks
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.flows.request_slots import RequestSlots
from igniter_connectors.flows.wake_signal import WakeSignal
from igniter_connectors.ports import Clock, Entropy, HttpClient, Store


@dataclass(frozen=True, slots=True)
class Engine:
    """What flows need. The container makes one for each manager; it lives as long as the manager.

    `renewals` and `deliveries` hold the tasks of this process and nothing else, so that they
    do not need the engine themselves.

    Attributes:
        connectors: The registered connectors by key.
        scopes: The registered kinds of tenant by name.
        base_url: None if neither OAuth nor webhooks are used.
        return_urls: URLs on other sites to which a callback may redirect a browser.
        revocation_queued: Set when tokens were queued for revocation.
        bodies: Reads the bodies of requests.
        owned_tasks: Work that runs to its end, even if its caller is cancelled.
        oauth_slots: The requests to authorization servers that are under way. Flows send
            through `tenant_http`, which takes a slot, never through `http` itself.
        api_slots: The same for the requests of handlers.
        dpop_nonces: The last DPoP nonce of each server, by origin.
        missing_keys: The ids of the missing keys that were logged, so that each is logged once.
    """

    store: Store
    http: HttpClient
    clock: Clock
    entropy: Entropy
    ciphers: Ciphers
    event_bus: EventBus
    renewals: Renewals
    deliveries: Deliveries
    logger: logging.Logger
    connectors: Mapping[str, Definition[Any, Any, Any]] = field(default_factory=dict)
    scopes: Mapping[str, type[Scope]] = field(default_factory=dict)
    base_url: BaseUrl | None = None
    return_urls: frozenset[str] = frozenset()
    revocation_queued: WakeSignal = field(default_factory=WakeSignal)
    bodies: BodyReader = field(default_factory=BodyReader)
    owned_tasks: OwnedTasks = field(default_factory=OwnedTasks)
    missing_keys: set[str] = field(default_factory=set)
    oauth_slots: RequestSlots = field(default_factory=lambda: RequestSlots(HttpLimits()))
    api_slots: RequestSlots = field(default_factory=lambda: RequestSlots(HttpLimits()))
    dpop_nonces: dict[str, str] = field(default_factory=dict)

    def new_id(self) -> str:
        """A random id of 128 bits, in hex."""
        return self.entropy.octets(16).hex()

    def signing_context(self) -> SigningContext:
        """The time and 128 fresh bits, for one signed request: the bits become its `jti`."""
        return SigningContext(self.clock.now(), self.entropy.octets(16))


def base_url_of(engine: Engine) -> BaseUrl:
    """The base URL, for a flow that cannot work without one.

    Raises:
        WrongWiring: the manager was built without a base URL.
    """
    if engine.base_url is None:
        raise WrongWiring(BuildInvalid("OAuth and webhooks need with_base_url('https://…')"))
    return engine.base_url
