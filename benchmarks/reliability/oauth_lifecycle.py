"""Runs every OAuth flow and endpoint against a provider that quotes secrets."""

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

from benchmarks.reliability.leaky_provider import LeakyProvider, Mode
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

MODES: tuple[Mode, ...] = ("normal", "errors", "invalid")
ENDPOINTS = frozenset({"/par", "/token", "/userinfo", "/jwks", "/device", "/revoke"})


V = TypeVar("V")


class Organization(Scope, frozen=True, tag="organization"):
    """The tenant."""


class Vault(msgspec.Struct, frozen=True):
    """Config of the connector."""

    extra: Secret


class Extras(msgspec.Struct, frozen=True):
    """Extra fields of the token response."""

    instance: Secret


class Nothing(msgspec.Struct, frozen=True):
    """Empty input."""


@action("raise", input=Nothing, output=int)
async def raising(call: ActionCall[Vault, object, Nothing]) -> Result[int, ActionFailed]:
    """Raises an exception that contains the access token."""
    assert call.access_token is not None
    raise ValueError(f"{call.access_token.value.reveal()} {call.config.extra.reveal()}")


class Observed:
    """The secrets that were used and the texts that were shown.

    Attributes:
        secrets: Values that must not appear anywhere.
        shown: Texts of values, events and problems.
        missed: Endpoints that were never requested, by mode.
    """

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.shown: list[str] = []
        self.missed: set[tuple[Mode, str]] = set()

    def show(self, *values: object) -> None:
        """Records each text that a log line could contain of a value."""
        for value in values:
            self.shown.append(repr(value))
            self.shown.append(str(value))
            problem = problem_of(value) if isinstance(value, Result) else None
            if problem is not None:
                self.shown += [problem.message, msgspec.json.encode(problem).decode()]


async def run_oauth_lifecycle(file: Path) -> Observed:
    """Runs all flows in each mode of the provider."""
    observed, clock = Observed(), ManualClock()
    extra = "canary-vault-extra"
    key = ECKey.generate_key("P-256")
    private = key.as_dict(private=True)
    observed.secrets += [extra, str(private["d"])]
    leaky = LeakyProvider(clock.now)

    async def on_event(event: Event) -> None:
        observed.shown += [repr(event), msgspec.json.encode(event).decode()]

    async with serve(leaky.handle) as leaky.url:
        provider = OAuthProvider(
            authorization_url=f"{leaky.url}/authorize",
            token_url=f"{leaky.url}/token",
            userinfo_url=f"{leaky.url}/userinfo",
            revocation_url=f"{leaky.url}/revoke",
            pushed_authorization_url=f"{leaky.url}/par",
            device_authorization_url=f"{leaky.url}/device",
            jwks_url=f"{leaky.url}/jwks",
            issuer=leaky.url,
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
            .on(Event, on_event)
            .build()
        )
        observed.show(provider, vault, connectors)
        acme, ada = Organization("acme"), Principal(Organization("acme"), "ada")
        config = Vault(Secret(extra))
        async with connectors:
            await connectors._lifecycle.revocations.close()
            tenant = connectors.scope(acme)

            async def authorize(account: str, *, errors_at: str = "") -> None:
                at = tenant.at(vault, account=account)
                begun = value_or_raise(await at.authorize_replacing_account(config, subject="ada"))
                observed.secrets.append(begun.url.rpartition("=")[2])
                started = await connectors.handle(HttpRequest("GET", begun.url), principal=ada)
                observed.show(begun, started, started.body)
                if started.status != 303:
                    return
                cookie = (started.header("set-cookie") or "").partition(";")[0]
                observed.secrets.append(cookie.partition("=")[2])
                if errors_at == "consent":
                    leaky.mode = "errors"
                async with browser() as http:
                    consented = await http.send(
                        HttpRequest("GET", started.header("location") or "")
                    )
                if errors_at == "exchange":
                    leaky.mode = "errors"
                request = HttpRequest(
                    "GET", consented.unwrap().header("location") or "", (("Cookie", cookie),)
                )
                finished = await connectors.handle(request, principal=ada)
                leaky.mode = "normal"
                observed.show(request, finished, finished.body, finished.header("location"))

            async def use(account: str) -> None:
                at = tenant.at(vault, account=account)
                observed.show(await advance_while(clock, at.action(raising).call(Nothing())))
                observed.show(await at.explain())
                observed.show(await at.get())
                record = await store.find(ConnectionKey("organization", "acme", "vault", account))
                observed.show(record)
                if record is not None and record.grant is not None:
                    tokens = open_tokens(connectors._engine, record).unwrap()
                    observed.show(tokens)
                    if tokens.dpop_key is not None:
                        bound_to = msgspec.json.decode(tokens.dpop_key.reveal())
                        observed.secrets.append(bound_to["d"])

            async def device(account: str) -> None:
                begun = await tenant.at(vault, account=account).authorize_device(config)
                observed.show(begun)
                if problem_of(begun) is None:
                    observed.show(value_or_raise(begun)._flow)
                    observed.show(await advance_while(clock, value_or_raise(begun).finished()))

            adopted = AdoptedTokens(
                access_token=Secret("canary-adopted-access"),
                refresh_token=Secret("canary-adopted-refresh"),
                expires_at=clock.now() + timedelta(hours=1),
                token_type="dpop",
            )
            observed.secrets += ["canary-adopted-access", "canary-adopted-refresh"]
            observed.show(adopted)

            await authorize("browser")
            for where in ("consent", "exchange"):
                await authorize("browser", errors_at=where)
            for mode in MODES:
                leaky.mode = mode
                await device("device")
                observed.show(
                    await tenant.at(vault, account="machine").connect_as_client(config),
                    await tenant.at(vault, account="adopted").adopt_as_only_user(config, adopted),
                )
                await authorize("another")
                leaky.mode = mode
                for account in ("browser", "device", "machine", "adopted"):
                    await use(account)
                clock.advance(timedelta(hours=2))
                for account in ("browser", "device", "machine", "adopted"):
                    await use(account)
                observed.show(await tenant.list())
                if mode == "normal":
                    observed.show(await tenant.at(vault, account="another").disconnect())
                else:
                    observed.show(await tenant.at(vault, account="device").disconnect())
                clock.advance(timedelta(minutes=15))
                await revoke_due(connectors._engine)
                leaky.mode = "normal"
                await device("device")
        expected = {(mode, path) for mode in MODES for path in ENDPOINTS}
        # Keys are requested only after tokens, and only the mode "normal" issues tokens.
        observed.missed = expected - leaky.requested - {("errors", "/jwks"), ("invalid", "/jwks")}
    observed.secrets += [*leaky.secrets, *leaky.texts]
    return observed


async def advance_while(clock: ManualClock, work: Coroutine[object, None, V]) -> V:
    """Runs the work, and advances the clock while it waits."""
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.sleep(0.005)
        clock.advance(timedelta(seconds=1))
    return task.result()


@asynccontextmanager
async def browser() -> AsyncGenerator[HttpxClient, None]:
    """The library's own client as the browser, so that its log sees the codes too."""
    http = HttpxClient(logger=logging.getLogger("igniter_connectors"))
    try:
        yield http
    finally:
        await http.close()
