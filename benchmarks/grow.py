"""The cost of an operation at 1,000,000 connections relative to 1,000.

Both sides are the library, on two databases of one server. Each uses the same number of real
connections, 20 of each of 50 tenants, spread evenly over the table. Only the number of other rows
differs. Connections that the benchmark makes are deleted outside the timing.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count, cycle, islice
from time import perf_counter
from typing import TypeAlias

from benchmarks.actions import TelegramConfig
from benchmarks.database import ACCOUNTS, CONFIG, TELEGRAM, Manager, connected_to, tenants
from benchmarks.measure import AtMost, Batch, Benchmark, Sides, require_answer
from igniter_connectors import value_or_raise
from igniter_connectors.flows.oauth.renew_expiring import RENEW_BEFORE
from igniter_connectors.manager.at import AtConfig

FEW, MANY = 1_000, 1_000_000
EXPIRING = 20
MANY_FOR_SMOKE = 2_000

MakeBatch: TypeAlias = Callable[[Manager, int], Awaitable[Batch]]


def connections_of(manager: Manager, size: int) -> list[AtConfig[TelegramConfig, None]]:
    """All real connections, ordered so that neighbours are far apart in the table."""
    return [
        manager.scope(tenant).at(TELEGRAM, account=account)
        for account in ACCOUNTS
        for tenant in tenants(size)
    ]


def rounds(operations: list[Callable[[], Awaitable[object]]]) -> Batch:
    """Batches that repeat the operations in turn."""
    endless = cycle(operations)

    async def batch(iterations: int) -> float:
        upcoming = list(islice(endless, iterations))
        started = perf_counter()
        for operation in upcoming:
            await operation()
        return perf_counter() - started

    return batch


async def resolving(manager: Manager, size: int) -> Batch:
    ats = connections_of(manager, size)
    for at_telegram in ats:
        require_answer(value_or_raise(await at_telegram.get()).config, CONFIG)
    return rounds([at_telegram.get for at_telegram in ats])


async def listing(manager: Manager, size: int) -> Batch:
    scopes = [manager.scope(tenant) for tenant in tenants(size)]
    for scope in scopes:
        page = value_or_raise(await scope.list())
        require_answer([one.account for one in page.items], sorted(ACCOUNTS))
        require_answer({one.health for one in page.items}, {"ok"})
    return rounds([scope.list for scope in scopes])


async def counting(manager: Manager, size: int) -> Batch:
    scopes = [manager.scope(tenant) for tenant in tenants(size)]
    for scope in scopes:
        require_answer(value_or_raise(await scope.count()), len(ACCOUNTS))
    return rounds([scope.count for scope in scopes])


async def connecting(manager: Manager, size: int) -> Batch:
    endless, numbers = cycle(tenants(size)), count()

    async def batch(iterations: int) -> float:
        upcoming = [
            manager.scope(tenant).at(TELEGRAM, account=f"new-{next(numbers)}")
            for tenant in islice(endless, iterations)
        ]
        started = perf_counter()
        outcomes = [await at_telegram.connect(CONFIG) for at_telegram in upcoming]
        seconds = perf_counter() - started
        require_answer({value_or_raise(outcome).config for outcome in outcomes}, {CONFIG})
        for at_telegram in upcoming:
            value_or_raise(await at_telegram.disconnect())
        return seconds

    return batch


async def sweeping(manager: Manager, size: int) -> Batch:  # noqa: ARG001  # same signature as the others
    """One search for refresh tokens that expire soon. Both sizes have the same number."""

    async def look() -> object:
        return await manager.store.list_expiring(within=RENEW_BEFORE, limit=EXPIRING)

    require_answer(
        len(await manager.store.list_expiring(within=RENEW_BEFORE, limit=EXPIRING)), EXPIRING
    )
    return rounds([look])


@asynccontextmanager
async def at_two_sizes(make_batch: MakeBatch, few: int, many: int) -> AsyncGenerator[Sides, None]:
    async with AsyncExitStack() as stack:
        ours, against = [
            await make_batch(await stack.enter_async_context(connected_to(size)), size)
            for size in (many, few)
        ]
        yield Sides(ours=ours, against=against)


def growth(operation: str, make_batch: MakeBatch, *, few: int = FEW) -> Benchmark:
    """The benchmark row of one operation."""
    return Benchmark(
        name=f"grow-{operation}-1m",
        against=f"itself at {few:,} connections",
        bar=AtMost(1.3),
        open_sides=partial(at_two_sizes, make_batch, few, MANY),
        open_small_sides=partial(at_two_sizes, make_batch, few, MANY_FOR_SMOKE),
    )


ROWS = (
    growth("resolve", resolving),
    growth("list", listing),
    growth("connect", connecting),
    growth("count", counting),
    # At 1,000 there are only the real connections, which have no refresh token.
    growth("sweep", sweeping, few=MANY_FOR_SMOKE),
)
