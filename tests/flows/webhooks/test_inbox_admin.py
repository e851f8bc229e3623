"""Reading a connection's inbox, over every store."""

from __future__ import annotations

import pytest
from returns.result import Failure

from igniter_connectors import value_or_raise
from igniter_connectors.core.pagination import make_cursor
from igniter_connectors.problems import WebhookEventNotFound, WebhookNotFound
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


@pytest.mark.parametrize("id", ["\x00", "a\x00b", "\ud83d", "é" * 5000, ""])
async def test_an_id_that_no_database_takes_names_nothing(id: str, make_store: MakeStore) -> None:
    """It is the caller's mistake, not the database's failure."""
    async with mailroom(make_store()) as room:
        webhooks = room.at.webhooks
        for call in (webhooks.find, webhooks.body, webhooks.replay, webhooks.check_replay):
            assert await call(id) == Failure(WebhookEventNotFound("mail"))
        assert await webhooks.retire(id) == Failure(WebhookNotFound())


@pytest.mark.parametrize(
    "position", [("2026-11-01T00:00:00+00:00", "a\x00"), ("2026-11-01", "a"), ("x", "a")]
)
async def test_an_invalid_cursor_starts_at_the_first_page(
    position: tuple[str, str], make_store: MakeStore
) -> None:
    """A text that no database takes, an instant without its offset, no instant."""
    async with mailroom(make_store()) as room:
        await room.post("hi")
        page = value_or_raise(await room.at.webhooks.list(after=make_cursor(*position)))
        assert len(page.items) == 1
