"""Concurrent webhooks, refreshes, toggles, config updates and reauthorizations of one connection.

Every access token expires at once, so each action refreshes. At the end, nothing that succeeded may
be lost: each config update, the last toggle, the provider's current refresh token, and the response
to each delivery.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable
from datetime import UTC, datetime

import httpx
import msgspec
from returns.pipeline import is_successful

from benchmarks.reliability.application import Application, Drive
from benchmarks.reliability.cluster import running_cluster, tenants
from benchmarks.reliability.figure import Figure, Measurement
from benchmarks.reliability.operations import call, reauthorize
from igniter_connectors import Secret, value_or_raise
from igniter_connectors.problems import Conflict
from igniter_connectors.testing import ProviderScript, sign_webhook
from igniter_connectors.webhooks import StandardWebhooks, WebhookEndpoint

WEBHOOKS = 1000
CONNECTIONS = 8
PROCESSES = 3

_ROUNDS = 6
_ACTIONS = 20
_AT_ONCE = 10


class Endpoint(msgspec.Struct, frozen=True):
    """A webhook endpoint in a form that can be sent to another process."""

    id: str
    url: str
    signing_secret: str


class RaceResult(msgspec.Struct):
    """What one process did and saw.

    Attributes:
        statuses: Number of webhook responses, by status.
        codes: Number of action results, by problem code; "" is success.
        counted: Number of successful config updates, by tenant.
        toggles_lost: How often `enabled` was not what this process had just set.
    """

    statuses: Counter[int]
    codes: Counter[str]
    counted: Counter[str]
    toggles_lost: int = 0


def no_lost_update_in(webhooks: int) -> Measurement:
    """The figure with this many webhooks."""

    async def run() -> Figure:
        return await _no_lost_update(webhooks)

    return run


async def _no_lost_update(webhooks: int) -> Figure:
    names = tenants(CONNECTIONS)
    async with running_cluster(ProviderScript(access_token_seconds=1)) as cluster:
        await cluster.connect(names)
        workers = [cluster.start() for _ in range(PROCESSES)]
        endpoints = await workers[0].run(make_endpoints, names)
        share = webhooks // PROCESSES
        shares = [share] * (PROCESSES - 1) + [webhooks - share * (PROCESSES - 1)]
        # One process toggles and one reconnects, so that each knows the expected state.
        done = await asyncio.gather(
            *(
                worker.run(race, endpoints, shares[number], number)
                for number, worker in enumerate(workers)
            )
        )
        kept = await workers[0].run(configs, names)
        consistent_tenants = await cluster.consistent_tenants(workers[0], names)
        state = await cluster.provider.state()
    counted: Counter[str] = sum((one.counted for one in done), Counter())
    statuses: Counter[int] = sum((one.statuses for one in done), Counter())
    codes: Counter[str] = sum((one.codes for one in done), Counter())
    lost = sum(abs(counted[tenant] - kept[tenant][0]) for tenant in names)
    off = sum(one.toggles_lost for one in done) + sum(not kept[tenant][1] for tenant in names)
    refused = sum(grant.invalid_grants for grant in state.grants)
    failed = codes.total() - codes[""] - codes["CONNECTOR_DISABLED"]
    counts = (statuses[204], lost, off, refused, failed, len(consistent_tenants))
    bar = (webhooks, 0, 0, 0, 0, CONNECTIONS)
    return Figure(
        "no-lost-update",
        f"{{}} of {webhooks} webhooks accepted; of {counted.total()} config updates {{}} lost; "
        f"{{}} toggles lost; over {state.refresh_requests} refreshes {{}} invalid_grant; "
        f"{{}} of {codes.total()} actions failed; {{}} of {CONNECTIONS} rows match the provider"
        "".format(*counts),
        "{}, {}, {}, {}, {}, {}".format(*bar),
        counts == bar and counted.total() > 0 and codes[""] > 0,
    )


async def make_endpoints(app: Application, tenants: list[str]) -> dict[str, Endpoint]:
    """Creates one endpoint for each tenant."""
    made = {tenant: value_or_raise(await app.at(tenant).create_webhook()) for tenant in tenants}
    return {
        tenant: Endpoint(one.id, one.url.reveal(), one.signing_secret.reveal())
        for tenant, one in made.items()
    }


async def configs(app: Application, tenants: list[str]) -> dict[str, tuple[int, bool]]:
    """Each tenant's count, and whether the connection is enabled."""
    opened = {tenant: value_or_raise(await app.at(tenant).get()) for tenant in tenants}
    return {tenant: (one.config.count, one.enabled) for tenant, one in opened.items()}


async def race(
    app: Application, endpoints: dict[str, Endpoint], webhooks: int, number: int
) -> RaceResult:
    """Runs all kinds of work of one process concurrently."""
    done = RaceResult(Counter(), Counter(), Counter())
    work: list[Awaitable[None]] = [deliver_all(app, endpoints, webhooks, done)]
    async with httpx.AsyncClient() as browser:
        for tenant in endpoints:
            work += [act(app, tenant, done), count_up(app, tenant, done)]
            if number == 1:
                work.append(toggle(app, tenant, done))
            if number == 2:
                work.append(reconnect(app, browser, tenant))
        await asyncio.gather(*work)
    return done


async def deliver_all(
    app: Application, endpoints: dict[str, Endpoint], webhooks: int, done: RaceResult
) -> None:
    """Sends signed deliveries, a few concurrently, to each endpoint in turn."""
    numbers = iter(range(webhooks))
    turns = itertools.cycle(endpoints.values())

    async def deliver() -> None:
        for number, known in zip(numbers, turns, strict=False):
            endpoint = WebhookEndpoint(known.id, Secret(known.url), Secret(known.signing_secret))
            request = sign_webhook(
                StandardWebhooks(),
                endpoint,
                b'{"text":"hello"}',
                now=datetime.now(UTC),
                event_id=f"{id(app)}-{number}",
            )
            done.statuses[(await app.connectors.handle(request)).status] += 1

    await asyncio.gather(*(deliver() for _ in range(_AT_ONCE)))


async def act(app: Application, tenant: str, done: RaceResult) -> None:
    """Calls actions one after another. Each one refreshes."""
    for _ in range(_ACTIONS):
        done.codes[(await call(app, tenant)).code] += 1


async def count_up(app: Application, tenant: str, done: RaceResult) -> None:
    """Increments the config with the version that was read, and retries after a conflict."""
    for _ in range(_ROUNDS):
        while True:
            seen = value_or_raise(await app.at(tenant).get())
            config = Drive(seen.config.count + 1)
            answer = await app.at(tenant).update(config, version=seen.version)
            if is_successful(answer):
                done.counted[tenant] += 1
                break
            assert isinstance(answer.failure(), Conflict), answer


async def toggle(app: Application, tenant: str, done: RaceResult) -> None:
    """Disables and enables. No other process does that."""
    for _ in range(_ROUNDS):
        value_or_raise(await app.at(tenant).disable())
        done.toggles_lost += value_or_raise(await app.at(tenant).get()).enabled
        value_or_raise(await app.at(tenant).enable())
        done.toggles_lost += not value_or_raise(await app.at(tenant).get()).enabled


async def reconnect(app: Application, browser: httpx.AsyncClient, tenant: str) -> None:
    """Reauthorizes a few times."""
    for _ in range(_ROUNDS // 2):
        await reauthorize(app, browser, tenant)
