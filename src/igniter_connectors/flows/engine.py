"""What every flow is given."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from igniter_connectors.core.http.base_url import BaseUrl
from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.wake_signal import WakeSignal
from igniter_connectors.ports import Clock, Entropy, HttpClient, Store


@dataclass(frozen=True, slots=True)
class Engine:
    """The ports, and what lives as long as the manager. Made once, by the container.

    `base_url` is None where neither OAuth nor webhooks are used. `return_urls` are the
    places on other sites to which a callback may send a browser. `revocation_queued` is rung when
    tokens were queued for revocation.
    """

    store: Store
    http: HttpClient
    clock: Clock
    entropy: Entropy
    ciphers: Ciphers
    event_bus: EventBus
    logger: logging.Logger
    base_url: BaseUrl | None
    return_urls: frozenset[str]
    revocation_queued: WakeSignal = field(default_factory=WakeSignal)

    def new_id(self) -> str:
        """A random id of 128 bits, in hex."""
        return self.entropy.octets(16).hex()


def base_url_of(engine: Engine) -> BaseUrl:
    """The base URL, for what cannot be done without one.

    Raises:
        WrongWiring: the manager was built without.
    """
    if engine.base_url is None:
        raise WrongWiring(BuildInvalid("OAuth and webhooks need with_base_url('https://…')"))
    return engine.base_url
