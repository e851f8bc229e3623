"""The stored body of an event, over every store."""

from __future__ import annotations

from igniter_connectors import value_or_raise
from igniter_connectors.core.connection.record import ConnectionKey
from tests.flows.mailroom import MakeStore, mailroom
from tests.sample import CANARY

KEY = ConnectionKey("organization", "acme", "mail")


async def test_a_stored_body_is_sealed_and_opens_for_its_tenant(make_store: MakeStore) -> None:
    """The store never holds it in clear."""
    store = make_store()
    async with mailroom(store) as room:
        await room.post(CANARY)
        await room.connectors.settled()
        id = room.calls[0].id
        row = await store.inbox.find(KEY, id)
        assert row is not None
        assert row.sealed_body is not None
        assert CANARY.encode() not in row.sealed_body
        assert CANARY.encode() in value_or_raise(await room.at.webhooks.body(id))
