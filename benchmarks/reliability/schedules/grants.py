"""One schedule of everything that happens to grants: what was drawn, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from benchmarks.reliability.schedules.application import (
    Process,
    Team,
    connector_of,
)
from benchmarks.reliability.schedules.event_loop import Lane, ScheduledLoop
from benchmarks.reliability.schedules.process import (
    LONG_PAUSE_SECONDS,
    ScheduledClock,
    World,
    lose_unsaved,
)
from benchmarks.reliability.schedules.provider import ModelGrant, ModelProvider
from igniter_connectors import Keyring, MemoryStore
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.stores import Store

TENANTS = ("acme", "beta")
OLD, NEW = (Keyring.generate().reveal() for _ in range(2))
KEYRINGS = (
    Keyring.from_secret(OLD),
    Keyring.from_secret(OLD, (NEW,)),
    Keyring.from_secret(NEW, (OLD,)),
)
"""The steps of a rotation."""

_EVENTS = (
    *("call",) * 12, "connect", "connect", "adopt", "update", "move",
    *("disconnect",) * 2, *("storm",) * 3, *("strike",) * 5, "step", "rotate",
)  # fmt: skip


@dataclass
class Authorization:
    """An authorization or an adoption: when it began, and its code or its grant."""

    tenant: str
    began_at: float
    grant: ModelGrant | None = None
    code: str = ""


class GrantSchedule:
    """Draws what happens, lets it happen, and judges the end."""

    def __init__(self, loop: ScheduledLoop, seed: int, store: Store | None = None) -> None:
        self.random = Random(seed)
        grace = self.random.choice((0.0, 0.0, 3600.0))
        ends_subject = self.random.random() < 0.3
        provider = ModelProvider(
            loop,
            grace_seconds=grace,
            ends_subject=ends_subject,
            access_seconds=self.random.choice((15, 15, 60, 3600)),
        )
        self.world = World(loop, self.random, provider)
        self._failures = self.random.choice((0.0, 0.02, 0.1))
        self.store = store or MemoryStore(clock=ScheduledClock(self.world))
        self.connector = connector_of(grace_seconds=grace, ends_subject=ends_subject)
        self.step_of_rotation = self.started = 0
        self._up_until = 0.0
        self.processes: list[Process] = []
        self.asked: list[tuple[str, asyncio.Task[str], Process]] = []
        self.begun: list[Authorization] = []
        self.disconnected: list[tuple[str, float, asyncio.Task[str]]] = []
        self.faults: list[str] = []

    async def run(self) -> list[str]:
        """The faults that this schedule found."""
        for _ in range(self.random.randint(2, 3)):
            self._start_process(self.step_of_rotation)
        for tenant in TENANTS[: self.random.randint(0, 2)]:
            self._do(self.processes[0], f"first {tenant}", self._connect(self.processes[0], tenant))
        await asyncio.sleep(8)
        self.world.failures, self.world.strikes = self._failures, self._strike
        for _ in range(self.random.randint(8, 30)):
            self._happen(self.random.choice(_EVENTS))
            await asyncio.sleep(self.random.choice((0.0, 0.0, 0.01, 0.2, 2.0, 6.0)))
        await self._settle()
        await self._judge()
        return self.faults

    def _start_process(self, keyring: int) -> Process:
        self.started += 1
        lane = self.world.loop.lane(f"p{self.started}")
        process = Process(self.world, lane, self.store, self.connector, KEYRINGS[keyring])
        _ = self.world.loop.start(lane, process.run())
        self.processes.append(process)
        return process

    def _do(self, process: Process, what: str, work: Coroutine[object, None, str]) -> None:
        self.world.say(f"{process.lane.name}: {what}")
        task = self.world.loop.start(process.lane, work)
        self.asked.append((what, task, process))

        def ended(done: asyncio.Task[str]) -> None:
            error = None if done.cancelled() else done.exception()
            if error is not None:
                self.faults.append(f"{what} raised {error!r}")
            else:
                self.world.say(f"{process.lane.name}: {what} -> {done.result()}")

        task.add_done_callback(ended)

    def _happen(self, event: str) -> None:
        random, world = self.random, self.world
        process, tenant = random.choice(self.processes), random.choice(TENANTS)
        match event:
            case "call":
                self._do(process, f"call {tenant}", process.call(tenant))
            case "connect":
                self._do(process, f"connect {tenant}", self._connect(process, tenant))
            case "adopt":
                self._do(process, f"adopt {tenant}", self._adopt(process, tenant))
            case "update":
                self._do(process, f"update {tenant}", process.update(tenant, Team(name="n")))
            case "move":
                region = random.choice(("eu", "us"))
                self._do(process, f"move {tenant}", process.update(tenant, Team(region)))
            case "disconnect":
                began = world.loop.time()
                self._do(process, f"disconnect {tenant}", process.disconnect(tenant))
                self.disconnected.append((tenant, began, self.asked[-1][1]))
            case "storm":
                self._storm(tenant)
            case "strike":
                self._strike(process.lane)
            case "step":
                world.step += timedelta(hours=random.choice((-1, 1)))
                world.say(f"the wall clock steps to {world.step}")
            case _:
                self._rotate()

    def _storm(self, tenant: str) -> None:
        for one in self.processes:
            self._do(one, f"call {tenant}", one.call(tenant))

    def _strike(self, lane: Lane) -> None:
        """A crash, a pause or an outage, now."""
        match self.random.choice(("crash", "pause", "database")):
            case "crash":
                self._crash(next(one for one in self.processes if one.lane is lane))
            case "pause":
                seconds = self.random.choice((1.0, 5.0, 12.0, 40.0))
                self.world.say(f"{lane.name} pauses for {seconds} s")
                lane.runs_at = self.world.loop.time() + seconds
                if seconds > LONG_PAUSE_SECONDS:
                    lose_unsaved(self.world.provider, lane, "pause")
            case _:
                self.world.loop.start_outside(self._outage())

    def _crash(self, process: Process) -> None:
        self._stop(process)
        _ = self._start_process(self.step_of_rotation)

    def _stop(self, process: Process) -> None:
        world = self.world
        world.say(f"{process.lane.name} crashes")
        process.lane.crash()
        lose_unsaved(world.provider, process.lane, "crash")
        self.processes.remove(process)
        self.asked = [one for one in self.asked if one[2] is not process]

    def _rotate(self) -> None:
        """The next process that starts has the next keyring; one starts now."""
        if self.step_of_rotation < len(KEYRINGS) - 1:
            self.step_of_rotation += 1
        self._crash(self.random.choice(self.processes))

    async def _outage(self) -> None:
        """The database is away, and then everybody calls.

        Between two outages it is up for longer than a holder waits before it commits again.
        """
        world = self.world
        if world.database_is_down or world.loop.time() < self._up_until:
            return
        seconds = self.random.choice((0.5, 4.0, 16.0, 20.0))
        world.say(f"the database is away for {seconds} s")
        world.database_is_down = True
        await asyncio.sleep(seconds)
        world.database_is_down = False
        self._up_until = world.loop.time() + LONG_PAUSE_SECONDS
        for tenant in TENANTS:
            self._storm(tenant)

    async def _connect(self, process: Process, tenant: str) -> str:
        config = Team(self.random.choice(("eu", "eu", "us")))
        subject = self.random.choice(("ada", "ada", "bob"))
        state = await process.authorize(tenant, config)
        if not state:
            return "not begun"
        authorization = Authorization(tenant, self.world.loop.time())
        self.begun.append(authorization)
        await asyncio.sleep(self.random.choice((0.0, 0.5, 5.0)))
        code = self.world.provider.code(subject)
        authorization.code = code
        return await process.come_back(tenant, state, code)

    async def _adopt(self, process: Process, tenant: str) -> str:
        grant = self.world.provider.mint(self.random.choice(("ada", "ada", "bob")))
        grant.is_adopted = True
        access, refresh = grant.token("access", 0), grant.token("refresh", 0)
        answer = await process.adopt(tenant, Team(), access, refresh)
        self.begun.append(Authorization(tenant, self.world.loop.time(), grant))
        return answer

    async def _settle(self) -> None:
        """Nothing fails any more, and every process has every key: all work ends."""
        world = self.world
        await asyncio.sleep(60)
        world.failures = 0.0
        for process in list(self.processes):
            self._stop(process)
        _ = self._start_process(1)
        await asyncio.sleep(3 * 3600)
        for tenant in TENANTS:
            self._do(self.processes[0], f"last call {tenant}", self.processes[0].call(tenant))
        await asyncio.sleep(120)

    async def _judge(self) -> None:
        self.faults += [f"{what} hangs" for what, task, _ in self.asked if not task.done()]
        named: set[int] = set()
        last = {what: task for what, task, _ in self.asked if what.startswith("last")}
        for tenant in TENANTS:
            row = await self.store.find(ConnectionKey("organization", tenant, "forge"))
            if row is not None:
                task = last[f"last call {tenant}"]
                outcome = task.result() if task.done() else "hangs"
                self._judge_row(tenant, row, outcome, named)
        provider = self.world.provider
        # Where one revocation ends all grants of a subject, they are one: it is kept for all.
        kept = {provider.grants[one].subject for one in named} if provider.ends_subject else set()
        for grant in provider.grants:
            is_known = grant.number in named or grant.subject in kept or grant.is_adopted
            if not is_known and not grant.ended and not grant.lost_because:
                self.faults.append(f"orphaned: {grant}")

    def _judge_row(self, tenant: str, row: ConnectionRecord, outcome: str, named: set[int]) -> None:
        if row.lease_owner is not None:
            self.faults.append(f"{tenant} stuck: leased")
        if row.grant is None or not row.grant.sealed_tokens:
            return
        engine = self.processes[0].manager._engine
        tokens = open_tokens(engine, row).unwrap()
        assert tokens.refresh_token is not None
        provider = self.world.provider
        grant, number = provider.grant_of(tokens.refresh_token.reveal())
        named.add(grant.number)
        for authorization in self.begun:
            if (authorization.grant or provider.by_code.get(authorization.code)) is grant:
                self._judge_disconnects(tenant, authorization)
        if grant.ended and not grant.lost_because:
            self.faults.append(f"{tenant} destroyed: {grant} ended by {grant.ended}")
        elif not grant.ended and number != grant.current and not grant.lost_because:
            self.faults.append(f"{tenant} destroyed: {grant} is stored as {number}")
        if row.status == "ok" and outcome != "ok":
            self.faults.append(f"{tenant} stuck: {outcome}, {grant}")
        # After a pause, the holder's late commit makes a row usable whose grant has ended since.
        is_told = row.status == "lost_rotation" or grant.lost_because == "pause"
        if grant.ended == "reuse" and row.status != "ok" and not is_told:
            self.faults.append(f"{tenant}: a lost rotation is called {row.status}")
        if row.status in ("needs_reauth", "lost_rotation") and not grant.ended:
            self.faults.append(f"{tenant} destroyed: {row.status} but alive, {grant}")

    def _judge_disconnects(self, tenant: str, authorization: Authorization) -> None:
        for other, began_at, task in self.disconnected:
            is_later = other == tenant and began_at > authorization.began_at
            if is_later and task.done() and not task.cancelled() and task.result() == "ok":
                self.faults.append(f"{tenant} resurrected: {authorization}")
