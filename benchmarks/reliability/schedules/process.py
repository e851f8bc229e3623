"""One simulated process: a manager of its own, over a store and a provider that fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from msgspec.structs import replace
from returns.result import Failure, Result, Success

from benchmarks.reliability.schedules.event_loop import Lane, ScheduledLoop
from benchmarks.reliability.schedules.provider import ModelProvider
from igniter_connectors import HttpRequest, HttpResponse
from igniter_connectors.core.connection.record import ConnectionKey, Grant
from igniter_connectors.stores import StoreUnavailable
from igniter_connectors.typing import HttpFailed

START = datetime(2026, 1, 1, tzinfo=UTC)
# A holder whose process stands still longer than this may be late with its request.
LONG_PAUSE_SECONDS = 3.0
LOGGER = logging.getLogger("benchmarks.schedules")
LOGGER.disabled = True


@dataclass
class World:
    """What all processes share, and how often what fails.

    `step` is how far the host's wall clock is off. `strikes` does to a process, or to the database,
    what this moment may bring: a crash, a pause, an outage.
    """

    loop: ScheduledLoop
    random: Random
    provider: ModelProvider
    failures: float = 0.0
    step: timedelta = timedelta()
    database_is_down: bool = False
    strikes: Callable[[Lane], None] = lambda _: None
    trace: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Adds a line to the trace of this schedule."""
        self.trace.append(f"{self.loop.time():9.2f} {text}")

    def happens(self) -> bool:
        """Whether something fails this time."""
        return self.random.random() < self.failures


class ScheduledClock:
    """The host's clock in virtual time. Its wall time may be stepped."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        """The wall time."""
        return START + timedelta(seconds=self._world.loop.time()) + self._world.step

    def monotonic(self) -> float:
        """Seconds of virtual time."""
        return self._world.loop.time()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)


class SeededEntropy:
    """Bytes and fractions of the schedule's seed."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def octets(self, count: int) -> bytes:
        """Bytes."""
        return self._random.randbytes(count)

    def fraction(self) -> float:
        """From 0 to 1."""
        return self._random.random()


class FailingStore:
    """A store as one process reaches it: slow, away, or its answer is lost.

    `read` opens the newest token of a grant that is sealed for a row.

    A process never loses two answers within three seconds: a holder that retries each second
    is then in time, as the protocol requires.
    """

    def __init__(
        self,
        world: World,
        lane: Lane,
        store: Any,  # a store, or a part of one
        shared: FailingStore | None = None,
    ) -> None:
        self._world = world
        self._lane = lane
        self._store = store
        self._first = shared or self
        self.read: Callable[[ConnectionKey, str, Grant], str] = lambda *_: ""
        self._fails_after = 0.0

    def __getattr__(self, name: str) -> Any:  # the attribute of the store
        if name in ("revocations", "inbox", "routing"):
            part = FailingStore(self._world, self._lane, getattr(self._store, name), self._first)
            setattr(self, name, part)
            return part
        if name in ("open", "close"):
            return _nothing
        if name == "listen":
            return _for_ever
        method: Callable[..., Awaitable[Any]] = getattr(self._store, name)

        async def call(*values: Any, **named: Any) -> Any:  # the method's own
            await self._before(name)
            answer = await method(*values, **named)
            if answer or name == "add":
                self._settle(name, values, named)
            await self._after(name)
            return answer

        setattr(self, name, call)
        return call

    async def _before(self, name: str) -> None:
        if self._lane.is_dead:
            raise StoreUnavailable("crashed")
        if self._world.random.random() < self._world.failures / 10:
            self._world.strikes(self._lane)
        await _short(self._world)
        if self._world.database_is_down:
            self._first._fails_after = self._world.loop.time() + LONG_PAUSE_SECONDS
            raise StoreUnavailable("down")
        if self._may_fail() and self._world.happens():
            self._failed(f"{name} fails")

    async def _after(self, name: str) -> None:
        if self._may_fail() and self._world.happens():
            self._failed(f"the answer of {name} is lost")
        await _short(self._world)

    def _may_fail(self) -> bool:
        return self._world.loop.time() >= self._first._fails_after

    def _failed(self, what: str) -> None:
        self._first._fails_after = self._world.loop.time() + LONG_PAUSE_SECONDS
        self._world.say(f"{self._lane.name}: {what}")
        raise StoreUnavailable(what)

    def _settle(self, name: str, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Tokens that this process received are stored now, or queued for revocation."""
        match name:
            case "save_authorized":
                key, row, grant = values[0].key, values[0].id, values[0].grant
            case "save_renewed":
                key, row, grant = values[0], named["row"], named["grant"]
            case "add":
                key, row, grant = values[0].key, values[0].row, values[0].grant
            case _:
                return
        self._world.provider.stored(self._first.read(key, row, grant))


class FailingHttp:
    """The provider as one process reaches it."""

    def __init__(self, world: World, lane: Lane) -> None:
        self._world = world
        self._lane = lane

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = timedelta(seconds=10),
        limit_bytes: int = 1024 * 1024,  # noqa: ARG002  # the port's name
    ) -> Result[HttpResponse, HttpFailed]:
        """One request. It arrives at once; the answer may come late or never."""
        world = self._world
        if self._lane.is_dead:
            return Failure(HttpFailed(sent=False))
        fault = world.random.choice(_FAULTS) if world.happens() else ""
        body = request.body.decode(errors="replace")[:60]
        world.say(f"{self._lane.name}: {request.method} {request.url} {body} {fault}")
        if fault == "refused":
            return Failure(HttpFailed(sent=False))
        if fault in ("503", "429"):
            await _short(world)
            return Success(HttpResponse(int(fault)))
        answer = world.provider.answer(request, self._lane)
        if fault == "unusable":
            answer = replace(answer, body=answer.body.replace(b'"access.', b'" access.'))
        if fault in ("lost", "502"):
            self._lose(f"{fault} answer")
        await asyncio.sleep(
            deadline.total_seconds() - 1 if fault == "late" else world.random.random() / 2
        )
        if world.happens():
            world.strikes(self._lane)
            await asyncio.sleep(0)
        if fault == "lost":
            return Failure(HttpFailed(sent=True))
        return Success(HttpResponse(502) if fault == "502" else answer)

    def _lose(self, why: str) -> None:
        lose_unsaved(self._world.provider, self._lane, why)


def lose_unsaved(provider: ModelProvider, lane: Lane, why: str) -> None:
    """Records that tokens which this process was given may reach no row."""
    for grant in provider.grants:
        if grant.sender is lane:
            grant.lost_because = grant.lost_because or why


async def _short(world: World) -> None:
    """A moment in which others go on."""
    drawn = world.random.random()
    await asyncio.sleep(0.0 if drawn < 0.6 else drawn / 10)


async def _nothing() -> None:
    """Opens or closes nothing: the store is shared."""


async def _for_ever(_: object) -> None:
    await asyncio.get_running_loop().create_future()


_FAULTS = ("refused", "503", "429", "502", "lost", "late", "unusable")
