"""Opening and closing a manager."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from igniter_connectors import (
    ConnectorManager,
    Connectors,
    Keyring,
    MemoryStore,
    SQLiteStore,
    WrongWiring,
)
from igniter_connectors.stores import Store
from igniter_connectors.webhooks import DeliveryLimits
from tests.sample import BotConfig, Organization, bot


def manager(store: Store) -> Connectors[BotConfig, Organization]:
    """A manager on this store."""
    return (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(Keyring.from_secret(Keyring.generate()))
        .add_scope(Organization)
        .add_connector(bot)
        .build()
    )


@pytest.mark.parametrize("way", ["serving", "without delivery", "worker"])
async def test_a_second_opening_is_refused_and_closes_nothing(tmp_path: Path, way: str) -> None:
    """Whichever way the second one is opened, the first goes on with an open store."""
    connectors = manager(SQLiteStore(tmp_path / "connectors.db"))
    async with connectors:
        ways: dict[str, AbstractAsyncContextManager[object]] = {
            "serving": connectors,
            "without delivery": connectors.without_delivery(),
            "worker": connectors.as_worker(DeliveryLimits(lease=timedelta(minutes=9))),
        }
        with pytest.raises(WrongWiring, match="open already"):
            _ = await ways[way].__aenter__()
        counted = await connectors.scope(Organization("acme")).count()
        assert counted.unwrap() == 0
        if way == "worker":
            # The refused worker's limits do not replace those of the process that serves.
            assert connectors._engine.deliveries.limits != DeliveryLimits(
                lease=timedelta(minutes=9)
            )


async def test_a_second_opening_while_the_first_opens_is_refused() -> None:
    """Two tasks that open at once: one opens, the other is told."""
    connectors = manager(MemoryStore())
    opened = await asyncio.gather(
        connectors.__aenter__(), connectors.__aenter__(), return_exceptions=True
    )
    assert sum(isinstance(one, WrongWiring) for one in opened) == 1
    await connectors.__aexit__(None, None, None)


async def test_a_closed_manager_opens_again(tmp_path: Path) -> None:
    """After closing, and after an opening that failed."""
    connectors = manager(SQLiteStore(tmp_path / "missing" / "connectors.db"))
    with pytest.raises(Exception, match="SQLite"):
        await connectors.__aenter__()
    (tmp_path / "missing").mkdir()
    for _ in range(2):
        async with connectors:
            assert (await connectors.scope(Organization("acme")).count()).unwrap() == 0
