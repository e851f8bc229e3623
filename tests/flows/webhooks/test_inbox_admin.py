"""Reading a connection's inbox, over every store."""

from __future__ import annotations

from igniter_connectors import value_or_raise
from tests.flows.mailroom import MakeStore, mailroom


async def test_events_are_listed_in_pages(make_store: MakeStore) -> None:
    """Latest first, until the last page."""
    async with mailroom(make_store()) as room:
        for number in range(5):
            await room.post("x", f"id-{number}")
        await room.connectors.settled()
        seen: list[str] = []
        after: str | None = None
        while True:
            page = value_or_raise(await room.at.webhooks.list(limit=2, after=after))
            seen += [event.event_id for event in page.items]
            after = page.next
            if after is None:
                break
        assert seen == [f"id-{number}" for number in reversed(range(5))]
        assert value_or_raise(await room.at.webhooks.list(state="dead")).items == ()
