"""A stored connection: its key."""

from __future__ import annotations

from igniter_connectors.core.connection.record import ConnectionKey
from tests.core.examples import KEY


def test_no_two_addresses_are_equal() -> None:
    """A key has four fields. It is not one string with separators."""
    assert ConnectionKey("a", "b:c", "d") != ConnectionKey("a:b", "c", "d")
    assert ConnectionKey("organization", "acme", "telegram", "default") == KEY
