"""The one composition root: which adapter stands behind which port."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from dependency_injector import containers, providers

from igniter_connectors.core.problem import (
    DatabaseRequired,
    EncryptionSecretRequired,
    WrongWiring,
)
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.registration import Parts
from igniter_connectors.ports import Clock, Entropy, HttpClient, Store

__all__ = ["Container"]

LOGGER = "igniter_connectors"


def choose_store(parts: Parts) -> Store:
    """The store given; there is no default, since it would lose data or leave a file behind."""
    if parts.store is None:
        raise WrongWiring(DatabaseRequired())
    return parts.store


def choose_clock(parts: Parts) -> Clock:
    """The system's clock unless another was given."""
    from igniter_connectors.adapters.system import SystemClock

    return parts.clock or SystemClock()


def choose_entropy(parts: Parts) -> Entropy:
    """The system's random source unless another was given."""
    from igniter_connectors.adapters.system import SystemEntropy

    return parts.entropy or SystemEntropy()


def choose_logger(parts: Parts) -> logging.Logger:
    """The library's own logger unless another was given."""
    return parts.logger or logging.getLogger(LOGGER)


def choose_http(parts: Parts, logger: logging.Logger) -> HttpClient:
    """httpx unless another client was given."""
    from igniter_connectors.adapters.httpx_client import HttpxClient

    return parts.http or HttpxClient(logger=logger)


def make_ciphers(parts: Parts) -> Ciphers:
    """The keyring's ciphers, kept as long as the manager."""
    if parts.keyring is None:
        raise WrongWiring(EncryptionSecretRequired("give a keyring: with_encryption(…)"))
    return Ciphers(parts.keyring)


def make_event_bus(parts: Parts, logger: logging.Logger) -> EventBus:
    """The event_bus, with the subscribers that the builder was given."""
    event_bus = EventBus(parts.observer, logger)
    for kind, handler in parts.subscribers:
        _ = event_bus.subscribe(handler, kinds=(kind,))
    return event_bus


def make_renewals(clock: Clock) -> Renewals:
    """The refresh tasks of this process."""
    return Renewals(clock)


def make_deliveries(parts: Parts, logger: logging.Logger) -> Deliveries:
    """The webhook attempts of this process."""
    return Deliveries(parts.limits, logger)


def make_engine(
    parts: Parts,
    store: Store,
    http: HttpClient,
    clock: Clock,
    entropy: Entropy,
    ciphers: Ciphers,
    event_bus: EventBus,
    renewals: Renewals,
    deliveries: Deliveries,
    logger: logging.Logger,
) -> Engine:
    """What every flow is given."""
    return Engine(
        store,
        http,
        clock,
        entropy,
        ciphers,
        event_bus,
        renewals,
        deliveries,
        logger,
        connectors={connector.key: connector for connector in parts.connectors},
        scopes={str(kind.__struct_config__.tag): kind for kind in parts.kinds},
        base_url=parts.base_url,
        return_urls=parts.return_urls,
    )


def make_manager(engine: Engine) -> Connectors[Any, Any]:
    """The manager. Its types are the builder's, which made sure of them."""
    return Connectors(engine, *_life_of(engine.http))


def _life_of(http: HttpClient) -> tuple[Callable[[], object], Callable[[], Awaitable[None]]]:
    """What opens the HTTP client and what closes it; nothing for another kind of client."""
    from igniter_connectors.adapters.httpx_client import HttpxClient

    async def leave() -> None: ...

    return (http.open, http.close) if isinstance(http, HttpxClient) else (lambda: None, leave)


class Container(containers.DeclarativeContainer):
    """Override a provider to put another adapter behind a port.

    Everything is resolved once, when the manager is built: no call looks anything up here.
    """

    parts: providers.Provider[Parts] = providers.Dependency(instance_of=Parts)
    store: providers.Provider[Store] = providers.Singleton(choose_store, parts)
    clock: providers.Provider[Clock] = providers.Singleton(choose_clock, parts)
    entropy: providers.Provider[Entropy] = providers.Singleton(choose_entropy, parts)
    logger: providers.Provider[logging.Logger] = providers.Singleton(choose_logger, parts)
    http: providers.Provider[HttpClient] = providers.Singleton(choose_http, parts, logger)
    ciphers: providers.Provider[Ciphers] = providers.Singleton(make_ciphers, parts)
    event_bus: providers.Provider[EventBus] = providers.Singleton(make_event_bus, parts, logger)
    renewals: providers.Provider[Renewals] = providers.Singleton(make_renewals, clock)
    deliveries: providers.Provider[Deliveries] = providers.Singleton(make_deliveries, parts, logger)
    engine: providers.Provider[Engine] = providers.Singleton(
        make_engine,
        parts,
        store,
        http,
        clock,
        entropy,
        ciphers,
        event_bus,
        renewals,
        deliveries,
        logger,
    )
    manager: providers.Provider[Connectors[Any, Any]] = providers.Singleton(make_manager, engine)


def build_manager(parts: Parts) -> Connectors[Any, Any]:
    """The manager that the container makes of these parts."""
    return Container(parts=providers.Object(parts)).manager()
