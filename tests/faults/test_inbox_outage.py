"""Webhooks while PostgreSQL is stopped or down: refused in time, and accepted afterwards."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest

from igniter_connectors import PostgresStore, value_or_raise
from tests.flows.mailroom import mailroom
from tests.postgres.server import Server

AT_ONCE = 40


@pytest.mark.parametrize("fault", ["stopped", "down"])
async def test_only_recorded_events_are_acknowledged(
    fault: str, own_server: Server, own_database_url: str
) -> None:
    """Concurrent deliveries get a 503 in time. When they are sent again, each is handled once."""
    async with mailroom(PostgresStore(own_database_url)) as room:
        assert (await room.post("before", "before")).status == 204
        await room.connectors.settled()
        own_server.pause() if fault == "stopped" else own_server.stop_immediately()
        try:
            started = monotonic()
            answers = await asyncio.gather(*(room.post("x", f"id-{n}") for n in range(AT_ONCE)))
            seconds = monotonic() - started
        finally:
            own_server.resume() if fault == "stopped" else own_server.start()
        assert {answer.status for answer in answers} == {503}
        assert seconds < 3  # the deadline is 0.8 s; the rest is for a busy machine
        async with asyncio.timeout(20):
            for number in range(AT_ONCE):
                while (await room.post("x", f"id-{number}")).status != 204:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)  # a provider retries too
        await room.until(lambda: len(room.calls) >= AT_ONCE + 1)
        await room.connectors.settled()
        ids = [call.event_id for call in room.calls]
        assert sorted(ids) == sorted({"before", *(f"id-{n}" for n in range(AT_ONCE))})
        done = value_or_raise(await room.at.webhooks.list(state="done", limit=1000))
        assert len(done.items) == AT_ONCE + 1
