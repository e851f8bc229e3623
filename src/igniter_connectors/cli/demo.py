"""`igniter-connectors demo`: the main job, told step by step, each step checking itself."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import httpx
import msgspec
from returns.pipeline import is_successful
from rich.console import Console

from igniter_connectors import (
    AuthorizationRequest,
    ConnectorManager,
    Connectors,
    Event,
    HttpRequest,
    Keyring,
    OAuthConnector,
    OAuthProvider,
    Principal,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.adapters.memory.store import MemoryStore
from igniter_connectors.cli.demo_connectors import (
    Bot,
    BotMessage,
    Drive,
    Greet,
    Organization,
    WhoAmI,
    bot,
    drive,
    greet,
    received,
    who_am_i,
)
from igniter_connectors.cli.real_provider import RealProvider, discover
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.schemes import StandardWebhooks
from igniter_connectors.events import AuthorizationCompleted, AuthorizationFailed
from igniter_connectors.testing.clock import ManualClock
from igniter_connectors.testing.provider import ScriptedProvider, running_provider
from igniter_connectors.testing.signed_webhook import sign_webhook

_CONSENT_SECONDS = 600
_ACME = Organization("acme")


class DemoFailed(Exception):
    """A step did not show what it says."""


class Narrator:
    """Prints the steps: for a person, or as JSON lines."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False)

    def step(self, title: str, detail: str = "") -> None:
        """A step that was done and checked."""
        if self._as_json:
            click.echo(msgspec.json.encode({"step": title, "detail": detail}))
            return
        self._console.print(f"[green]✓[/green] [bold]{title}[/bold]")
        if detail:
            for line in detail.splitlines():
                self._console.print("  " + line, style="dim", markup=False)

    def ask(self, line: str) -> None:
        """Something the person has to do."""
        if self._as_json:
            click.echo(msgspec.json.encode({"open": line}))
        else:
            self._console.print(f"→ open in your browser: {line}", markup=False, soft_wrap=True)


def check(holds: bool, what: str) -> None:
    """Fails the demo where something did not hold."""
    if not holds:
        raise DemoFailed(f"the demo failed: {what}")


async def run_demo(real: RealProvider | None, port: int, *, as_json: bool) -> None:
    """The whole story.

    Raises:
        DemoFailed: a step's check did not hold, or the port is in use.
    """
    narrator = Narrator(as_json=as_json)
    listener = _listen(port)
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with running_provider() as scripted:
        if real is None:
            provider = _scripted(scripted)
        else:
            http = HttpxClient(logger=_quiet_logger())
            provider = await discover(real, http)
            await http.close()
        clock = ManualClock(datetime.now(UTC))
        store = MemoryStore(clock=clock)
        drive_connector = drive(provider)
        connectors = (
            ConnectorManager.create()
            .with_database(store)
            .with_encryption(Keyring.from_secret(Keyring.generate()))
            .with_base_url(origin)
            .with_clock(clock)
            .with_logger(_quiet_logger())
            .add_scope(Organization)
            .add_connector(bot)
            .add_connector(drive_connector)
            .build()
        )
        async with _served(connectors, listener):
            await _config_connector(narrator, connectors, store)
            request = value_or_raise(
                await connectors.scope(_ACME)
                .at(drive_connector)
                .authorize(Drive(), subject="you", return_to="/")
            )
            if real is None:
                await _authorize_scripted(narrator, request)
                await _refresh_once(narrator, connectors, drive_connector, scripted, clock)
            else:
                await _authorize_real(narrator, connectors, drive_connector, request)
            await _webhook(narrator, connectors, clock)
            await _other_tenant(narrator, connectors, drive_connector)
    narrator.step("Done: everything above was checked as it ran")


async def _config_connector(
    narrator: Narrator, connectors: Connectors[Bot | Drive, Organization], store: MemoryStore
) -> None:
    at = connectors.scope(_ACME).at(bot)
    token = Secret("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")
    connection = value_or_raise(await at.connect(Bot(token, "42")))
    narrator.step("A tenant connected a bot", f"the application sees   {connection.config}")
    record = await store.find(ConnectionKey("organization", "acme", "bot"))
    check(record is not None, "the row is stored")
    assert record is not None
    check(token.reveal().encode() not in record.sealed_config, "the token is sealed")
    narrator.step(
        "Its secret is sealed, bound to this tenant, connector, account and row",
        f"the database holds     {record.public_config.decode()}"
        f"  +  {record.sealed_config.hex()[:48]}…",
    )
    greeted = value_or_raise(await at.action(greet).call(Greet("Ada")))
    check(greeted.text == "Hello Ada, from chat 42", "the action ran with the opened config")
    refused = problem_of(await at.action(greet).call(Greet("")))
    check(refused is not None, "a bad input is refused")
    narrator.step(
        "A typed action ran, and a bad input did not",
        f"{greeted}\n{refused.message if refused else ''}",
    )


async def _authorize_scripted(narrator: Narrator, request: AuthorizationRequest) -> None:
    async with httpx.AsyncClient(headers={"x-demo-user": "you"}) as browser:
        begun = await browser.get(request.url)
        check(begun.status_code == 303, "the start route sends the browser to the provider")
        consented = await browser.get(begun.headers["location"])
        async with httpx.AsyncClient(headers={"x-demo-user": "you"}) as stranger:
            stolen = await stranger.get(consented.headers["location"])
        check(stolen.status_code == 400, "another browser cannot finish the flow")
        finished = await browser.get(consented.headers["location"])
    check("connected=drive" in finished.headers.get("location", ""), "the callback connects")
    narrator.step(
        "An OAuth connector was authorized over real HTTP",
        "state bound to the browser and the person, PKCE S256, one use, 10 minutes\n"
        f"another browser with the same callback got {stolen.status_code}",
    )


async def _authorize_real(
    narrator: Narrator,
    connectors: Connectors[Bot | Drive, Organization],
    connector: OAuthConnector[Drive, None, Drive],
    request: AuthorizationRequest,
) -> None:
    came_back = asyncio.Event()

    async def hear(event: Event) -> None:
        if isinstance(event, AuthorizationCompleted | AuthorizationFailed):
            came_back.set()

    _ = connectors.subscribe(hear)
    narrator.ask(request.url)
    at = connectors.scope(_ACME).at(connector)
    try:
        async with asyncio.timeout(_CONSENT_SECONDS):
            _ = await came_back.wait()
    except TimeoutError:
        raise DemoFailed("nobody consented within 10 minutes") from None
    found = await at.get()
    check(is_successful(found), "the provider granted the authorization")
    authorization = found.unwrap().authorization
    account = authorization.account if authorization is not None else None
    check(account is not None, "the provider said whose account it is")
    me = value_or_raise(
        await at.action(who_am_i).call(WhoAmI(connector.provider.userinfo_url or ""))
    )
    check(account is not None and me.sub == account.subject, "the token works")
    narrator.step("An OAuth connector was authorized at the real provider", f"as {me.sub}")


async def _refresh_once(
    narrator: Narrator,
    connectors: Connectors[Bot | Drive, Organization],
    connector: OAuthConnector[Drive, None, Drive],
    provider: ScriptedProvider,
    clock: ManualClock,
) -> None:
    before = provider.token_requests
    clock.advance(timedelta(hours=2))
    provider.script.answer_after_seconds = 0.1
    action = connectors.scope(_ACME).at(connector).action(who_am_i)
    calls = (action.call(WhoAmI(provider.userinfo_url)) for _ in range(10))
    answers = await asyncio.gather(*calls)
    check(all(is_successful(answer) for answer in answers), "all ten actions succeed")
    requests = provider.token_requests - before
    check(requests == 1, f"one token request was made, not {requests}")
    narrator.step(
        "Its token expired; ten actions at once renewed it with one token request",
        "the provider rotates refresh tokens: a second request would have killed the grant",
    )


async def _webhook(
    narrator: Narrator, connectors: Connectors[Bot | Drive, Organization], clock: ManualClock
) -> None:
    endpoint = value_or_raise(await connectors.scope(_ACME).at(bot).create_webhook())
    genuine = sign_webhook(StandardWebhooks(), endpoint, b'{"text":"hi"}', now=clock.now())
    async with httpx.AsyncClient() as sender:
        accepted = await _post(sender, genuine)
        forged = await _post(sender, msgspec.structs.replace(genuine, body=b'{"text":"pay"}'))
    check(accepted == 204, "a signed webhook is accepted")
    check(forged == 401, "a forged webhook is refused")
    await connectors.settled()
    check(received == [BotMessage("hi")], "the handler ran once, with the typed payload")
    narrator.step(
        "A signed webhook reached its handler, a forged one did not",
        f"{received[0]}\nforged: {forged}, refused before anything was decoded",
    )


async def _post(sender: httpx.AsyncClient, request: HttpRequest) -> int:
    answer = await sender.post(request.url, content=request.body, headers=list(request.headers))
    return answer.status_code


async def _other_tenant(
    narrator: Narrator,
    connectors: Connectors[Bot | Drive, Organization],
    connector: OAuthConnector[Drive, None, Drive],
) -> None:
    rival = connectors.scope(Organization("rival"))
    seen = value_or_raise(await rival.list()).items
    problem = problem_of(await rival.at(connector).get())
    check(seen == () and problem is not None, "another tenant sees nothing")
    narrator.step("Another tenant sees nothing", problem.message if problem else "")


def _scripted(provider: ScriptedProvider) -> OAuthProvider:
    return OAuthProvider(
        authorization_url=provider.authorization_url,
        token_url=provider.token_url,
        userinfo_url=provider.userinfo_url,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
    )


def _quiet_logger() -> logging.Logger:
    """The steps tell the story; a refused webhook need not be told twice."""
    logger = logging.getLogger("igniter_connectors.demo")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise DemoFailed(f"port {port} is in use: give another with --port") from None
    return listener


@asynccontextmanager
async def _served(
    connectors: Connectors[Any, Any], listener: socket.socket
) -> AsyncGenerator[None, None]:
    """Serves the plugin's routes; whoever comes from this machine is the one signed in."""
    import uvicorn
    from litestar import Litestar

    from igniter_connectors.web import ConnectorsPlugin

    async def you(_: object) -> Principal:
        return Principal(_ACME, "you")

    app = Litestar(plugins=[ConnectorsPlugin(connectors, principal=you)], logging_config=None)
    # No access log: it would hold tickets, codes and webhook tokens.
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listener.close()
