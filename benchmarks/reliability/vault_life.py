"""A connector's life at a talkative provider: every way to be authorized, and every endpoint."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
from joserfc.jwk import ECKey
from returns.result import Result
from typing_extensions import TypeVar

from benchmarks.reliability.talkative import Mood, Talkative
from igniter_connectors import (
    ActionCall,
    ActionFailed,
    AdoptedTokens,
    Connector,
    ConnectorManager,
    Event,
    HttpRequest,
    Keyring,
    OAuthProvider,
    Principal,
    Scope,
    Secret,
    SQLiteStore,
    action,
    problem_of,
    value_or_raise,
)
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.testing import ManualClock
from igniter_connectors.testing.provider.http_server import serve

MOODS: tuple[Mood, ...] = ("well", "angry", "mad")
ENDPOINTS = frozenset({"/par", "/token", "/userinfo", "/jwks", "/device", "/revoke"})


V = TypeVar("V")


class Organization(Scope, frozen=True, tag="organization"):
    """The tenant."""


class Vault(msgspec.Struct, frozen=True):
    """The config."""

    extra: Secret


class Extras(msgspec.Struct, frozen=True):
    """What comes beside the tokens."""

    instance: Secret


class Nothing(msgspec.Struct, frozen=True):
    """No input."""


@action("raise", input=Nothing, output=int)
async def raising(call: ActionCall[Vault, object, Nothing]) -> Result[int, ActionFailed]:
    """Careless code, with the access token in its exception."""
    assert call.access_token is not None
    raise ValueError(f"{call.access_token.value.reveal()} {call.config.extra.reveal()}")


class Life:
    """What was used, and what was shown of it. `missed`: endpoints that were never asked."""

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.shown: list[str] = []
        self.missed: set[tuple[Mood, str]] = set()

    def show(self, *values: object) -> None:
        """Everything that a log line could make of a value."""
        for value in values:
            self.shown.append(repr(value))
            self.shown.append(str(value))
            problem = problem_of(value) if isinstance(value, Result) else None
            if problem is not None:
                self.shown += [problem.message, msgspec.json.encode(problem).decode()]


async def vault_life(file: Path) -> Life:
    """Lives it in each of the provider's moods."""
    life, clock = Life(), ManualClock()
    extra = "canary-vault-extra"
    key = ECKey.generate_key("P-256")
    private = key.as_dict(private=True)
    life.secrets += [extra, str(private["d"])]
    talkative = Talkative(clock.now)

    async def hear(event: Event) -> None:
        life.shown += [repr(event), msgspec.json.encode(event).decode()]

    async with serve(talkative.answer) as talkative.url:
        provider = OAuthProvider(
            authorization_url=f"{talkative.url}/authorize",
            token_url=f"{talkative.url}/token",
            userinfo_url=f"{talkative.url}/userinfo",
            revocation_url=f"{talkative.url}/revoke",
            pushed_authorization_url=f"{talkative.url}/par",
            device_authorization_url=f"{talkative.url}/device",
            jwks_url=f"{talkative.url}/jwks",
            issuer=talkative.url,
            client_id="vault",
            client_authentication="private_key_jwt",
            client_assertion_key=Secret(msgspec.json.encode(private).decode()),
            client_assertion_algorithm="ES256",
            oauth_scopes=("openid",),
            dpop=True,
            token_types=frozenset({"dpop"}),
            token_extras=Extras,
        )
        vault = (
            Connector.create("vault")
            .with_config(Vault)
            .add_action(raising)
            .with_oauth(provider)
            .build()
        )
        store = SQLiteStore(file, clock=clock)
        connectors = (
            ConnectorManager.create()
            .with_database(store)
            .with_encryption(Keyring.from_secret(Keyring.generate()))
            .with_base_url("http://127.0.0.1:1")
            .with_clock(clock)
            .add_scope(Organization)
            .add_connector(vault)
            .on(Event, hear)
            .build()
        )
        life.show(provider, vault, connectors)
        acme, ada = Organization("acme"), Principal(Organization("acme"), "ada")
        config = Vault(Secret(extra))
        async with connectors:
            await connectors._revocations.close()
            tenant = connectors.scope(acme)

            async def authorize(account: str, *, angry_at: str = "") -> None:
                at = tenant.at(vault, account=account)
                begun = value_or_raise(await at.authorize_replacing_account(config, subject="ada"))
                life.secrets.append(begun.url.rpartition("=")[2])
                started = await connectors.handle(HttpRequest("GET", begun.url), principal=ada)
                life.show(begun, started, started.body)
                if started.status != 303:
                    return
                cookie = (started.header("set-cookie") or "").partition(";")[0]
                life.secrets.append(cookie.partition("=")[2])
                if angry_at == "consent":
                    talkative.mood = "angry"
                async with browser() as http:
                    consented = await http.send(
                        HttpRequest("GET", started.header("location") or "")
                    )
                if angry_at == "exchange":
                    talkative.mood = "angry"
                request = HttpRequest(
                    "GET", consented.unwrap().header("location") or "", (("Cookie", cookie),)
                )
                finished = await connectors.handle(request, principal=ada)
                talkative.mood = "well"
                life.show(request, finished, finished.body, finished.header("location"))

            async def use(account: str) -> None:
                at = tenant.at(vault, account=account)
                life.show(await passing(clock, at.action(raising).call(Nothing())))
                life.show(await at.explain())
                life.show(await at.get())
                record = await store.find(ConnectionKey("organization", "acme", "vault", account))
                life.show(record)
                if record is not None and record.grant is not None:
                    tokens = open_tokens(connectors._engine, record).unwrap()
                    life.show(tokens)
                    if tokens.dpop_key is not None:
                        bound_to = msgspec.json.decode(tokens.dpop_key.reveal())
                        life.secrets.append(bound_to["d"])

            async def device(account: str) -> None:
                begun = await tenant.at(vault, account=account).authorize_device(config)
                life.show(begun)
                if problem_of(begun) is None:
                    life.show(value_or_raise(begun)._flow)
                    life.show(await passing(clock, value_or_raise(begun).finished()))

            adopted = AdoptedTokens(
                access_token=Secret("canary-adopted-access"),
                refresh_token=Secret("canary-adopted-refresh"),
                expires_at=clock.now() + timedelta(hours=1),
                token_type="dpop",
            )
            life.secrets += ["canary-adopted-access", "canary-adopted-refresh"]
            life.show(adopted)

            await authorize("browser")
            for where in ("consent", "exchange"):
                await authorize("browser", angry_at=where)
            for mood in MOODS:
                talkative.mood = mood
                await device("device")
                life.show(
                    await tenant.at(vault, account="machine").connect_as_client(config),
                    await tenant.at(vault, account="adopted").adopt_as_only_user(config, adopted),
                )
                await authorize("another")
                talkative.mood = mood
                for account in ("browser", "device", "machine", "adopted"):
                    await use(account)
                clock.advance(timedelta(hours=2))
                for account in ("browser", "device", "machine", "adopted"):
                    await use(account)
                life.show(await tenant.list())
                if mood == "well":
                    life.show(await tenant.at(vault, account="another").disconnect())
                else:
                    life.show(await tenant.at(vault, account="device").disconnect())
                clock.advance(timedelta(minutes=15))
                await revoke_due(connectors._engine)
                talkative.mood = "well"
                await device("device")
        asked = {(mood, path) for mood in MOODS for path in ENDPOINTS}
        # Keys are asked for only where tokens came, which an angry or mad provider gives none of.
        life.missed = asked - talkative.asked - {("angry", "/jwks"), ("mad", "/jwks")}
    life.secrets += [*talkative.secrets, *talkative.texts]
    return life


async def passing(clock: ManualClock, work: Coroutine[object, None, V]) -> V:
    """What the work returns, with time passing where it waits."""
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.sleep(0.005)
        clock.advance(timedelta(seconds=1))
    return task.result()


@asynccontextmanager
async def browser() -> AsyncGenerator[HttpxClient, None]:
    """The library's own client plays the browser, so that codes pass through its log too."""
    http = HttpxClient(logger=logging.getLogger("igniter_connectors"))
    try:
        yield http
    finally:
        await http.close()
