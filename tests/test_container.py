"""The composition root: every provider once, and another adapter behind a port."""

from __future__ import annotations

import logging

import httpx
import pytest
from dependency_injector import providers
from msgspec.structs import replace

from igniter_connectors import Keyring, MemoryStore, OAuthProvider, Secret, WrongWiring
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.adapters.system import SystemClock, SystemEntropy
from igniter_connectors.container import Container
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.registration import Parts
from igniter_connectors.testing import ManualClock
from tests.sample import Organization, bot
from tests.web.github import github

PARTS = Parts(
    store=MemoryStore(),
    keyring=Keyring.from_secret(Keyring.generate()),
    kinds=(Organization,),
    connectors=(bot,),
)


def test_every_provider_makes_what_it_promises() -> None:
    """No checker sees a wrong constructor argument behind a provider."""
    container = Container(parts=providers.Object(PARTS))
    kinds = {
        "parts": Parts,
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
    """What tests and deployments swap."""
    container = Container(parts=providers.Object(PARTS))
    clock = ManualClock()
    container.clock.override(providers.Object(clock))
    assert container.engine().clock is clock


def test_what_is_missing_is_told() -> None:
    """A store and a keyring have no default."""
    container = Container(parts=providers.Object(Parts()))
    for provider in (container.store, container.ciphers):
        with pytest.raises(WrongWiring):
            provider()


@pytest.mark.parametrize("is_oauth", [True, False])
async def test_what_a_refresh_needs_is_made_at_the_start(
    is_oauth: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at its request, when a crowd of calls may be under way; without OAuth not at all."""
    made: list[httpx.AsyncHTTPTransport] = []

    class Counted(httpx.AsyncHTTPTransport):
        def __init__(self, *, trust_env: bool) -> None:
            super().__init__(trust_env=trust_env)
            made.append(self)

    monkeypatch.setattr(httpx, "AsyncHTTPTransport", Counted)
    provider = OAuthProvider(
        authorization_url="https://p.example/a",
        token_url="https://p.example/t",
        client_id="app",
        client_secret=Secret("application's own"),
    )
    connector = github(provider) if is_oauth else bot
    parts = replace(PARTS, store=MemoryStore(), connectors=(connector,))
    async with Container(parts=providers.Object(parts)).manager():
        assert len(made) == is_oauth
