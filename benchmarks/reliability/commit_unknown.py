"""Calls whose commit is done and whose answer is lost, repeated: the end is as after one call.

Each call is tried once for each answer that PostgreSQL gives it. That answer never arrives: the
link is cut, once, or until the call has returned.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from returns.result import Result
from tests.postgres.databases import Databases, name_in
from tests.postgres.server import Server

from benchmarks.reliability import poison_values as forge
from benchmarks.reliability.cutting_proxy import CuttingProxy, cutting_proxy
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.team_chat import SECRETS, Chat, Organization, chat_manager, routed
from igniter_connectors import (
    AdoptedTokens,
    HttpRequest,
    PostgresStore,
    Principal,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.stores import Store
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import StandardWebhooks

_MOST_ANSWERS: Final = 40
_SETTLE_SECONDS: Final = 20.0
_HOUR: Final = timedelta(hours=1)
_UNKNOWN: Final = ("CONNECTOR_DATABASE_FAILED", "CONNECTOR_OAUTH_STATE_INVALID", "503")
# A call that finds its own work done may say so.
_SAYS: Final = {"connect": "CONNECTOR_ALREADY_CONNECTED", "disconnect": "CONNECTOR_NOT_CONNECTED"}


class Subject(msgspec.Struct):
    """One tenant's connection: through the proxy, and past it."""

    tenant: Any
    at: Any
    calm: Any
    manager: Any
    calm_manager: Any
    store: Store
    id: str = ""
    event: str = ""

    async def state(self) -> tuple[object, ...]:
        """What the call changed, as it is seen from outside."""
        found = await self.calm.get()
        if problem_of(found) is not None:
            return ("not connected",)
        connection = found.unwrap()
        if connection.authorization is not None or isinstance(connection.config, forge.Forge):
            return (connection.config.team, connection.health)  # a repeated flow is another grant
        listed = value_or_raise(await self.calm.webhooks.endpoints())
        events = value_or_raise(await self.calm.webhooks.list())
        teams = [await routed(self.store, f"{self.tenant.identity}-{name}") for name in "ab"]
        return (
            connection.config.team[-1],
            connection.enabled,
            connection.version,
            tuple(map(len, teams)),
            sum(one.valid_until is None for one in listed),
            sum(one.previous_until is not None for one in listed),
            tuple((one.state, one.attempts) for one in events.items),
        )


async def _code(answer: Awaitable[Result[Any, Any]]) -> str:
    problem = problem_of(await answer)
    return "" if problem is None else str(problem.code)


def _chat(subject: Subject, name: str) -> Chat:
    return Chat(Secret(name), f"{subject.tenant.identity}-{name}")


async def _authorized(subject: Subject) -> str:
    begun = await subject.at.authorize_without_browser_binding(forge.FORGE, subject="ada")
    problem = problem_of(begun)
    if problem is not None:
        return str(problem.code)
    state = parse_qs(urlsplit(begun.unwrap().url).query)["state"][0]
    url = f"{forge.BASE}/connectors/forge/oauth/callback?code=code&state={state}"
    principal = Principal(subject.tenant, "ada")
    answer = await subject.manager.handle(HttpRequest("GET", url), principal=principal)
    location = answer.header("location") or str(answer.status)
    return str(parse_qs(urlsplit(location).query).get("error", [""])[0] or location).replace(
        "/?connected=forge", ""
    )


_ADOPTED = AdoptedTokens(access_token=Secret("theirs"))
CALLS: Final[dict[str, Callable[[Subject], Awaitable[str]]]] = {
    "connect": lambda s: _code(s.at.connect(_chat(s, "b"))),
    "update": lambda s: _code(s.at.update(_chat(s, "b"))),
    "disable": lambda s: _code(s.at.disable()),
    "enable": lambda s: _code(s.at.enable()),
    "disconnect": lambda s: _code(s.at.disconnect()),
    "create_webhook": lambda s: _code(s.at.create_webhook()),
    "replace_webhook_secret": lambda s: _code(
        s.at.replace_webhook_secret(s.id, SECRETS[2], overlap=_HOUR)
    ),
    "rotate": lambda s: _code(s.at.webhooks.rotate(s.id, overlap=_HOUR)),
    "retire": lambda s: _code(s.at.webhooks.retire(s.id)),
    "replay": lambda s: _code(s.at.webhooks.replay(s.event)),
    "authorize": _authorized,
    "adopt": lambda s: _code(s.at.adopt(forge.FORGE, _ADOPTED)),
}
_OAUTH: Final = ("authorize", "adopt")


async def _prepare(call: str, subject: Subject) -> None:
    """What the call needs to be there."""
    if call in _OAUTH or call == "connect":
        return
    value_or_raise(await subject.calm.connect(_chat(subject, "a")))
    endpoint = value_or_raise(await subject.calm.create_webhook(signing_secret=SECRETS[1]))
    subject.id = endpoint.id
    if call == "enable":
        value_or_raise(await subject.calm.disable())
    if call == "replay":
        at, body = datetime.now(UTC), b'{"team":"a"}'
        request = sign_webhook(StandardWebhooks(), endpoint, body, now=at, event_id="event")
        assert (await subject.calm_manager.handle(request)).status == 204
        subject.event = value_or_raise(await subject.calm.webhooks.list()).items[0].id


async def _repeated(call: str, subject: Subject) -> str:
    """Calls until the database has answered; the last problem's code."""
    async with asyncio.timeout(_SETTLE_SECONDS):
        while True:
            code = await CALLS[call](subject)
            if code not in _UNKNOWN:
                return code
            await asyncio.sleep(0.05)


async def _fault(call: str, subject: Subject, proxy: CuttingProxy, expected: Any) -> str:
    """What is wrong after the call was cut and repeated; "" if nothing is."""
    code = await CALLS[call](subject)
    proxy.mend()
    if code in _UNKNOWN:
        code = await _repeated(call, subject)
    deadline = asyncio.get_running_loop().time() + _SETTLE_SECONDS
    if code not in ("", _SAYS.get(call, "")):
        return f"{call}: {code}"
    # An endpoint that nobody learned of is deleted a moment later.
    while (state := await subject.state()) != expected:
        if asyncio.get_running_loop().time() > deadline:
            return f"{call}: {state} instead of {expected}"
        await asyncio.sleep(0.05)
    return ""


async def _try(call: str, url: str, *, every: int, also_down: bool) -> tuple[int, list[str]]:
    """How often the call was cut, and what was wrong then."""
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(cutting_proxy(url))
        calm_store = PostgresStore(url, max_size=2, deadline=timedelta(seconds=5))
        store = PostgresStore(proxy.url(name_in(url)), min_size=1, max_size=2)
        makes: Callable[[Store], tuple[Any, Any]] = chat_manager
        if call in _OAUTH:
            provider = forge.Provider()
            makes = partial(forge.manager_on, provider=provider)
        opened: list[Any] = []
        for each in (store, calm_store):
            made = makes(each)
            _ = await stack.enter_async_context(made[0].without_delivery())
            opened += made
        number = 0

        async def subject() -> Subject:
            nonlocal number
            number += 1
            kind = forge.Organization if call in _OAUTH else Organization
            tenant = kind(f"{call}-{number}".replace(" ", "-").replace("_", "-"))
            manager, connector, calm, calm_connector = opened
            made = Subject(
                tenant,
                manager.scope(tenant).at(connector),
                calm.scope(tenant).at(calm_connector),
                manager,
                calm,
                calm_store,
            )
            await _prepare(call, made)
            return made

        whole = await subject()
        assert await _repeated(call, whole) in ("", _SAYS.get(call, "")), call
        expected, faults, cuts = await whole.state(), list[str](), 0
        for stays_down in (False, True) if also_down else (False,):
            for answer in range(1, _MOST_ANSWERS, every):
                one = await subject()
                proxy.cut(answer, stays_down=stays_down)
                fault = await _fault(call, one, proxy, expected)
                if fault:
                    faults.append(fault)
                if not proxy.cuts:
                    break
                cuts += 1
        return cuts, faults


async def commit_unknown(every: int = 1, *, also_down: bool = True) -> Figure:
    """Counts calls whose repetition did not end as one call.

    `every` takes each n-th answer. Without `also_down` each link is cut once only.
    """
    with Server() as server, Databases(server.url()).migrated() as url:
        tried = await asyncio.gather(
            *(_try(call, url, every=every, also_down=also_down) for call in CALLS)
        )
    cuts = sum(count for count, _ in tried)
    faults = [fault for _, each in tried for fault in each]
    untried = sum(not count for count, _ in tried)
    return Figure(
        "commit-unknown",
        f"{len(CALLS)} calls, {cuts} answers cut: {len(faults)} ended otherwise {faults[:3] or ''}",
        "0; each call cut",
        not faults and not untried,
    )
