"""Concurrent updates of connections that events are routed to, while commits lose their answers."""

import asyncio
import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.postgres.databases import Databases, name_in
from tests.postgres.server import Server

from benchmarks.reliability.cutting_proxy import cutting_proxy
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.team_chat import Chat, Organization, chat_manager, routed
from igniter_connectors import PostgresStore, Secret, SQLiteStore, value_or_raise
from igniter_connectors.stores import Store, StoreUnavailable

_UPDATES_AT_ONCE = 4
_CUT_EVERY = 10


async def routes(connections: int = 200) -> Figure:
    """Counts connections whose team has no route to them, and teams that route to a connection
    which does not name them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server() as server,
        Databases(server.url()).migrated() as url,
    ):
        path = Path(folder) / "connectors.db"
        files = [_lossy(SQLiteStore(path)) for _ in range(2)]
        async with cutting_proxy(url) as proxy:
            address = proxy.url(name_in(url))
            links = [PostgresStore(address, deadline=timedelta(seconds=3)) for _ in range(2)]
            on_file = await _race(files, SQLiteStore(path), connections)
            # Not while the stores open: that reads the whole schema.
            cut = partial(proxy.cut_every, _CUT_EVERY)
            on_server = await _race(links, PostgresStore(url), connections, when_open=cut)
            cuts = proxy.cuts
    lost, foreign, updated = (sum(each) for each in zip(on_file, on_server, strict=True))
    return Figure(
        "routes",
        f"{2 * connections} connections, {_UPDATES_AT_ONCE} updates at once each, {cuts} links cut:"
        f" {updated} updates stored, {lost} lost routes, {foreign} foreign routes",
        "0 lost, 0 foreign",
        lost == 0 and foreign == 0 and updated > 0 and cuts > 0,
    )


def _lossy(store: SQLiteStore) -> SQLiteStore:
    """Some writes lose their answer after the commit."""
    file: Any = store._file
    for name in ("write", "write_together"):
        method = getattr(file, name)

        async def lost(*values: Any, method: Any = method) -> Any:
            answer = await method(*values)
            if random.randrange(_CUT_EVERY) == 0:
                raise StoreUnavailable("the answer was lost")
            return answer

        setattr(file, name, lost)
    return store


async def _race(
    stores: Sequence[Store],
    calm: Store,
    connections: int,
    *,
    when_open: Callable[[], None] = lambda: None,
) -> tuple[int, int, int]:
    """Lost routes, foreign routes, and updates that were stored."""
    async with AsyncExitStack() as stack:
        managers = [chat_manager(store) for store in stores]
        for manager, _ in managers:
            await stack.enter_async_context(manager.without_delivery())
        reader, chat = chat_manager(calm)
        await stack.enter_async_context(reader.without_delivery())
        when_open()

        async def race(tenant: str) -> None:
            teams = [f"{tenant}-{number}" for number in range(_UPDATES_AT_ONCE)]
            first = Chat(Secret("token"), f"{tenant}-first")
            value_or_raise(await reader.scope(Organization(tenant)).at(chat).connect(first))

            async def move(number: int, team: str) -> None:
                await asyncio.sleep(random.random() * 0.01)
                manager, connector = managers[number % len(managers)]
                at = manager.scope(Organization(tenant)).at(connector)
                _ = await at.update(Chat(Secret("token"), team))

            await asyncio.gather(*(move(number, team) for number, team in enumerate(teams)))

        lost = foreign = updated = 0
        names = [f"t{number}" for number in range(connections)]
        for begin in range(0, connections, 8):
            await asyncio.gather(*map(race, names[begin : begin + 8]))
        for tenant in names:
            stored = value_or_raise(await reader.scope(Organization(tenant)).at(chat).get())
            updated += stored.version - 1
            for number in ("first", *range(_UPDATES_AT_ONCE)):
                team = f"{tenant}-{number}"
                tenants = await routed(calm, team)
                is_named = team == stored.config.team
                lost += is_named and tenants != [tenant]
                foreign += not is_named and tenants != []
        return lost, foreign, updated
