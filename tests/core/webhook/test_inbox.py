"""The id of an inbox event, and its public view."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import InboxEvent, inbox_id, webhook_event

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_inbox_id_is_unique_to_the_connection() -> None:
    """The same key of another connection gives another id. All ids have the same length."""
    ids = {
        inbox_id(key, connection_id=connection)
        for key in (b"one", b"two")
        for connection in ("row", "another")
    }
    assert {len(id) for id in ids} == {32}
    assert len(ids) == 4
    assert inbox_id(b"one", connection_id="row") in ids


def test_the_public_view_of_an_event_has_no_body() -> None:
    """Whether there is one is view."""
    key = ConnectionKey("organization", "acme", "mail")
    event = InboxEvent(
        key, "row", "id", "evt_1", "dead", 3, NOW, "o", None, NOW, "CODE", False, b"sealed"
    )
    view = webhook_event(event)
    assert (view.connector, view.account, view.state) == ("mail", "default", "dead")
    assert view.has_body
    assert "sealed" not in repr(view)
    assert not webhook_event(replace(event, sealed_body=None)).has_body
