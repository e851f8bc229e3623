"""What tells one event from another, and what is shown of it."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import InboxEvent, name_of, order_of, shown

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_events_name_is_its_own_in_its_connection() -> None:
    """The same key of another connection is another event; names have one length."""
    names = {
        name_of(key, connection_id=connection)
        for key in (b"one", b"two")
        for connection in ("row", "another")
    }
    assert {len(name) for name in names} == {32}
    assert len(names) == 4
    assert name_of(b"one", connection_id="row") in names


def test_an_order_key_is_stored_in_one_length() -> None:
    """Whatever a connector returns, lone surrogates too; none stays none."""
    assert order_of("") == ""
    assert len(order_of("x" * 10_000)) == len(order_of("\ud800\x00")) == 32
    assert order_of("a") != order_of("b")


def test_what_is_shown_of_an_event_holds_no_body() -> None:
    """Whether there is one is told."""
    key = ConnectionKey("organization", "acme", "mail")
    event = InboxEvent(
        key, "row", "id", "evt_1", "dead", 3, NOW, "o", None, NOW, "CODE", False, b"sealed"
    )
    told = shown(event)
    assert (told.connector, told.account, told.state) == ("mail", "default", "dead")
    assert told.has_body
    assert "sealed" not in repr(told)
    assert not shown(replace(event, sealed_body=None)).has_body
