"""The composition root: which adapter stands behind each port."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from dependency_injector import containers, providers

from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.adapters.system import SystemClock, SystemEntropy
from igniter_connectors.adapters.user_agent import UserAgentClient
from igniter_connectors.core.problem import (
    BuildConnectorsRequired,
    BuildScopesRequired,
    DatabaseRequired,
    EncryptionSecretRequired,
    WrongWiring,
)
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.flows.request_slots import RequestSlots
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.registration import Registration
from igniter_connectors.ports import Clock, Entropy, HttpClient, Store

__all__ = ["Container"]

LOGGER: Final = "igniter_connectors"


def require_store() -> Store:
    """Raises. There is no default store: it would lose data or leave a file behind."""
    raise WrongWiring(DatabaseRequired())


def require_complete(registration: Registration, store: Store) -> Registration:
    """The registration, if it has a keyring, a scope and a connector beside the store.

    Raises:
        WrongWiring: one of them is missing.
    """
    del store  # without one, `require_store` has raised
    if registration.keyring is None:
        raise WrongWiring(EncryptionSecretRequired("give a keyring: with_encryption(…)"))
    if not registration.kinds:
        raise WrongWiring(BuildScopesRequired())
    if not registration.connectors:
        raise WrongWiring(BuildConnectorsRequired())
    return registration


def make_ciphers(registration: Registration) -> Ciphers:
    """The keyring's ciphers, cached as long as the manager lives."""
    assert registration.keyring is not None  # `require_complete` came first
    return Ciphers(registration.keyring)


def make_event_bus(registration: Registration, logger: logging.Logger) -> EventBus:
    """The event bus, with the subscribers that the builder was given."""
    event_bus = EventBus(registration.observer, logger)
    for kind, handler in registration.subscribers:
        _ = event_bus.subscribe(handler, kinds=(kind,))
    return event_bus


def make_deliveries(registration: Registration, logger: logging.Logger) -> Deliveries:
    """The webhook attempts of this process."""
    return Deliveries(registration.limits, logger)


def make_engine(
    registration: Registration,
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
    """The one value that every flow receives."""
    if registration.user_agent is not None:
        http = UserAgentClient(http, registration.user_agent)
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
        connectors={connector.key: connector for connector in registration.connectors},
        scopes={str(kind.__struct_config__.tag): kind for kind in registration.kinds},
        base_url=registration.base_url,
        return_urls=registration.return_urls,
        oauth_slots=RequestSlots(registration.http_limits),
        api_slots=RequestSlots(registration.http_limits),
    )


def make_manager(engine: Engine) -> Connectors[Any, Any]:
    """The manager. The builder's `build` gives it its precise type."""
    return Connectors(engine, *_open_and_close(engine.http))


def _open_and_close(
    http: HttpClient,
) -> tuple[Callable[[], object], Callable[[], Awaitable[None]]]:
    """What opens and closes the default HTTP client; nothing for another one."""

    async def close_nothing() -> None: ...

    if isinstance(http, UserAgentClient):
        http = http.inner
    if isinstance(http, HttpxClient):
        return http.open, http.close
    return lambda: None, close_nothing


class Container(containers.DeclarativeContainer):
    """Which class stands behind each port. Subclass it to use another adapter.

    ```python
    class MyContainer(Container):
        clock = providers.Singleton(MyClock)
        http = providers.Singleton(MyHttpClient, logger=Container.logger)

    ConnectorManager.create().with_container(MyContainer)….build()
    ```

    The ports are `store`, `clock`, `entropy`, `logger` and `http`; `store` has no default. The
    other providers connect them to the manager. Every provider is called once, when the manager
    is built; no operation looks anything up here. The application opens and closes the adapters
    that it provides, except for the store, which `async with connectors:` opens and closes.

    `Container.clock.override(…)` before `build()` replaces a provider for every manager of the
    process, as dependency-injector documents it.
    """

    given: providers.Provider[Registration] = providers.Dependency(instance_of=Registration)
    store: providers.Provider[Store] = providers.Singleton(require_store)
    clock: providers.Provider[Clock] = providers.Singleton(SystemClock)
    entropy: providers.Provider[Entropy] = providers.Singleton(SystemEntropy)
    logger: providers.Provider[logging.Logger] = providers.Singleton(logging.getLogger, LOGGER)
    http: providers.Provider[HttpClient] = providers.Singleton(HttpxClient, logger=logger)

    registration: providers.Provider[Registration] = providers.Singleton(
        require_complete, given, store
    )
    ciphers: providers.Provider[Ciphers] = providers.Singleton(make_ciphers, registration)
    event_bus: providers.Provider[EventBus] = providers.Singleton(
        make_event_bus, registration, logger
    )
    renewals: providers.Provider[Renewals] = providers.Singleton(Renewals, clock)
    deliveries: providers.Provider[Deliveries] = providers.Singleton(
        make_deliveries, registration, logger
    )
    engine: providers.Provider[Engine] = providers.Singleton(
        make_engine,
        registration,
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


def make_container(given: Registration) -> Container:
    """The container of one manager: the defaults, then the application's, then the builder's."""
    container = Container(given=providers.Object(given))
    defaults, kind = Container.providers, given.container or Container
    assert issubclass(kind, Container)  # `with_container` checked it
    # In a subclass, `Container.logger` means the logger of this manager. Without the memo the
    # inherited providers would keep the defaults, and the subclass would get a second logger.
    memo = {id(provider): container.providers[name] for name, provider in defaults.items()}
    for name, provider in kind.providers.items():
        if name in defaults and provider is not defaults[name]:
            _ = container.providers[name].override(providers.deepcopy(provider, memo))
    for port in ("store", "http", "clock", "entropy", "logger"):
        adapter = getattr(given, port)
        if adapter is not None:
            _ = container.providers[port].override(providers.Object(adapter))
    return container


def build_manager(given: Registration) -> Connectors[Any, Any]:
    """The manager of what the builder was given.

    Raises:
        WrongWiring: the store, the keyring, the scopes or the connectors are missing.
    """
    return make_container(given).manager()
