"""The steps of the demo. Each one does something, checks the result and prints it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import httpx
import msgspec
from returns.pipeline import is_successful

from igniter_connectors import (
    AtConfig,
    AtOAuth,
    AuthorizationRequest,
    Connectors,
    HttpRequest,
    MemoryStore,
    OAuthConnector,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.cli.demo_connectors import (
    Bot,
    BotMessage,
    Drive,
    Greet,
    Organization,
    WhoAmI,
    bot,
    greet,
    received,
    who_am_i,
)
from igniter_connectors.cli.demo_output import StepPrinter, check
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.testing.clock import ManualClock
from igniter_connectors.testing.provider import FakeOAuthProvider
from igniter_connectors.testing.signed_webhook import sign_webhook
from igniter_connectors.webhooks import StandardWebhooks

ACME: Final = Organization("acme")


async def connect_bot(printer: StepPrinter, at: AtConfig[Bot, None], store: MemoryStore) -> None:
    """Connects with a config, looks into the store, and calls an action."""
    token = Secret("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")
    connection = value_or_raise(await at.connect(Bot(token, "42")))
    printer.step("A tenant connected a bot", f"the application sees   {connection.config}")
    record = await store.find(ConnectionKey("organization", "acme", "bot"))
    check(record is not None, "the row is stored")
    assert record is not None
    check(token.reveal().encode() not in record.sealed_config, "the token is sealed")
    printer.step(
        "Its secret is sealed, bound to this tenant, connector, account and row",
        f"the database holds     {record.public_config.decode()}"
        f"  +  {record.sealed_config.hex()[:48]}…",
    )
    greeted = value_or_raise(await at.action(greet).call(Greet("Ada")))
    check(greeted.text == "Hello Ada, from chat 42", "the action gets the opened config")
    refused = problem_of(await at.action(greet).call(Greet("")))
    check(refused is not None, "an invalid input is refused")
    printer.step(
        "A typed action ran, and an invalid input was refused",
        f"{greeted}\n{refused.message if refused else ''}",
    )


async def authorize(printer: StepPrinter, request: AuthorizationRequest) -> None:
    """Goes through the flow as a browser does, and tries to finish it from another browser."""
    async with httpx.AsyncClient(headers={"x-demo-user": "you"}) as browser:
        started = await browser.get(request.url)
        check(started.status_code == 303, "the start route redirects to the provider")
        consented = await browser.get(started.headers["location"])
        async with httpx.AsyncClient(headers={"x-demo-user": "you"}) as other:
            stolen = await other.get(consented.headers["location"])
        check(stolen.status_code == 400, "another browser cannot finish the flow")
        finished = await browser.get(consented.headers["location"])
    check("connected=drive" in finished.headers.get("location", ""), "the callback connects")
    printer.step(
        "An OAuth connector was authorized over real HTTP",
        "state bound to the browser and the person, PKCE S256, one use, 10 minutes\n"
        f"another browser with the same callback got {stolen.status_code}",
    )


async def refresh_once(
    printer: StepPrinter,
    at: AtOAuth[Drive, None],
    provider: FakeOAuthProvider,
    clock: ManualClock,
) -> None:
    """Calls ten actions at the same time with an expired token."""
    before = provider.token_requests
    clock.advance(timedelta(hours=2))
    provider.script.answer_after_seconds = 0.1
    action = at.action(who_am_i)
    calls = (action.call(WhoAmI(provider.userinfo_url)) for _ in range(10))
    results = await asyncio.gather(*calls)
    check(all(is_successful(result) for result in results), "all ten actions succeed")
    requests = provider.token_requests - before
    check(requests == 1, f"one token request is made, not {requests}")
    printer.step(
        "Its token expired; ten concurrent actions renewed it with one token request",
        "the provider rotates refresh tokens: a second request would have ended the grant",
    )


async def receive_webhook(
    printer: StepPrinter, connectors: Connectors[Bot | Drive, Organization], clock: ManualClock
) -> None:
    """Delivers a signed webhook and a forged one."""
    endpoint = value_or_raise(await connectors.scope(ACME).at(bot).create_webhook())
    genuine = sign_webhook(StandardWebhooks(), endpoint, b'{"text":"hi"}', now=clock.now())
    async with httpx.AsyncClient() as sender:
        accepted = await _post(sender, genuine)
        forged = await _post(sender, msgspec.structs.replace(genuine, body=b'{"text":"pay"}'))
    check(accepted == 204, "a signed webhook is accepted")
    check(forged == 401, "a forged webhook is refused")
    await connectors.settled()
    check(received == [BotMessage("hi")], "the handler runs once, with the typed payload")
    printer.step(
        "A signed webhook reached its handler, a forged one did not",
        f"{received[0]}\nforged: {forged}, refused before anything was decoded",
    )


async def _post(sender: httpx.AsyncClient, request: HttpRequest) -> int:
    response = await sender.post(request.url, content=request.body, headers=list(request.headers))
    return response.status_code


async def isolate_tenants(
    printer: StepPrinter,
    connectors: Connectors[Bot | Drive, Organization],
    connector: OAuthConnector[Drive, None, Drive],
) -> None:
    """Looks for the connections from another tenant."""
    rival = connectors.scope(Organization("rival"))
    found = value_or_raise(await rival.list()).items
    problem = problem_of(await rival.at(connector).get())
    check(found == () and problem is not None, "another tenant sees nothing")
    printer.step("Another tenant sees nothing", problem.message if problem else "")
