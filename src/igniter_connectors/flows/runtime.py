"""What every flow is given."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.sealing.ciphers import Ciphers
from igniter_connectors.core.url import BaseUrl
from igniter_connectors.flows.announce import Announcer
from igniter_connectors.flows.bell import Bell
from igniter_connectors.ports import Clock, Entropy, HttpClient, Store


@dataclass(frozen=True, slots=True)
class Runtime:
    """The ports, and what lives as long as the manager. Made once, by the container.

    `base_url` is None where neither OAuth nor webhooks are used. `return_urls` are the
    places on other sites to which a callback may send a browser. `handed_over` is rung when
    tokens were handed over to be revoked.
    """

    store: Store
    http: HttpClient
    clock: Clock
    entropy: Entropy
    ciphers: Ciphers
    announcer: Announcer
    logger: logging.Logger
    base_url: BaseUrl | None
    return_urls: frozenset[str]
    handed_over: Bell = field(default_factory=Bell)

    def new_id(self) -> str:
        """A random id of 128 bits, in hex."""
        return self.entropy.octets(16).hex()


def base_of(runtime: Runtime) -> BaseUrl:
    """The base URL, for what cannot be done without one.

    Raises:
        WrongWiring: the manager was built without.
    """
    if runtime.base_url is None:
        raise WrongWiring(BuildInvalid("OAuth and webhooks need with_base_url('https://…')"))
    return runtime.base_url
