"""The composition root: every provider is called once, and an application can replace a port."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import cast

import httpx
import pytest
from dependency_injector import providers
from msgspec.structs import replace
from returns.result import Result

from igniter_connectors import (
    ConnectorManager,
    HttpRequest,
    HttpResponse,
    Keyring,
    MemoryStore,
    OAuthProvider,
    Secret,
    WrongWiring,
    value_or_raise,
)
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.adapters.system import SystemClock, SystemEntropy
from igniter_connectors.container import Container, build_manager, make_container
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.registration import Registration
from igniter_connectors.problems import (
    BuildConnectorsRequired,
    BuildScopesRequired,
    DatabaseRequired,
    EncryptionSecretRequired,
    Problem,
)
from igniter_connectors.testing import FakeHttp, ManualClock
from igniter_connectors.typing import HttpFailed
from tests.sample import BotConfig, Organization, bot
from tests.web.github import github

GIVEN = Registration(
    store=MemoryStore(),
    keyring=Keyring.from_secret(Keyring.generate()),
    kinds=(Organization,),
    connectors=(bot,),
)

BUILDER = (
    ConnectorManager.create()
    .with_encryption(Keyring.from_secret(Keyring.generate()))
    .add_scope(Organization)
    .add_connector(bot)
)


def test_every_provider_makes_what_it_promises() -> None:
    """A wrong constructor argument behind a provider is invisible to type checkers."""
    container = make_container(GIVEN)
    kinds = {
        "given": Registration,
        "registration": Registration,
        "store": MemoryStore,
        "clock": SystemClock,
        "entropy": SystemEntropy,
        "logger": logging.Logger,
        "http": HttpxClient,
        "ciphers": Ciphers,
        "event_bus": EventBus,
        "renewals": Renewals,
        "deliveries": Deliveries,
        "engine": Engine,
        "manager": Connectors,
    }
    assert set(container.providers) == set(kinds)
    for name, kind in kinds.items():
        made = container.providers[name]()
        assert isinstance(made, kind), name
        assert container.providers[name]() is made, name


def test_an_overridden_provider_stands_behind_the_manager() -> None:
    """An override of one container instance."""
    container = make_container(GIVEN)
    clock = ManualClock()
    container.clock.override(providers.Object(clock))
    assert container.engine().clock is clock


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (Registration(), DatabaseRequired),
        (replace(GIVEN, store=None), DatabaseRequired),
        (replace(GIVEN, keyring=None), EncryptionSecretRequired),
        (replace(GIVEN, kinds=()), BuildScopesRequired),
        (replace(GIVEN, connectors=()), BuildConnectorsRequired),
    ],
)
def test_a_missing_part_is_reported(given: Registration, problem: type[Problem]) -> None:
    """A store, a keyring, a scope and a connector have no default."""
    with pytest.raises(WrongWiring) as caught:
        build_manager(given)
    assert isinstance(caught.value.problem, problem)


class OwnClock:
    """A clock that an application brings."""

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class OwnHttp:
    """An HTTP client that an application brings; it takes the container's logger."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger

    async def send(
        self, request: HttpRequest, *, deadline: timedelta = timedelta(0), limit_bytes: int = 0
    ) -> Result[HttpResponse, HttpFailed]:
        raise NotImplementedError


class OwnContainer(Container):
    """What an application writes to replace three ports."""

    clock = providers.Singleton(OwnClock)
    http = providers.Singleton(OwnHttp, logger=Container.logger)
    store = providers.Singleton(MemoryStore)


def engine_of(manager: Connectors[BotConfig, Organization]) -> Engine:
    return manager._engine


async def test_an_application_replaces_ports_with_its_own_container() -> None:
    """The manager uses the store, clock and HTTP client of the container."""
    manager = BUILDER.with_container(OwnContainer).build()
    engine = engine_of(manager)
    assert isinstance(engine.store, MemoryStore)
    assert isinstance(engine.clock, OwnClock)
    assert isinstance(engine.http, OwnHttp)
    assert engine.http.logger is engine.logger is logging.getLogger("igniter_connectors")
    async with manager:
        assert value_or_raise(await manager.scope(Organization("acme")).list()).items == ()


def test_each_manager_has_adapters_of_its_own() -> None:
    """The providers are singletons of one manager, not of the process."""
    one, other = (engine_of(BUILDER.with_container(OwnContainer).build()) for _ in "12")
    assert one.clock is not other.clock
    assert one.store is not other.store


def test_what_the_builder_was_given_overrides_the_container() -> None:
    """`with_clock`, `with_http`, `with_database` and `with_logger` take precedence."""
    clock, http, store, logger = ManualClock(), FakeHttp([]), MemoryStore(), logging.getLogger("x")
    builder = BUILDER.with_clock(clock).with_http(http).with_database(store).with_logger(logger)
    engine = engine_of(builder.with_container(OwnContainer).build())
    assert (engine.clock, engine.http, engine.store, engine.logger) == (clock, http, store, logger)


def test_an_override_before_build_counts_for_every_manager() -> None:
    """dependency-injector's own way, undone afterwards."""
    clock = ManualClock()
    with Container.clock.override(providers.Object(clock)):
        engine = engine_of(BUILDER.with_database(MemoryStore()).build())
    assert engine.clock is clock


def test_a_container_without_a_store_needs_a_database() -> None:
    """A type checker cannot know what the container brings; `build` does."""
    with pytest.raises(WrongWiring) as caught:
        BUILDER.with_container(Container).build()
    assert isinstance(caught.value.problem, DatabaseRequired)


def test_what_is_not_a_container_is_refused() -> None:
    """Also from code that no type checker has read."""
    for wrong in (dict, Container(given=providers.Object(GIVEN)), "Container"):
        with pytest.raises(WrongWiring, match="not a subclass of Container"):
            BUILDER.with_container(cast("type[Container]", wrong))


@pytest.mark.parametrize("is_oauth", [True, False])
async def test_the_transport_of_a_refresh_is_made_at_the_start(
    is_oauth: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The HTTP transport exists before the first refresh, and only if a connector uses OAuth."""
    made: list[httpx.AsyncHTTPTransport] = []

    class Counted(httpx.AsyncHTTPTransport):
        def __init__(self, *, trust_env: bool, limits: httpx.Limits) -> None:
            super().__init__(trust_env=trust_env, limits=limits)
            made.append(self)

    monkeypatch.setattr(httpx, "AsyncHTTPTransport", Counted)
    provider = OAuthProvider(
        authorization_url="https://p.example/a",
        token_url="https://p.example/t",
        client_id="app",
        client_secret=Secret("application's own"),
    )
    connector = github(provider) if is_oauth else bot
    given = replace(GIVEN, store=MemoryStore(), connectors=(connector,))
    async with build_manager(given):
        assert len(made) == is_oauth
