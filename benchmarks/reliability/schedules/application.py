"""The application that runs in each simulated process: one OAuth connector and its manager."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import cast
from urllib.parse import parse_qs, urlsplit

import msgspec
from returns.result import Result, Success

from benchmarks.reliability.schedules.event_loop import Lane
from benchmarks.reliability.schedules.process import (
    LOGGER,
    FailingHttp,
    FailingStore,
    ScheduledClock,
    SeededEntropy,
    World,
)
from igniter_connectors import (
    ActionCall,
    ActionFailed,
    AdoptedTokens,
    Connector,
    ConnectorManager,
    Connectors,
    HttpRequest,
    Keyring,
    OAuthConnector,
    OAuthProvider,
    Principal,
    Scope,
    Secret,
    action,
    problem_of,
)
from igniter_connectors.core.connection.record import ConnectionKey, Grant
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.problem import Problem
from igniter_connectors.flows.sealing import open_sealed_tokens
from igniter_connectors.manager.at_oauth import AtOAuth
from igniter_connectors.stores import Store

BASE = "http://127.0.0.1:9"


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class Team(msgspec.Struct, frozen=True):
    """The config: a part of the endpoints, a plain field, a secret."""

    region: str = "eu"
    name: str = "core"
    hook: Secret = Secret("hook")


class Use(msgspec.Struct, frozen=True):
    """Input of the action. It is empty."""


@action("use", input=Use, output=str)
async def use(call: ActionCall[Team, object, Use]) -> Result[str, ActionFailed]:
    """Calls the API. The refused token of a 401 is renewed by the library."""
    answer = await call.http.get("/api")
    problem = problem_of(answer)
    return Success("") if problem is None else call.failed(problem.code)


def connector_of(*, grace_seconds: float, ends_subject: bool) -> OAuthConnector[Team, None, Team]:
    """The connector, which describes the model provider truly."""
    host = "https://{region}.forge.example"
    described = OAuthProvider(
        authorization_url=f"{host}/authorize",
        token_url=f"{host}/token",
        userinfo_url=f"{host}/me",
        revocation_url=f"{host}/revoke",
        revocation_ends="grant" if ends_subject else "token",
        reuse_grace=timedelta(seconds=grace_seconds) if grace_seconds else None,
        client_id="app",
        client_secret=Secret("application's own"),
    )
    return (
        Connector.create("forge")
        .with_config(Team)
        .with_api("https://{region}.forge.example")
        .add_action(use)
        .with_oauth(described)
        .build()
    )


class Process:
    """One running process.

    Args:
        world: What the processes share.
        lane: Its callbacks.
        store: The shared store, or None for one that never fails.
        connector: The same in every process.
        keyring: What this process can open.
    """

    def __init__(
        self,
        world: World,
        lane: Lane,
        store: Store,
        connector: OAuthConnector[Team, None, Team],
        keyring: Keyring,
    ) -> None:
        self.lane = lane
        self._connector = connector
        # Every method of the store is passed on.
        passing_on = FailingStore(world, lane, store)
        failing = cast("Store", passing_on)
        self.manager: Connectors[Team, Organization] = (
            ConnectorManager.create()
            .with_database(failing)
            .with_encryption(keyring)
            .with_http(FailingHttp(world, lane))
            .with_clock(ScheduledClock(world))
            .with_entropy(SeededEntropy(Random(world.random.random())))
            .with_logger(LOGGER)
            .with_base_url(BASE)
            .add_scope(Organization)
            .add_connector(connector)
            .build()
        )
        passing_on.read = self.read_token

    def read_token(self, key: ConnectionKey, row: str, grant: Grant) -> str:
        """The refresh token of a grant that is sealed for a row."""
        engine = self.manager._engine
        lease = Lease(row, "", grant.sealed_tokens, grant.generation, 0, unresolved_before=False)
        tokens = open_sealed_tokens(engine, key, lease).unwrap()
        assert tokens.refresh_token is not None
        return tokens.refresh_token.reveal()

    async def run(self) -> None:
        """Opens the manager, whose worker revokes."""
        async with self.manager:
            _ = await asyncio.get_running_loop().create_future()

    def at(self, tenant: str) -> AtOAuth[Team, None]:
        """A tenant at the connector."""
        return self.manager.scope(Organization(tenant)).at(self._connector)

    async def call(self, tenant: str) -> str:
        """An action; its outcome as a code."""
        return _code(await self.at(tenant).action(use).call(Use()))

    async def authorize(self, tenant: str, config: Team) -> str:
        """Begins an authorization; the state that the browser carries, or ""."""
        begun = await self.at(tenant).authorize_without_browser_binding(config, subject="person")
        if problem_of(begun) is not None:
            return ""
        return parse_qs(urlsplit(begun.unwrap().url).query)["state"][0]

    async def come_back(self, tenant: str, state: str, code: str) -> str:
        """The callback of a browser."""
        url = f"{BASE}/connectors/forge/oauth/callback?code={code}&state={state}"
        who = Principal(Organization(tenant), "person")
        answer = await self.manager.handle(HttpRequest("GET", url), principal=who)
        return answer.header("location") or str(answer.status)

    async def adopt(self, tenant: str, config: Team, access: str, refresh: str) -> str:
        """Adopts tokens that nobody else uses."""
        tokens = AdoptedTokens(access_token=Secret(access), refresh_token=Secret(refresh))
        return _code(await self.at(tenant).adopt_as_only_user(config, tokens))

    async def update(self, tenant: str, config: Team) -> str:
        """Replaces the config."""
        return _code(await self.at(tenant).update(config))

    async def disconnect(self, tenant: str) -> str:
        """Disconnects."""
        return _code(await self.at(tenant).disconnect())


def _code(answer: Result[object, Problem]) -> str:
    problem = problem_of(answer)
    return "ok" if problem is None else str(problem)
