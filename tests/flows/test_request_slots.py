"""The slots of HTTP requests: shares of tenants and origins, turns, and nothing left behind."""

from __future__ import annotations

import asyncio
import random
import re
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from returns.result import Failure, Result, Success

import igniter_connectors
from igniter_connectors import ConnectorManager, HttpLimits, HttpRequest, HttpResponse, WrongWiring
from igniter_connectors.core.http.http_limits import AtLimit
from igniter_connectors.core.http.messages import HttpFailed
from igniter_connectors.flows.request_slots import RequestSlots
from igniter_connectors.flows.tenant_http import api_http, oauth_http
from tests.flows.forge import KEY, forge

A, B, C = ("organization", "a"), ("organization", "b"), ("organization", "c")
OK: Result[HttpResponse, HttpFailed] = Success(HttpResponse(200))
LIMITS = HttpLimits(requests_at_once=6, requests_per_tenant=2, requests_per_origin=4)


def limits_of(number: int) -> HttpLimits:
    """The same number for all three."""
    return HttpLimits(
        requests_at_once=number, requests_per_tenant=number, requests_per_origin=number
    )


def counters(slots: RequestSlots) -> tuple[object, ...]:
    """What the slots hold in memory."""
    return (slots._taken, slots._by_tenant, slots._by_origin, slots._waiting)


async def waiting(
    slots: RequestSlots, *whose: tuple[tuple[str, str], str]
) -> list[asyncio.Task[None]]:
    """Tasks that wait for slots, in this order."""
    tasks = [asyncio.create_task(slots.wait(tenant, origin)) for tenant, origin in whose]
    await asyncio.sleep(0)
    return tasks


async def settled() -> None:
    """Lets the tasks that were woken run."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_each_limit_is_reached_at_its_number() -> None:
    """One below it takes a slot; at it, the answer names who fills it."""
    slots = RequestSlots(LIMITS)
    assert [slots.take(A, "x") for _ in "12"] == [None, None]
    assert slots.take(A, "y") == AtLimit("tenant", 2)
    assert [slots.take(B, "x") for _ in "12"] == [None, None]
    assert slots.take(C, "x") == AtLimit("origin", 4)
    assert [slots.take(C, "y") for _ in "12"] == [None, None]
    assert slots.take(("organization", "d"), "y") == AtLimit("process", 6)


async def test_a_free_slot_goes_to_whoever_may_have_it() -> None:
    """One that ends can let two go: another of its tenant, and another to its origin."""
    slots = RequestSlots(LIMITS)
    for tenant, origin in ((A, "x"), (A, "x"), (B, "x"), (B, "x")):
        assert slots.take(tenant, origin) is None
    to_y, of_c, of_a = await waiting(slots, (A, "y"), (C, "x"), (A, "x"))
    assert not any(task.done() for task in (to_y, of_c, of_a))
    slots.free(A, "x")
    await settled()
    assert [task.done() for task in (to_y, of_c, of_a)] == [True, True, False]
    slots.free(A, "y")
    await settled()
    assert not of_a.done()  # the origin is full: C has its fourth slot
    slots.free(C, "x")
    await of_a


async def test_tenants_take_turns() -> None:
    """However many of one tenant waited first."""
    slots = RequestSlots(limits_of(2))
    assert [slots.take(A, "x") for _ in "12"] == [None, None]
    crowd = await waiting(slots, *[(A, "x")] * 50)
    (alone,) = await waiting(slots, (B, "x"))
    slots.free(A, "x")
    slots.free(A, "x")
    await settled()
    assert alone.done()
    assert sum(task.done() for task in crowd) == 1
    for task in crowd:
        task.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    slots.free(A, "x")
    slots.free(B, "x")
    assert counters(slots) == (0, {}, {}, {})


async def test_a_slot_that_comes_with_a_cancellation_is_not_lost() -> None:
    """It goes to the next."""
    slots = RequestSlots(limits_of(1))
    assert slots.take(A, "x") is None
    first, second = await waiting(slots, (A, "x"), (A, "x"))
    slots.free(A, "x")
    first.cancel()
    await asyncio.wait({second})
    assert first.cancelled()
    slots.free(A, "x")
    assert counters(slots) == (0, {}, {}, {})


@pytest.mark.parametrize("seed", range(5))
async def test_no_limit_is_passed_and_nobody_is_forgotten(seed: int) -> None:
    """1,000 requests of random tenants to random origins, some cancelled at random moments."""
    chance = random.Random(seed)  # the seed is the test's name
    slots = RequestSlots(LIMITS)
    running: list[tuple[tuple[str, str], str]] = []

    async def request(tenant: tuple[str, str], origin: str) -> None:
        if slots.take(tenant, origin) is not None:
            await slots.wait(tenant, origin)
        running.append((tenant, origin))
        try:
            assert len(running) <= 6
            assert sum(one == tenant for one, _ in running) <= 2
            assert sum(one == origin for _, one in running) <= 4
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
        finally:
            running.remove((tenant, origin))
            slots.free(tenant, origin)

    tasks = [
        asyncio.create_task(request(("o", chance.choice("abcde")), chance.choice("xyz")))
        for _ in range(1000)
    ]
    while not all(task.done() for task in tasks):
        chance.choice(tasks).cancel()
        await asyncio.sleep(0)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in ended} == {type(None), asyncio.CancelledError}
    assert counters(slots) == (0, {}, {}, {})


class Hanging:
    """An HTTP client whose requests to `/hang` end when the test says so."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.deadlines: list[timedelta] = []

    async def send(
        self, request: HttpRequest, *, deadline: timedelta, limit_bytes: int
    ) -> Result[HttpResponse, HttpFailed]:
        """200."""
        _ = limit_bytes
        self.deadlines.append(deadline)
        if request.url.endswith("/hang"):
            await self.end.wait()
        return OK


async def test_what_hangs_at_an_api_does_not_delay_tokens_or_others() -> None:
    """101 calls of one tenant: 20 are under way, and the rest waits for its own deadline."""
    made, http = forge(), Hanging()
    object.__setattr__(made.engine, "http", http)
    mine, others = api_http(made.engine, A), api_http(made.engine, B)
    slow, quick = (
        HttpRequest("GET", "https://api.example/hang"),
        HttpRequest("GET", "https://api.example/"),
    )
    calls = [asyncio.create_task(mine.send(slow)) for _ in range(101)]
    await settled()
    assert len(http.deadlines) == HttpLimits().requests_per_tenant
    assert await others.send(quick) == OK
    assert await oauth_http(made.engine, KEY).send(quick) == OK
    late = await mine.send(quick, deadline=timedelta(milliseconds=20))
    assert late == Failure(HttpFailed(sent=False, at_limit=AtLimit("tenant", 20)))
    http.end.set()
    assert await asyncio.gather(*calls) == [OK] * 101
    assert counters(made.engine.api_slots) == (0, {}, {}, {})
    # The wait counts: who waited has less time left than whoever did not.
    assert http.deadlines[0] == timedelta(seconds=10) > http.deadlines[-1]


async def test_what_hangs_at_a_token_endpoint_does_not_delay_others() -> None:
    """A tenant's own provider may be the slow one."""
    made, http = forge(), Hanging()
    object.__setattr__(made.engine, "http", http)
    slow = HttpRequest("POST", "https://git.acme.example/hang")
    mine = oauth_http(made.engine, KEY)
    refreshes = [asyncio.create_task(mine.send(slow)) for _ in range(101)]
    await settled()
    assert len(http.deadlines) == HttpLimits().requests_per_tenant
    theirs = oauth_http(made.engine, replace(KEY, identity="b"))
    assert await theirs.send(HttpRequest("POST", "https://forge.example/token")) == OK
    http.end.set()
    await asyncio.gather(*refreshes)


def test_every_flow_sends_within_a_share() -> None:
    """`Engine.http` is used by the one class that takes a slot first."""
    flows = Path(igniter_connectors.__file__).parent / "flows"
    senders = {
        path.name
        for path in flows.rglob("*.py")
        if re.search(r"engine\.http\b", path.read_text(encoding="utf-8"))
    }
    assert senders == {"tenant_http.py"}


def test_limits_that_cannot_be_are_refused() -> None:
    """When the manager is built."""
    with pytest.raises(WrongWiring, match="at least 1"):
        ConnectorManager.create().with_http_limits(HttpLimits(requests_per_tenant=0))
